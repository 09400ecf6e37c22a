"""Rules on secrets: what is allowed and what refused, missing and unknown; no message shows a value."""

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from rules.model import Resource
from rules.secrets import ALLOWED, EXISTING_KEYS, GUIDE_KEYS, SECRET_WORDS
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
        ("ANYTHING", "sk-proj-" + "a1B2" * 12),
        ("ANYTHING", "pypi-AgEIcHlwaS5vcmc" + "a1" * 20),
        (
            "ANYTHING",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hidden==;EndpointSuffix=core.windows.net",
        ),
        ("ANYTHING", "https://account.blob.core.windows.net/c/file.tar?sv=2024-11-04&sig=hidden%3D"),
        ("ANYTHING", "https://account.blob.core.windows.net/c/file.tar?sig=hidden%3D"),
        ("ANYTHING", "abfss://user:hidden@account.dfs.core.windows.net/plugins.tar"),
        ("ANYTHING", "abfss://plugins@account.dfs.core.windows.net/a,https://hidden@pypi.example.com/simple/"),
        *(
            (name, "hidden")
            for name in (
                *("PGPASSWORD", "MYSQL_PWD", "DB_PASS", "MONGO_URI", "MONGO_URL", "DATABASE_DSN", "GITHUB_PAT"),
                *("AZURE_STORAGE_CONNECTION_STRING", "TOKEN2", "accessToken", "dbPassword", "clientSecret"),
                *("GITHUBToken", "mongoDbUri", "apikey"),
            )
        ),
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
        ("PATH", "/usr/bin:/bin"),
        ("PWD", "/work"),
        ("FIFTYONE_PLUGINS_PATH", "/Volumes/main/plugins"),
        ("COMPASS", "north"),
        ("ENTRYPOINT_COMMANDS", "delegated,plugins"),
        ("ANYTHING", "s3://bucket/sk-plugins-for-our-team-2024.tar"),
        ("ANYTHING", "/mirror/pypi-packages-of-our-company-2024"),
        ("ANYTHING", "wasbs://a@account.example.net/x,abfss://b@account.example.net/y@2024"),
        ("ANYTHING", "https://fiftyone.example.com/search?signal=1"),
        ("PIP_FIND_LINKS", "/Volumes/main/wheels"),
    ],
)
def test_what_is_no_credential_is_let_through(name: str, value: str) -> None:
    assert accepts("clear-credentials", with_variable(name, value))


@pytest.mark.parametrize("character", ",;'\"/#? @\\%\n")
@pytest.mark.parametrize("quote", [str, shlex.quote])
def test_a_password_in_plain_text_may_hold_any_character(quote: Callable[[str], str], character: str) -> None:
    address = quote(f"mongodb://u:hidden{character}hidden@h/")
    assert "user info in the clear" in refuses("clear-credentials", with_variable("ANYTHING", address))


def test_in_an_existing_scope_a_credential_is_put_there_by_hand() -> None:
    clear, existing = with_variable("MODEL_TOKEN", "hidden"), {"existing_scope": "fiftyone-dev"}
    message = refuses("clear-credentials", clear, **existing)
    assert "secretEnv" not in message
    assert "by hand, have MODEL_TOKEN refer to it as {{secrets/fiftyone-dev/MODEL_TOKEN}}, and name that key" in message
    mended = with_variable("MODEL_TOKEN", "{{secrets/fiftyone-dev/MODEL_TOKEN}}")
    assert accepts("clear-credentials", mended, **existing)
    assert accepts("secret-references", mended, limits={EXISTING_KEYS: ("MODEL_TOKEN",)}, **existing)
    for name in ("PIP_EXTRA_INDEX_URL", "UV_INDEX_URL"):
        message = refuses("private-index", with_variable(name, "https://hidden@pypi.example.com/"), **existing)
        assert "Put the address into the existing scope by hand, as FIFTYONE_PYPI_URL" in message


@pytest.mark.parametrize("words", [(), ("VAULT",)])
def test_a_file_takes_no_name_of_a_credential_away(words: tuple[str, ...]) -> None:
    assert refuses("clear-credentials", with_variable("API_KEY", "hidden"), limits={SECRET_WORDS: words})


def test_names_of_credentials_are_a_limit_and_what_is_unknown_is_left_to_the_update() -> None:
    assert "VAULT" in refuses("clear-credentials", with_variable("MY_VAULT", "x"), limits={SECRET_WORDS: ("VAULT",)})
    assert "MINE" in leaves("clear-credentials", with_variable("MINE", UNKNOWN))
    assert leaves("clear-credentials", both(sparkEnvVars=UNKNOWN))
    assert accepts("clear-credentials", both(sparkEnvVars=REMOVED))


def test_the_log_in_to_a_registry_is_by_reference() -> None:
    def image(password: Any) -> Resource:
        log_in = {"username": "{{secrets/fiftyone-dev/CONTAINER_REGISTRY_USERNAME}}", "password": password}
        return job(execution={"dockerImage": {"url": "registry.example.com/a/b:1", "basicAuth": log_in}})

    assert accepts("clear-credentials", image("{{secrets/fiftyone-dev/CONTAINER_REGISTRY_PASSWORD}}"))
    assert "registry's password stands in the clear" in refuses("clear-credentials", image("hidden-password"))
    assert "registry's password" in leaves("clear-credentials", image(UNKNOWN))


def test_the_private_index_is_a_reference_and_is_there() -> None:
    assert accepts("private-index", job())
    assert "is no secret reference" in refuses(
        "private-index", with_variable("PIP_EXTRA_INDEX_URL", "https://hidden-token@pypi.example.com/simple/")
    )
    assert "UV_INDEX_URL" in refuses("private-index", with_variable("UV_INDEX_URL", "https://pypi.example.com/"))
    assert "is not set" in refuses("private-index", with_variable("PIP_EXTRA_INDEX_URL", REMOVED))
    assert "is not set" in refuses("private-index", both(sparkEnvVars=REMOVED))
    assert leaves("private-index", with_variable("PIP_EXTRA_INDEX_URL", UNKNOWN))
    assert "sparkEnvVars" in leaves("private-index", both(sparkEnvVars=UNKNOWN))


def test_the_private_index_is_the_key_of_that_name() -> None:
    other = with_variable("PIP_EXTRA_INDEX_URL", "{{secrets/fiftyone-dev/FIFTYONE_DATABASE_URI}}")
    assert "refers to another key than FIFTYONE_PYPI_URL" in refuses("private-index", other)


def test_folders_and_indexes_that_the_limits_allow_need_no_reference() -> None:
    assert accepts("private-index", with_variable("PIP_FIND_LINKS", "/Volumes/main/wheels"))
    public = with_variable("PIP_INDEX_URL", "https://pypi.example.com/simple/")
    assert "allowedVariables" in refuses("private-index", public)
    assert accepts("clear-credentials", public)
    assert accepts("private-index", public, limits={ALLOWED: ("PIP_INDEX_URL",)})
    needed = with_variable("PIP_EXTRA_INDEX_URL", "https://pypi.example.com/simple/")
    assert refuses("private-index", needed, limits={ALLOWED: ("PIP_EXTRA_INDEX_URL",)})


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
