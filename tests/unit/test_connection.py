"""A plan asks FiftyOne where it can, says once where it cannot, and goes by configuration before the environment."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from fiftyone_provider.client import FiftyOne, FiftyOneError, SecretInfo, UnreachableError
from fiftyone_provider.connection import FiftyOneConnection, NotLookedError
from tests.unit.management_signatures import DocumentedModule, document

URI: Final = "https://api.example.com"
KEY: Final = "s3cr3t-key"
COMPLETE: Final = {"apiUri": URI, "apiKey": KEY, "managementModule": "fakeone_management"}
SAID: Final = "FiftyOne was not asked what stands there"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `FIFTYONE_*` at first; what loading does to them is undone afterwards. Nothing waits."""
    ours = {"FIFTYONE_API_URI", "FIFTYONE_API_KEY", "FIFTYONE_CONFIG_PATH"}
    for name in ours | {name for name in os.environ if name.startswith("FIFTYONE_")}:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> DocumentedModule:
    """The module that the configuration names."""
    module = DocumentedModule(answers={"get_secret_info": document("FiftyOneSecret", key="KEY", description="text")})
    monkeypatch.setitem(sys.modules, COMPLETE["managementModule"], module)  # pyright: ignore[reportArgumentType]
    return module


def connection(**config: str) -> FiftyOneConnection:
    made = FiftyOneConnection()
    made.configure(ConfigureRequest(Config({f"fiftyone:{name}": value for name, value in config.items()}, "project")))
    return made


def secret(client: FiftyOne) -> SecretInfo | None:
    return client.secret("KEY")


def test_what_can_be_asked_is_asked_and_nothing_is_said(
    sdk: DocumentedModule, capsys: pytest.CaptureFixture[str]
) -> None:
    found = connection(**COMPLETE)
    assert found.look(secret) == SecretInfo(key="KEY", description="text")
    assert found.client is found.client
    assert capsys.readouterr().out == ""


def test_without_a_key_it_is_said_once_and_nothing_is_loaded_or_asked(
    sdk: DocumentedModule, capsys: pytest.CaptureFixture[str]
) -> None:
    found = connection(apiUri=URI, managementModule=COMPLETE["managementModule"])
    for _ in range(3):
        with pytest.raises(NotLookedError):
            found.look(secret)
    said = capsys.readouterr().out
    assert said.count(SAID) == 1
    assert "`fiftyone:apiKey` or FIFTYONE_API_KEY" in said
    assert (sdk.used, sdk.calls) == (set(), [])
    assert "FIFTYONE_CONFIG_PATH" not in os.environ


def test_what_is_out_of_reach_is_said_once_and_not_asked_again(
    sdk: DocumentedModule, capsys: pytest.CaptureFixture[str]
) -> None:
    sdk.answers["get_secret_info"] = ConnectionError(KEY)
    found = connection(**COMPLETE)
    with pytest.raises(NotLookedError):
        found.look(secret)
    asked = len(sdk.calls)
    assert asked > 1
    for _ in range(2):
        with pytest.raises(NotLookedError):
            found.look(secret)
    assert len(sdk.calls) == asked
    said = capsys.readouterr().out
    assert said.count(SAID) == 1
    assert URI in said
    assert KEY not in said


def test_calls_at_once_say_once_that_it_is_out_of_reach(
    sdk: DocumentedModule, capsys: pytest.CaptureFixture[str]
) -> None:
    together = threading.Barrier(4, timeout=10)
    found = connection(**COMPLETE)

    def question(_: FiftyOne) -> None:
        together.wait()
        raise UnreachableError("no way")

    def not_looked(_: int) -> bool:
        with pytest.raises(NotLookedError):
            found.look(question)
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(not_looked, range(4)))
    assert capsys.readouterr().out.count(SAID) == 1


def test_out_of_reach_is_an_error_where_a_run_before_may_have_left_something(
    sdk: DocumentedModule, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOK_FOR_LEFT_OVERS", "yes")
    sdk.answers["get_secret_info"] = ConnectionError(KEY)
    found = connection(**COMPLETE)
    for _ in range(2):
        with pytest.raises(UnreachableError) as raised:
            found.look(secret)
        assert KEY not in str(raised.value)
    assert capsys.readouterr().out == ""


def test_an_answer_that_comes_at_another_attempt_is_the_answer(
    sdk: DocumentedModule, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(**_: object) -> Any:
        if len(sdk.calls) < 3:
            raise ConnectionError
        return None

    sdk.answers["get_secret_info"] = answer
    assert connection(**COMPLETE).look(secret) is None
    assert capsys.readouterr().out == ""


def test_a_key_that_is_refused_is_an_error_each_time(sdk: DocumentedModule, capsys: pytest.CaptureFixture[str]) -> None:
    sdk.answers["get_secret_info"] = Exception("401 Unauthorized")
    found = connection(**COMPLETE)
    for _ in range(2):
        with pytest.raises(FiftyOneError, match="does not accept the key"):
            found.look(secret)
    assert len(sdk.calls) == 2
    assert capsys.readouterr().out == ""


def test_an_sdk_that_is_missing_is_an_error() -> None:
    with pytest.raises(FiftyOneError, match="fakeone_management, is not installed"):
        connection(**COMPLETE).look(secret)


@pytest.mark.parametrize("lacking", ["apiUri", "apiKey"])
def test_a_change_needs_address_and_key(sdk: DocumentedModule, lacking: str) -> None:
    config = {name: value for name, value in COMPLETE.items() if name != lacking}
    with pytest.raises(FiftyOneError, match=f"fiftyone:{lacking} is missing"):
        _ = connection(**config).client


def test_the_environment_gives_what_configuration_does_not(
    sdk: DocumentedModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIFTYONE_API_URI", "https://environment.example.com")
    monkeypatch.setenv("FIFTYONE_API_KEY", "of-the-environment")
    assert connection(managementModule=COMPLETE["managementModule"]).look(secret) is not None
    assert os.environ["FIFTYONE_API_URI"] == "https://environment.example.com"
    assert os.environ["FIFTYONE_API_KEY"] == "of-the-environment"


def test_configuration_wins_over_the_environment(sdk: DocumentedModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIFTYONE_API_URI", "https://environment.example.com")
    monkeypatch.setenv("FIFTYONE_API_KEY", "of-the-environment")
    sdk.answers["get_secret_info"] = Exception("401")
    with pytest.raises(FiftyOneError, match=f"FiftyOne's API at {URI} does not accept the key"):
        connection(**COMPLETE).look(secret)
    assert (os.environ["FIFTYONE_API_URI"], os.environ["FIFTYONE_API_KEY"]) == (URI, KEY)


def test_the_configured_time_is_how_long_a_call_may_take(sdk: DocumentedModule) -> None:
    over = threading.Event()
    sdk.answers["get_secret_info"] = lambda **_: over.wait()
    try:
        with pytest.raises(UnreachableError, match=r"more than 0\.05 s"):
            secret(connection(**COMPLETE, timeoutSeconds="0.05").client)
    finally:
        over.set()


def test_a_provider_that_was_not_configured_has_no_connection() -> None:
    with pytest.raises(RuntimeError, match="the engine configures a provider"):
        _ = FiftyOneConnection().client
