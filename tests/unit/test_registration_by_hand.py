"""An orchestrator that somebody registered by hand stays as it stands where it is what would be registered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fiftyone_provider.client import Registration
from fiftyone_provider.connection import CONNECTION
from fiftyone_provider.mark import parsed
from fiftyone_provider.orchestrator import OrchestratorProvider
from tests.unit.fiftyone_fake import MARK, Engine, FakeFiftyOne, Wanted

BY_HAND = Registration(
    instance_id="gpu",
    description="Runs",
    environment="databricks",
    config={"jobId": "1", "executionTaskId": "execute_task"},
    secrets={"clientSecret": "CLIENT_SECRET_GPU"},
    operators=("@example/hello/first",),
    created_at="2026-01-02T03:04:05+00:00",
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """FiftyOne as a person left it, whose secret was handed over to the stack."""
    fiftyone = FakeFiftyOne(
        secrets={"CLIENT_SECRET_GPU": ("hidden-one", f"by hand [pulumi-stack: {MARK}]")},
        orchestrators={"gpu": BY_HAND},
    )
    yield Engine(fiftyone)
    CONNECTION._client = None


def registrations(engine: Engine) -> list[str]:
    """What was done to the registration."""
    return [call for call in engine.fiftyone.writes if call.split()[0] in ("register", "delete_orchestrator")]


def test_what_is_alike_down_to_the_job_stays_as_it_stands_and_the_next_up_changes_nothing(engine: Engine) -> None:
    for _ in range(2):
        assert engine.up(Wanted()) == ""
        assert engine.fiftyone.orchestrators == {"gpu": BY_HAND}
    assert engine.fiftyone.writes == ["update_secret_value CLIENT_SECRET_GPU"]


@pytest.mark.parametrize(
    "other",
    [
        {"description": "Other"},
        {"config": {**BY_HAND.config, "jobId": "2"}},
        {"secrets": {"clientSecret": "ANOTHER"}},
        {"description": "Runs [pulumi-stack: fiftyone-databricks/other/gpu]"},
        {"created_at": ""},
    ],
)
def test_what_differs_or_is_another_stacks_or_cannot_be_told_again_is_left_and_stops(
    engine: Engine, other: dict[str, Any]
) -> None:
    there = replace(BY_HAND, **other)
    engine.fiftyone.orchestrators["gpu"] = there
    assert "FiftyOne has an orchestrator gpu already, without the mark of this stack" in engine.up(Wanted())
    assert engine.fiftyone.orchestrators == {"gpu": there}


def test_the_message_names_what_would_have_to_agree(engine: Engine) -> None:
    assert "let description agree" in engine.up(Wanted(description="Another text"))


def test_the_next_true_change_registers_it_anew_with_the_stacks_mark(engine: Engine) -> None:
    assert engine.up(Wanted()) == ""
    assert engine.up(Wanted(description="Changed")) == ""
    assert registrations(engine) == ["delete_orchestrator gpu", "register gpu"]
    there = parsed(engine.fiftyone.orchestrators["gpu"].description)
    assert (there.text, there.mark) == ("Changed", MARK)
    assert there.token == engine.state["orchestrator"]["token"]


def test_a_rotated_secret_leaves_it_alone(engine: Engine) -> None:
    assert engine.up(Wanted()) == ""
    assert engine.up(Wanted(client_secret="hidden-two")) == ""
    assert registrations(engine) == []


def test_one_that_was_made_since_is_not_taken_for_it(engine: Engine) -> None:
    assert engine.up(Wanted()) == ""
    another = replace(BY_HAND, created_at="2026-02-02T03:04:05+00:00")
    engine.fiftyone.orchestrators["gpu"] = another
    engine.refresh()
    assert "without the mark of this stack" in engine.up(Wanted())
    engine.up(None)
    assert engine.fiftyone.orchestrators == {"gpu": another}


def test_destroying_the_stack_deletes_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine.up(Wanted()) == ""
    # Another run than the one that took it over.
    monkeypatch.setattr("fiftyone_provider.registering._ADOPTED", set())
    assert engine.up(None) == ""
    assert engine.fiftyone.orchestrators == {}


def test_a_refresh_sees_nothing_in_it_and_sees_one_that_was_made_since(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert engine.up(Wanted()) == ""
    state = engine.state["orchestrator"]
    assert OrchestratorProvider().read("gpu", state).outs == state
    assert capsys.readouterr().out == ""
    engine.fiftyone.orchestrators["gpu"] = replace(BY_HAND, created_at="2026-02-02T03:04:05+00:00")
    assert OrchestratorProvider().read("gpu", state).outs == {**state, "settled": False}
    assert "was made anew in FiftyOne, and is not this stack's any more" in capsys.readouterr().out
