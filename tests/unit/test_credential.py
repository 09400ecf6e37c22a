"""The stack's credential: one secret a rotation, and none deleted that FiftyOne may use."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from databricks.sdk.errors import NotFound, ResourceExhausted

from databricks_provider import credential
from databricks_provider.credential import CredentialProvider, CredentialRetentionProvider

MADE = datetime(2026, 1, 1, tzinfo=UTC)
PRINCIPAL = "1001"
INPUTS = {"principalId": PRINCIPAL, "rotateAfterDays": 60.0}


class Secrets:
    """A service principal's secrets, as databricks-sdk has them."""

    def __init__(self) -> None:
        self.there: list[str] = []
        self.lifetimes: list[str] = []
        self.made = 0

    def create(self, principal: str, *, lifetime: str) -> Any:
        if len(self.there) >= 5:
            raise ResourceExhausted("no more than five secrets")
        self.made += 1
        self.there.append(f"id-{self.made}")
        self.lifetimes.append(lifetime)
        return SimpleNamespace(
            id=f"id-{self.made}",
            create_time=MADE.isoformat(),
            expire_time=(MADE + timedelta(days=127)).isoformat(),
            secret=f"hidden-{self.made}",
        )

    def list(self, principal: str) -> Any:
        if principal != PRINCIPAL:
            raise NotFound("no such principal")
        return iter([SimpleNamespace(id=secret) for secret in self.there])

    def delete(self, principal: str, secret_id: str) -> None:
        self.there.remove(secret_id)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    secrets = Secrets()
    connection = SimpleNamespace(client=SimpleNamespace(service_principal_secrets_proxy=secrets))
    monkeypatch.setattr(credential, "CONNECTION", connection)
    for variable in ("ROTATE_CREDENTIAL", "ROTATION_CLOCK", "LOOK_FOR_LEFT_OVERS"):
        monkeypatch.delenv(variable, raising=False)
    yield secrets


def day(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("ROTATION_CLOCK", (MADE + timedelta(days=number)).isoformat())


def test_a_credential_is_one_secret_that_lasts_two_periods_and_a_week(secrets: Secrets) -> None:
    outs = CredentialProvider().create(INPUTS).outs
    assert outs is not None
    assert (outs["secretId"], outs["value"]) == ("id-1", "hidden-1")
    assert secrets.lifetimes == [f"{127 * 86400}s"]


def test_it_is_made_anew_when_due_and_the_one_before_is_left(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = CredentialProvider()
    state = provider.create(INPUTS).outs or {}
    day(monkeypatch, 59)
    assert not provider.diff("x", state, INPUTS).changes
    assert "59 of 60 days old, ends on 2026-05-08" in capsys.readouterr().out
    day(monkeypatch, 60)
    found = provider.diff("x", state, INPUTS)
    assert found.changes
    assert not found.replaces
    assert "hidden" not in capsys.readouterr().out
    assert (provider.update("x", state, INPUTS).outs or {})["secretId"] == "id-2"
    assert secrets.there == ["id-1", "id-2"]


def test_another_service_principal_gets_a_credential_of_its_own(secrets: Secrets) -> None:
    provider = CredentialProvider()
    state = provider.create(INPUTS).outs or {}
    assert provider.diff("x", state, {**INPUTS, "principalId": "1002"}).replaces == ["principalId"]


def test_a_secret_that_is_gone_shows_as_such_and_so_does_one_of_a_principal_that_is(
    secrets: Secrets, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = CredentialProvider()
    state = provider.create(INPUTS).outs or {}
    assert provider.read("x", state).id == "x"
    assert provider.read("x", {**state, "principalId": "gone"}).id == ""
    secrets.there.clear()
    assert provider.read("x", state).id == ""
    assert "was deleted in Databricks, or has ended" in capsys.readouterr().out


def test_a_sixth_secret_is_refused_with_what_to_do(secrets: Secrets) -> None:
    secrets.there = [f"old-{number}" for number in range(5)]
    with pytest.raises(RuntimeError, match=r"has 5 OAuth secrets.*ROTATE_CREDENTIAL=never make up"):
        CredentialProvider().create(INPUTS)


def test_another_refusal_is_the_platforms_own(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(principal: str, *, lifetime: str) -> None:
        raise NotFound("no such principal")

    monkeypatch.setattr(secrets, "create", refused)
    with pytest.raises(NotFound, match="no such principal"):
        CredentialProvider().create(INPUTS)


def retention(*needed: str) -> dict[str, Any]:
    return {"principalId": PRINCIPAL, "needed": list(needed)}


def test_what_fiftyone_holds_and_what_it_held_before_are_kept_and_all_else_goes(secrets: Secrets) -> None:
    secrets.there = ["a", "b", "nobody-can-read", "c"]
    CredentialRetentionProvider().update("x", retention("b", "a"), retention("c", "b"))
    assert secrets.there == ["b", "c"]


def test_what_an_interruption_left_goes_when_it_is_looked_for_and_nothing_else_does(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, state = CredentialRetentionProvider(), retention("b", "a")
    assert not provider.diff("x", state, state).changes
    monkeypatch.setenv("LOOK_FOR_LEFT_OVERS", "yes")
    assert provider.diff("x", state, state).changes
    secrets.there = ["a", "b", "nobody-can-read"]
    provider.update("x", state, state)
    assert secrets.there == ["a", "b"]


def test_the_first_time_nothing_was_held_before(secrets: Secrets) -> None:
    secrets.there = ["of-an-interrupted-create", "a"]
    CredentialRetentionProvider().create(retention("a", ""))
    assert secrets.there == ["a"]


def test_another_principal_or_other_secrets_ask_for_a_look() -> None:
    provider, state = CredentialRetentionProvider(), retention("b", "a")
    assert provider.diff("x", {**state, "principalId": "gone"}, state).changes
    assert provider.diff("x", state, retention("c", "b")).changes
