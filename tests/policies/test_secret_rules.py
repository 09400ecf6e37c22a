"""Rules on secrets: what is allowed and what refused, missing and unknown; no message shows a value."""

from typing import Any

import pytest

from rules.model import Resource
from rules.secrets import ALLOWED, GUIDE_KEYS, SECRET_WORDS
from rules.values import UNKNOWN
from tests.policies.cases import REMOVED, accepts, both, environment, job, leaves, refuses, secret

OWN = [secret(key) for key in GUIDE_KEYS]


def with_variable(name: str, value: Any) -> Resource:
    return both(sparkEnvVars=environment(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIFTYONE_DATABASE_URI", "mongodb://fiftyone:hidden-password@db.example.com/"),
        ("ANYTHING", "mongodb+srv://fiftyone:hidden-password@db.example.com/"),
        ("ANYTHING", "'https://hidden-token@pypi.example.com/simple/'"),
        ("ANYTHING", "--proxy https://hidden:hidden@proxy.example.com --quiet"),
        ("ANYTHING", "dapi" + "0123456789abcdef" * 2),
        ("ANYTHING", "ghp_" + "a1" * 18),
        ("ANYTHING", "AKIA" + "ABCDEFGH" * 2),
        ("ANYTHING", "eyJhbGciOiJI.eyJzdWIiOiIx.signature"),
        ("ANYTHING", "-----BEGIN RSA PRIVATE KEY-----"),
        ("API_KEY", "hidden"),
        ("db_password", "hidden"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ("FIFTYONE_ENCRYPTION_KEY", "hidden"),
        ("ANYTHING", "prefix {{secrets/fiftyone-dev/FIFTYONE_DATABASE_URI}}"),
    ],
)
def test_credentials_in_the_clear_are_refused_and_not_shown(name: str, value: str) -> None:
    message = refuses("clear-credentials", with_variable(name, value))
    assert f"job gpu (execution, registration): {name} " in message
    assert value not in message
    assert f"`pulumi config set --secret secretEnv.{name}`" in message
    assert accepts("clear-credentials", with_variable(name, value), limits={ALLOWED: (name,)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_URL", "https://fiftyone.example.com/api"),
        ("API_KEY", "{{secrets/fiftyone-dev/API_KEY}}"),
        ("API_KEY", ""),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("CONTACT", "vision@example.com"),
        ("ENTRYPOINT_PLUGINS", "abfss://plugins@account.dfs.core.windows.net/plugins.tar"),
        ("ENTRYPOINT_PLUGINS_SHA256", "0f" * 32),
        ("KEYBOARD", "us"),
    ],
)
def test_what_is_no_credential_is_let_through(name: str, value: str) -> None:
    assert accepts("clear-credentials", with_variable(name, value))


def test_names_of_credentials_are_a_limit_and_what_is_unknown_is_left_to_the_update() -> None:
    assert "VAULT" in refuses("clear-credentials", with_variable("MY_VAULT", "x"), limits={SECRET_WORDS: ("VAULT",)})
    assert "MINE" in leaves("clear-credentials", with_variable("MINE", UNKNOWN))
    assert leaves("clear-credentials", both(sparkEnvVars=UNKNOWN))
    assert accepts("clear-credentials", both(sparkEnvVars=REMOVED))


def test_the_log_in_to_a_registry_is_by_reference() -> None:
    def image(password: str) -> Resource:
        log_in = {"username": "{{secrets/fiftyone-dev/CONTAINER_REGISTRY_USERNAME}}", "password": password}
        return job(execution={"dockerImage": {"url": "registry.example.com/a/b:1", "basicAuth": log_in}})

    assert accepts("clear-credentials", image("{{secrets/fiftyone-dev/CONTAINER_REGISTRY_PASSWORD}}"))
    assert "registry's password stands in the clear" in refuses("clear-credentials", image("hidden-password"))


def test_the_private_index_is_a_reference_and_is_there() -> None:
    assert accepts("private-index", job())
    assert "is no secret reference" in refuses(
        "private-index", with_variable("PIP_EXTRA_INDEX_URL", "https://hidden-token@pypi.example.com/simple/")
    )
    assert "UV_INDEX_URL" in refuses("private-index", with_variable("UV_INDEX_URL", "https://pypi.example.com/"))
    assert "is not set" in refuses("private-index", with_variable("PIP_EXTRA_INDEX_URL", REMOVED))
    assert "is not set" in refuses("private-index", both(sparkEnvVars=REMOVED))
    assert leaves("private-index", with_variable("PIP_EXTRA_INDEX_URL", UNKNOWN))


def test_references_lead_to_keys_of_the_stack() -> None:
    assert accepts("secret-references", job(), *OWN)
    assert accepts("secret-references", with_variable("A", "{{secrets/fiftyone-dev/A}}"), *OWN, secret("A"))


@pytest.mark.parametrize(
    "reference", ["{{secrets/fiftyone-dev/FIFTYONE_DB_URI}}", "{{secrets/other/FIFTYONE_PYPI_URL}}"]
)
def test_a_reference_that_leads_nowhere_is_refused_once(reference: str) -> None:
    message = refuses("secret-references", with_variable("A", reference), *OWN)
    assert (
        f"A refers to {reference}, which this stack does not make: job gpu (execution), gpu (registration)" in message
    )


def test_an_existing_scope_has_the_guides_three_and_no_more() -> None:
    assert accepts("secret-references", job(), existing_scope="fiftyone-dev")
    other = with_variable("A", "{{secrets/fiftyone-dev/A}}")
    assert "A refers to" in refuses("secret-references", other, existing_scope="fiftyone-dev")


def test_the_log_ins_references_lead_somewhere_too() -> None:
    log_in = {"username": "{{secrets/fiftyone-dev/USER}}"}
    used = job(execution={"dockerImage": {"url": "registry.example.com/a/b:1", "basicAuth": log_in}})
    assert "containerRegistry username refers to" in refuses("secret-references", used, *OWN)
    assert accepts("secret-references", used, *OWN, secret("USER"))
