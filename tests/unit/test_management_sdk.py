"""The adapter takes each form that the SDK's documentation leaves open, and tells failures apart, in words of ours."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest
import requests

from fiftyone_provider.client import (
    FiftyOneError,
    Registration,
    SecretInfo,
    UnknownOutcomeError,
    UnreachableError,
)
from fiftyone_provider.management_sdk import ManagementSdk
from tests.unit.management_signatures import DocumentedModule, document, environment_enum

URI: Final = "https://api.example.com"
VALUE: Final = "s3cr3t-value"
CONFIG: Final = {"jobId": "1", "executionTaskId": "execute", "registrationTaskId": "register"}
NAMES: Final = {"host": "H", "accountId": "A", "clientId": "I", "clientSecret": "S"}
REGISTRATION: Final = Registration(
    instance_id="gpu", description="text", environment="databricks", config=CONFIG, secrets=NAMES
)

QUESTIONS: Final[dict[str, Callable[[ManagementSdk], object]]] = {
    "get_secret_info": lambda sdk: sdk.secret("KEY"),
    "get_orchestrator": lambda sdk: sdk.orchestrator("gpu"),
}
CHANGES: Final[dict[str, Callable[[ManagementSdk], object]]] = {
    "add_secret": lambda sdk: sdk.add_secret("KEY", VALUE, "text"),
    "update_secret": lambda sdk: sdk.update_secret("KEY", VALUE, "text"),
    "delete_secret": lambda sdk: sdk.delete_secret("KEY"),
    "register_orchestrator": lambda sdk: sdk.register(REGISTRATION),
    "delete_orchestrator": lambda sdk: sdk.delete_orchestrator("gpu"),
}
USES: Final = QUESTIONS | CHANGES


def adapter(*, seconds: float = 10, **answers: Any) -> ManagementSdk:
    return ManagementSdk(DocumentedModule(answers=answers), uri=URI, seconds=seconds)


def failure(name: str, error: BaseException, **answers: Any) -> FiftyOneError:
    """What the use of one function of the SDK ends in where that raises `error`."""
    with pytest.raises(FiftyOneError) as caught:
        USES[name](adapter(**{name: error}, **answers))
    return caught.value


def with_status(status: int, kind: type[Exception] = Exception) -> Exception:
    error = kind(f"it said {VALUE}")
    error.__dict__["status_code"] = status
    return error


def with_response(status: int) -> Exception:
    error = Exception(f"it said {VALUE}")
    error.__dict__["response"] = SimpleNamespace(status_code=status)
    return error


def of_requests(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"it said {VALUE}", response=response)


def of_httpx(status: int) -> Exception:
    request = httpx.Request("POST", URI)
    return httpx.HTTPStatusError(f"it said {VALUE}", request=request, response=httpx.Response(status, request=request))


CARRIERS: Final = [with_status, with_response, of_requests, of_httpx]


# What is read back.


def orchestrator(**given: Any) -> Registration | None:
    whole: dict[str, Any] = {
        "instance_identifier": "gpu",
        "description": "text",
        "environment": "databricks",
        "config": CONFIG,
        "secrets": NAMES,
        "available_operators": [],
    }
    return adapter(get_orchestrator=document("OrchestratorDocument", **whole | given)).orchestrator("gpu")


def test_when_it_was_registered_reads_the_same_in_every_zone_and_is_empty_where_it_is_not_told() -> None:
    east = datetime(2026, 1, 2, 4, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    shown = {(orchestrator(created_at=when) or REGISTRATION).created_at for when in (east, east.astimezone(UTC))}
    assert shown == {"2026-01-02T03:04:05+00:00"}
    assert (orchestrator() or REGISTRATION).created_at == ""


def nested(entries: dict[str, Any]) -> list[dict[Any, Any]]:
    """Settings in each form in which they may come back."""
    return [entries, {"databricks": entries}, {environment_enum()("databricks"): entries}]


SNAKE_CONFIG: Final = {"job_id": "1", "execution_task_id": "execute", "registration_task_id": "register"}
SNAKE_NAMES: Final = {"host": "H", "account_id": "A", "client_id": "I", "client_secret": "S"}


@pytest.mark.parametrize("given", [*nested(CONFIG), *nested(SNAKE_CONFIG)])
def test_config_is_read_nested_or_not_and_in_either_case(given: dict[Any, Any]) -> None:
    assert orchestrator(config=given) == REGISTRATION


@pytest.mark.parametrize("given", [*nested(NAMES), *nested(SNAKE_NAMES)])
def test_secrets_are_read_nested_or_not_and_in_either_case(given: dict[Any, Any]) -> None:
    assert orchestrator(secrets=given) == REGISTRATION


def test_the_environment_is_read_as_text_or_enum() -> None:
    assert orchestrator(environment=environment_enum()("databricks"), config={"databricks": CONFIG}) == REGISTRATION


@pytest.mark.parametrize("given", [{**CONFIG, "registrationTaskId": None}, {"databricks": None}, {}, None])
def test_settings_that_are_not_there_are_left_out(given: dict[str, Any] | None) -> None:
    found = orchestrator(config=given)
    assert found is not None
    assert None not in found.config.values()
    assert "registrationTaskId" not in found.config


def test_a_job_id_that_comes_back_as_a_number_is_the_text_that_was_sent() -> None:
    assert orchestrator(config={**CONFIG, "jobId": 1}) == REGISTRATION


@pytest.mark.parametrize(("given", "expected"), [(None, ()), ([], ()), (["b", "a"], ("a", "b"))])
def test_operators_may_not_be_known_yet_and_have_no_order(given: list[str] | None, expected: tuple[str, ...]) -> None:
    found = orchestrator(available_operators=given)
    assert found is not None
    assert found.operators == expected


def test_no_description_is_an_empty_one() -> None:
    found = orchestrator(description=None)
    assert found is not None
    assert found.description == ""
    secret = adapter(get_secret_info=document("FiftyOneSecret", key="KEY")).secret("KEY")
    assert secret == SecretInfo(key="KEY", description="")


# What is missing.


@pytest.mark.parametrize("listed", [[], ["OTHER_KEY"], [document("FiftyOneSecret", key="OTHER_KEY")]])
@pytest.mark.parametrize("missing", [None, ValueError("no KEY"), KeyError("KEY"), with_status(404)])
def test_a_secret_that_is_missing_is_none_whether_that_is_answered_or_raised(missing: Any, listed: list[Any]) -> None:
    assert adapter(get_secret_info=missing, list_secrets=listed).secret("KEY") is None


@pytest.mark.parametrize("listed", [["KEY"], [document("FiftyOneSecret", key="KEY")]])
def test_a_secret_that_is_listed_is_not_taken_for_missing(listed: list[Any]) -> None:
    error = failure("get_secret_info", ValueError(f"it said {VALUE}"), list_secrets=listed)
    assert str(error) == "FiftyOne lists secret KEY and cannot read it."


def test_an_orchestrator_that_is_missing_is_none() -> None:
    assert adapter(get_orchestrator=ValueError("no gpu"), list_orchestrators=["other"]).orchestrator("gpu") is None


def test_an_orchestrator_that_is_listed_is_not_taken_for_missing() -> None:
    error = failure("get_orchestrator", ValueError(f"it said {VALUE}"), list_orchestrators=["gpu"])
    assert "lists orchestrator gpu and cannot read it" in str(error)
    assert "deactivated" in str(error)


@pytest.mark.parametrize("name", ["admin-gpu", "gpu-401", "gpu-403", "permission_gpu", "stack/admin/gpu"])
def test_a_name_that_an_exception_quotes_is_not_taken_for_a_refusal(name: str) -> None:
    assert adapter(get_orchestrator=ValueError(f"no orchestrator {name}")).orchestrator(name) is None
    assert adapter(get_secret_info=KeyError(name)).secret(name) is None
    for change in CHANGES:
        assert "key" not in str(failure(change, ValueError(f"{name}: a field is missing")))


@pytest.mark.parametrize(
    ("name", "listing"), [("get_secret_info", "list_secrets"), ("get_orchestrator", "list_orchestrators")]
)
def test_a_list_that_fails_too_is_a_failure_in_words(name: str, listing: str) -> None:
    answered = json.JSONDecodeError("Expecting value", "<html>", 0)
    assert "refused to list" in str(failure(name, answered, **{listing: answered}))
    assert "does not accept the key" in str(failure(name, ValueError("no"), **{listing: ValueError("401")}))
    assert isinstance(failure(name, ValueError("no"), **{listing: ConnectionError()}), UnreachableError)


# Failures, by kind.


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize(
    "error",
    [
        *(carrier(401) for carrier in CARRIERS),
        Exception("401 Client Error"),
        Exception("Unauthorized"),
        with_status(401, ValueError),
    ],
    ids=repr,
)
def test_a_key_that_is_not_accepted_is_said_and_not_tried_again(name: str, error: Exception) -> None:
    found = failure(name, error)
    assert str(found).startswith(f"FiftyOne's API at {URI} does not accept the key. Set `fiftyone:apiKey`")
    assert (type(found), found.again) == (FiftyOneError, False)


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize(
    "error",
    [
        *(carrier(403) for carrier in CARRIERS),
        Exception("403 Client Error"),
        Exception("Forbidden"),
        Exception("only an admin may"),
        PermissionError("permission denied"),
        with_status(403, ValueError),
    ],
    ids=repr,
)
def test_a_key_without_the_role_is_said_and_not_tried_again(name: str, error: Exception) -> None:
    found = failure(name, error)
    assert "accepts the key and refuses what it asks for: registering takes the Admin role" in str(found)
    assert (type(found), found.again) == (FiftyOneError, False)


LOST: Final = [
    ConnectionError("refused"),
    ConnectionResetError("reset"),
    BrokenPipeError("broken"),
    TimeoutError("took long"),
    socket.gaierror(-2, "Name or service not known"),
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("took long"),
    httpx.ReadTimeout("took long"),
    httpx.ReadError("cut"),
    httpx.RemoteProtocolError("cut"),
    requests.ConnectionError("refused"),
    requests.ConnectTimeout("took long"),
    requests.ReadTimeout("took long"),
    requests.exceptions.SSLError("cut"),
    requests.exceptions.ProxyError("no way"),
    requests.exceptions.ChunkedEncodingError("cut"),
    ssl.SSLCertVerificationError("not trusted"),
    http.client.IncompleteRead(b""),
    *(carrier(status) for carrier in CARRIERS for status in (408, 429, 500, 502, 503, 504)),
]


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_question_whose_answer_is_lost_is_worth_another_try(name: str, error: Exception) -> None:
    found = failure(name, error)
    assert (type(found), found.again) == (UnreachableError, True)
    assert f"FiftyOne's API at {URI} could not be reached to read" in str(found)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_change_whose_answer_is_lost_may_be_done_and_is_worth_another_try(name: str, error: Exception) -> None:
    found = failure(name, error)
    assert (type(found), found.again) == (UnknownOutcomeError, True)
    assert f"FiftyOne's API at {URI} could not be reached to" in str(found)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_status_that_is_worth_another_try_is_shown(carrier: Callable[[int], Exception]) -> None:
    assert "it answered 503" in str(failure("get_secret_info", carrier(503)))


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("error", [carrier(400) for carrier in CARRIERS], ids=repr)
def test_any_other_status_is_a_refusal_that_names_what_was_asked_for(name: str, error: Exception) -> None:
    found = failure(name, error)
    assert str(found).startswith("FiftyOne refused to ")
    assert ("KEY" in str(found)) is ("secret" in name)
    assert ("gpu" in str(found)) is ("orchestrator" in name)
    assert (type(found), found.again) == (FiftyOneError, False)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("error", [KeyError("created_at"), RuntimeError("no")], ids=repr)
def test_a_change_whose_answer_cannot_be_told_may_be_done_and_is_not_tried_again_at_once(
    name: str, error: Exception
) -> None:
    found = failure(name, error)
    assert (type(found), found.again) == (UnknownOutcomeError, False)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_the_sdk_refuses_by_a_value_error_is_a_refusal(name: str) -> None:
    found = failure(name, ValueError("config has no jobId"))
    assert (type(found), found.again) == (FiftyOneError, False)


# Calls that hang.


@pytest.fixture
def hanging() -> Iterator[Callable[..., None]]:
    """A function of the SDK that does not return while the test runs."""
    over = threading.Event()

    def hang(**_: object) -> None:
        over.wait()

    yield hang
    over.set()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_hangs_is_given_up_and_not_tried_again(name: str, hanging: Callable[..., None]) -> None:
    with pytest.raises(UnreachableError, match=r"took more than 0\.05 s to read .*, and was given up") as caught:
        QUESTIONS[name](adapter(seconds=0.05, **{name: hanging}))
    assert not caught.value.again


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_hangs_is_given_up_and_may_still_happen(name: str, hanging: Callable[..., None]) -> None:
    with pytest.raises(UnknownOutcomeError, match=r"took more than 0\.05 s to .*It may still happen\.") as caught:
        CHANGES[name](adapter(seconds=0.05, **{name: hanging}))
    assert not caught.value.again


def test_a_list_that_hangs_is_given_up_too(hanging: Callable[..., None]) -> None:
    sdk = adapter(seconds=0.05, get_orchestrator=ValueError("no"), list_orchestrators=hanging)
    with pytest.raises(UnreachableError, match="to list orchestrators"):
        sdk.orchestrator("gpu")


# What a failure shows.


def quoting(kind: type[Exception]) -> Exception:
    return kind(f"add_secret(key='KEY', value={VALUE!r}) failed")


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize(
    "error",
    [
        *(quoting(kind) for kind in (Exception, ValueError, KeyError, RuntimeError, ConnectionError, PermissionError)),
        *(carrier(status) for carrier in CARRIERS for status in (400, 401, 403, 409, 422, 503)),
        Exception(f"401 for {VALUE}"),
        Exception(f"403 for {VALUE}"),
    ],
    ids=repr,
)
def test_no_failure_shows_what_the_sdk_said_or_carries_its_exception(name: str, error: Exception) -> None:
    listed: dict[str, Any] = {"list_secrets": ["KEY"], "list_orchestrators": ["gpu"]}
    shown = failure(name, error, **listed)
    assert VALUE not in str(shown) + repr(shown) + repr(vars(shown))
    assert shown.__cause__ is None
    assert shown.__suppress_context__


def test_no_failure_of_a_call_that_hangs_carries_another(hanging: Callable[..., None]) -> None:
    for name in USES:
        with pytest.raises(FiftyOneError) as caught:
            USES[name](adapter(seconds=0.05, **{name: hanging}))
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_changes_answer_nothing_and_each_is_asked_for_once() -> None:
    for name, change in CHANGES.items():
        module = DocumentedModule(answers={name: document("OrchestratorDocument")})
        assert change(ManagementSdk(module, uri=URI, seconds=10)) is None
        assert [called for called, _ in module.calls] == [name]
