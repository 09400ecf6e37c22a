"""Who starts jobs and as whom they run: whose the service principal is, and that the three identities never mix."""

import json
from typing import Any

import pytest

from components.registration import credentials, missing
from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from tests.unit.settings_cases import ENVIRON, STACK, TRIGGER, configuration, settings

RUNNER = "5ad0c0de-0000-4000-8000-000000000002"


def with_trigger(principal: dict[str, Any] | None, **changes: str) -> dict[str, str]:
    config = configuration(**changes)
    del config["fiftyone-databricks:servicePrincipal"]
    return config if principal is None else {**config, "fiftyone-databricks:servicePrincipal": json.dumps(principal)}


def refused(config: dict[str, str], **sources: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(config, **sources)
    return str(caught.value)


@pytest.mark.parametrize("principal", [None, {"create": True}])
def test_unless_one_is_named_the_stack_makes_the_service_principal_and_its_credential(principal: Any) -> None:
    found = settings(with_trigger(principal))
    assert found.makes_service_principal
    assert found.existing_trigger is None
    assert found.rotate_after_days == 60
    # Neither is looked for in the settings, so a preview and `up` need nothing of it.
    assert credentials(found).keys() == {"host", "accountId"}
    assert list(missing(found)) == []


def test_a_named_service_principal_is_used_with_the_secret_of_the_settings() -> None:
    found = settings(with_trigger({"clientId": TRIGGER}))
    assert not found.makes_service_principal
    assert credentials(found)["clientId"] == TRIGGER
    assert credentials(found)["clientSecret"] == ENVIRON["SERVICE_PRINCIPAL_CLIENT_SECRET"]


def test_nothing_is_made_where_fiftyone_has_a_whole_credential_already() -> None:
    secrets_from = json.dumps({"clientId": "THE_ID", "clientSecret": "THE_SECRET"})
    found = settings(with_trigger(None, secretsFrom=secrets_from))
    assert not found.makes_service_principal
    assert found.existing_trigger is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (with_trigger({}), "servicePrincipal needs to say whose it is"),
        (with_trigger({"create": True, "clientId": TRIGGER}), "servicePrincipal needs to say whose it is"),
        (with_trigger({"clientId": "gpu"}), "servicePrincipal.clientId does not have the form"),
        (with_trigger({"clientId": TRIGGER.upper()}), "servicePrincipal.clientId does not have the form"),
        (
            with_trigger(None, secretsFrom='{"clientSecret": "A"}'),
            "secretsFrom names a FiftyOne secret for clientSecret",
        ),
        (with_trigger({"create": True}, secretsFrom='{"clientId": "A"}'), "secretsFrom names a FiftyOne secret for cl"),
        (configuration(rotateAfterDays="30"), "rotateAfterDays is set, while the service principal is not"),
        (with_trigger(None, rotateAfterDays="0"), "rotateAfterDays must be at least 1"),
        (with_trigger(None, rotateAfterDays="362"), "rotateAfterDays must be at most 361"),
        (with_trigger(None, rotateAfterDays="soon"), "rotateAfterDays must be a whole number"),
        (configuration(runAs="{}"), "runAs.servicePrincipal is required and missing"),
        (
            configuration(runAs='{"servicePrincipal": "me@example.com"}'),
            "runAs.servicePrincipal does not have the form",
        ),
        (
            configuration(runAs=json.dumps({"servicePrincipal": TRIGGER})),
            "runAs is the service principal that FiftyOne",
        ),
    ],
)
def test_each_bad_setting_of_access_is_refused(config: dict[str, str], expected: str) -> None:
    assert f"- {expected}" in refused(config)


def test_a_client_secret_beside_a_service_principal_of_the_stacks_own_is_refused_and_not_shown() -> None:
    key = "fiftyone-databricks:servicePrincipalClientSecret"
    message = refused({**with_trigger(None), key: "hidden"}, secret_keys=frozenset({key}))
    assert "servicePrincipalClientSecret is set, while the stack makes a service principal" in message
    assert "hidden" not in message


def test_a_client_secret_in_the_environment_is_let_be_where_the_stack_makes_its_own() -> None:
    assert settings(with_trigger(None)).service_principal_client_secret is None


def test_a_role_is_granted_in_an_account_which_has_to_be_known() -> None:
    names = json.dumps({"accountId": "THE_ACCOUNT"})
    config = configuration(secretsFrom=names, runAs=json.dumps({"servicePrincipal": RUNNER}))
    environ = {name: value for name, value in ENVIRON.items() if name != "DATABRICKS_ACCOUNT_ID"}
    found = load_settings(stack=STACK, config=config, secret_keys=(), environ=environ, previewing=True)
    assert [problem.key for problem in missing(found)] == ["databricks:accountId"]


def test_a_rotation_is_refused_where_the_credential_is_not_the_stacks() -> None:
    assert "ROTATE_CREDENTIAL asks for a new credential, and the stack makes none" in refused(
        configuration(), environ={**ENVIRON, "ROTATE_CREDENTIAL": "now"}
    )
    settings(with_trigger(None), environ={**ENVIRON, "ROTATE_CREDENTIAL": "now"})


def test_a_clock_that_is_none_is_refused() -> None:
    message = refused(with_trigger(None), environ={**ENVIRON, "ROTATION_CLOCK": "tomorrow"})
    assert "- ROTATION_CLOCK is no time" in message


def test_a_mode_of_rotation_that_there_is_not_is_refused() -> None:
    message = refused(with_trigger(None), environ={**ENVIRON, "ROTATE_CREDENTIAL": "yes"})
    assert "ROTATE_CREDENTIAL is 'yes' in the environment" in message
    assert "due, now, never" in message
