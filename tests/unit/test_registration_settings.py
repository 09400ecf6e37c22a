"""What FiftyOne is told comes from the settings, by the guide's names; what is missing for it is said first."""

import json
from typing import Any

import pytest

from components.operators import operator_triggers
from components.plugins import PluginsPlace
from components.registration import credentials, existing_secrets, missing, secret_name
from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from tests.unit.settings_cases import ENVIRON, STACK, TRIGGER, configuration, settings

NAMES = {"host": "THE_HOST", "accountId": "THE_ACCOUNT", "clientId": "THE_CLIENT", "clientSecret": "THE_SECRET"}


def without(*keys: str, **changes: str) -> dict[str, str]:
    config = configuration(**changes)
    return {key: value for key, value in config.items() if key.removeprefix("fiftyone-databricks:") not in keys}


def refused(config: dict[str, str], **sources: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(config, **sources)
    return str(caught.value)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("host", "HOST_YOUR_ORCHESTRATOR_NAME"),
        ("accountId", "ACCOUNT_ID_YOUR_ORCHESTRATOR_NAME"),
        ("clientId", "CLIENT_ID_YOUR_ORCHESTRATOR_NAME"),
        ("clientSecret", "CLIENT_SECRET_YOUR_ORCHESTRATOR_NAME"),
    ],
)
def test_secrets_have_the_names_of_the_guide(field: str, name: str) -> None:
    assert secret_name(field, "your-orchestrator-name") == name


def test_the_stacks_own_secrets_hold_what_the_settings_say() -> None:
    assert credentials(settings()) == {
        "host": "https://example.cloud.databricks.com",
        "accountId": "00000000-0000-4000-8000-000000000000",
        "clientId": TRIGGER,
        "clientSecret": "hidden-client-secret",
    }


def test_a_host_without_a_scheme_becomes_the_address_that_the_guide_shows() -> None:
    environ = {**ENVIRON, "DATABRICKS_HOST": "example.cloud.databricks.com"}
    assert credentials(settings(environ=environ))["host"] == "https://example.cloud.databricks.com"


def test_fields_of_existing_secrets_are_not_the_stacks() -> None:
    found = settings(configuration(secretsFrom=json.dumps({"clientSecret": "THE_SECRET"})))
    assert existing_secrets(found) == {"clientSecret": "THE_SECRET"}
    assert credentials(found).keys() == {"host", "accountId", "clientId"}


def test_with_existing_secrets_for_all_nothing_else_is_needed() -> None:
    environ = {name: value for name, value in ENVIRON.items() if name.startswith("FIFTYONE_")}
    found = settings(without("servicePrincipal", secretsFrom=json.dumps(NAMES)), environ=environ)
    assert credentials(found) == {}
    assert list(missing(found)) == []


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("FIFTYONE_API_KEY", "fiftyone:apiKey"),
        ("DATABRICKS_HOST", "databricks:host"),
        ("DATABRICKS_ACCOUNT_ID", "databricks:accountId"),
        ("SERVICE_PRINCIPAL_CLIENT_SECRET", "servicePrincipalClientSecret"),
    ],
)
def test_what_registering_needs_stops_up_and_lets_a_preview_pass(variable: str, key: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != variable}
    message = refused(configuration(), environ=environ)
    assert f"- {key} is required and missing" in message
    assert variable in message
    found = load_settings(stack=STACK, config=configuration(), secret_keys=(), environ=environ, previewing=True)
    assert [problem.key for problem in missing(found)] == [key]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (configuration(servicePrincipal='{"clientId": "a b"}'), "servicePrincipal.clientId does not have the form"),
        (configuration(secretsFrom="{}"), "secretsFrom names no secret"),
        (configuration(secretsFrom='{"secret": "A"}'), "secretsFrom.secret is not a setting"),
        (configuration(secretsFrom='{"clientSecret": "hidden-value"}'), "secretsFrom.clientSecret does not have"),
        (configuration(servicePrincipal="hidden-value"), "servicePrincipal must be a map"),
        (configuration(secretsFrom="hidden-value"), "secretsFrom must be a map"),
        (
            configuration(servicePrincipal='{"clientId": "a", "clientSecret": "hidden"}'),
            "servicePrincipal holds `clientSecret`, which would stand in the clear",
        ),
        (configuration(fiftyone__managementModule="a b"), "fiftyone:managementModule does not have the form"),
        (configuration(fiftyone__timeoutSeconds="0"), "fiftyone:timeoutSeconds must be at least 1"),
        (configuration(fiftyone__timeoutSeconds="soon"), "fiftyone:timeoutSeconds must be a number"),
        (configuration(fiftyone__apiKey="hidden"), "fiftyone:apiKey stands in the clear"),
        (configuration(servicePrincipalClientSecret="hidden"), "servicePrincipalClientSecret stands in the clear"),
        (
            configuration(orchestrators={"gpu": {"nodeType": "x", "registrationTimeoutMinutes": 0}}),
            "registrationTimeoutMinutes must be more than 0",
        ),
    ],
)
def test_each_bad_setting_of_the_registration_is_refused_and_no_secret_is_shown(
    config: dict[str, str], expected: str
) -> None:
    message = refused(config)
    assert expected in message
    assert "hidden" not in message


def test_a_client_secret_beside_the_existing_one_is_refused_and_one_of_the_environment_is_let_be() -> None:
    config = configuration(secretsFrom=json.dumps(NAMES))
    assert settings(config).service_principal_client_secret is None
    key = "fiftyone-databricks:servicePrincipalClientSecret"
    message = refused({**config, key: "hidden"}, secret_keys=frozenset({key}))
    assert "servicePrincipalClientSecret is set, while `secretsFrom` names" in message
    assert "hidden" not in message


@pytest.mark.parametrize("key", ["fiftyone:apiKey", "fiftyone-databricks:servicePrincipalClientSecret"])
def test_configuration_and_environment_must_agree_on_a_credential(key: str) -> None:
    config = {**configuration(), key: "hidden-other"}
    message = refused(config, secret_keys=frozenset({key}))
    assert "in the environment disagree" in message
    assert "hidden" not in message


def test_operators_depend_on_plugins_requirements_entrypoint_and_version_alone() -> None:
    def triggers(plugins: PluginsPlace | None = None, **entries: Any) -> dict[str, str]:
        version = entries.pop("version", "2.13.1")
        config = configuration(
            orchestrators={"gpu": {"nodeType": "g2-standard-8", **entries}}, fiftyone__version=version
        )
        return operator_triggers(settings(config), "gpu", plugins)

    def changed(**others: Any) -> set[str]:
        return {name for name, value in triggers(**others).items() if value != triggers()[name]}

    assert changed(maxCapacity=9, workers=3, env={"LEVEL": "INFO"}, description="Others") == set()
    assert changed(requirements=["torch==2.6.0"]) == {"requirements"}
    assert changed(version="2.14.0") == {"FiftyOne version", "requirements"}
    place = PluginsPlace(location="/Volumes/a/b/c", archive=False)
    assert changed(plugins=place) == {"plugins"}
    assert triggers(place) != triggers(PluginsPlace(location="/Volumes/a/b/c", archive=True, sha256="0" * 64))
