"""Operators are registered again when what decides on them changes, with the command that FiftyOne used."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from databricks.sdk.service.jobs import BaseRun
from pulumi.output import Unknown

from fiftyone_provider.client import Registration
from fiftyone_provider.operator_refresh import OperatorRefreshProvider
from fiftyone_provider.registration_history import NEWEST
from tests.unit.refresh_fakes import (
    COMMAND,
    DEFAULT,
    JOB,
    PROPS,
    FakeFiftyOne,
    FakeJobs,
    Fakes,
    create,
    past_run,
    registration,
    run,
    update,
)


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    return Fakes.installed(monkeypatch)


@pytest.fixture
def jobs(fakes: Fakes) -> FakeJobs:
    return fakes.jobs


@pytest.fixture
def fiftyone(fakes: Fakes) -> FakeFiftyOne:
    return fakes.fiftyone


def diff(**changed: Any) -> Any:
    return OperatorRefreshProvider().diff("gpu", {**PROPS, "knownCommand": COMMAND}, {**PROPS, **changed})


def commands(jobs: FakeJobs) -> list[str]:
    return [each["job_parameters"]["command"] for each in jobs.started]


# The registration has to be in place.


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "no such orchestrator"),
        (registration("0badf00d"), "another one"),
        (replace(registration("c0ffee"), description="made by hand"), "another one"),
    ],
)
@pytest.mark.parametrize("step", [create, lambda: update(COMMAND)])
def test_nothing_runs_unless_the_registration_is_in_place(
    jobs: FakeJobs, fiftyone: FakeFiftyOne, found: Registration | None, why: str, step: Callable[[], Any]
) -> None:
    jobs.history, fiftyone.found = [past_run(COMMAND)], found
    with pytest.raises(RuntimeError, match=rf"registration of gpu is not in place.*{why}.*run `make up` again"):
        step()
    assert not jobs.started


# Which command.


def test_a_new_orchestrator_is_to_be_refreshed_by_hand(jobs: FakeJobs, capsys: pytest.CaptureFixture[str]) -> None:
    jobs.history = [past_run(DEFAULT)]
    assert create() == {**PROPS, "knownCommand": ""}
    assert not jobs.started
    shown = capsys.readouterr().out
    assert shown.count("Runs page") == shown.count("\n") == 1
    assert "later changes find the command" in shown


def test_the_command_found_in_the_history_is_run_and_kept(jobs: FakeJobs) -> None:
    jobs.history = [past_run(COMMAND), past_run("fiftyone older")]
    assert create()["knownCommand"] == COMMAND
    (started,) = jobs.started
    assert started.pop("idempotency_token")
    assert started == {"job_id": JOB, "only": ["register_task"], "job_parameters": {"command": COMMAND}}


@pytest.mark.parametrize(
    "other",
    [
        past_run("fiftyone delegated execute", tasks=["execute_task"]),
        past_run("fiftyone both", tasks=["execute_task", "register_task"]),
        past_run("fiftyone failed", code="RUN_EXECUTION_ERROR"),
        past_run("fiftyone half", code="SUCCESS_WITH_FAILURES"),
        past_run(DEFAULT, default=""),
        past_run("fiftyone --help", default="fiftyone --help"),
        past_run(""),
        past_run(None),
        BaseRun(),
    ],
    ids=["execution", "both tasks", "failed", "half", "default", "earlier default", "empty", "none", "bare"],
)
def test_a_run_that_registered_nothing_tells_no_command(jobs: FakeJobs, other: BaseRun) -> None:
    jobs.history = [other, past_run(COMMAND)]
    assert update("")["knownCommand"] == COMMAND
    assert commands(jobs) == [COMMAND]


@pytest.mark.parametrize("idle", ["DISABLED", "SKIPPED"])
def test_a_task_that_did_not_run_is_no_part_of_a_run(jobs: FakeJobs, idle: str) -> None:
    jobs.history = [past_run(COMMAND, tasks=["idle", "register_task"], idle=idle)]
    assert create()["knownCommand"] == COMMAND


def test_the_history_is_read_no_further_than_needed_and_never_without_end(jobs: FakeJobs) -> None:
    jobs.history = [past_run(COMMAND), *[past_run(DEFAULT)] * 2 * NEWEST]
    create()
    assert jobs.read == 1
    jobs.history, jobs.read = jobs.history[1:], 0
    assert create()["knownCommand"] == ""
    assert jobs.read == NEWEST


def test_a_known_command_outlives_the_history(jobs: FakeJobs) -> None:
    assert update(COMMAND)["knownCommand"] == COMMAND
    assert commands(jobs) == [COMMAND]
    assert jobs.read == 0


def test_the_setting_goes_before_what_is_known_and_leaves_it_as_it_is(jobs: FakeJobs) -> None:
    jobs.history = [past_run("fiftyone other")]
    for known in ("", COMMAND):
        assert update(known, command="fiftyone set")["knownCommand"] == known
    assert commands(jobs) == ["fiftyone set"] * 2
    assert jobs.read == 0


def test_the_history_of_a_shared_task_is_not_looked_at(jobs: FakeJobs, capsys: pytest.CaptureFixture[str]) -> None:
    jobs.history = [past_run(COMMAND)]
    assert create(ownTask=False)["knownCommand"] == ""
    assert (jobs.read, jobs.started) == (0, [])
    assert "`orchestrators.gpu.registrationCommand`" in capsys.readouterr().out
    create(ownTask=False, command="fiftyone set", taskKey="execute_task")
    assert commands(jobs) == ["fiftyone set"]
    assert jobs.started[0]["only"] == ["execute_task"]


def test_the_command_is_shown_nowhere(jobs: FakeJobs, capsys: pytest.CaptureFixture[str]) -> None:
    update(COMMAND)
    diff(command=COMMAND)
    jobs.looks = [run("TERMINATED", "RUN_EXECUTION_ERROR", result="FAILED")]
    with pytest.raises(RuntimeError) as raised:
        update(COMMAND)
    assert COMMAND not in str(raised.value) + capsys.readouterr().out


# When.


def test_nothing_changed_is_no_change_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert diff().changes is False
    assert diff(timeoutMinutes=5.0).changes is False
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"registration": "new"}, "registration"),
        ({"registration": Unknown()}, "registration"),
        ({"jobId": Unknown()}, "job"),
        ({"taskKey": "execute_task"}, "registration task"),
        ({"command": "fiftyone set"}, "registration command"),
        ({"triggers": Unknown()}, "triggers"),
        ({"triggers": {"plugins": Unknown(), "FiftyOne version": "2.13.1"}}, "plugins"),
        ({"triggers": {"plugins": "bbb", "FiftyOne version": "2.14.0"}}, "FiftyOne version, plugins"),
        ({"triggers": {"plugins": "aaa", "FiftyOne version": "2.13.1", "entrypoint": "e"}}, "entrypoint"),
        ({"triggers": {"plugins": "aaa"}}, "FiftyOne version"),
        ({"registration": "new", "jobId": "56"}, "registration, job"),
    ],
)
def test_a_change_is_one_update_and_says_why(
    changed: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = diff(**changed)
    assert (found.changes, found.replaces) == (True, [])
    assert capsys.readouterr().out == f"operators of gpu are refreshed: {reason} changed\n"


def test_another_orchestrator_is_another_refresh() -> None:
    found = diff(instanceId="cpu")
    assert (found.changes, found.replaces) == (True, ["instanceId"])


def test_the_outputs_of_a_step_are_no_change_to_the_next(jobs: FakeJobs) -> None:
    jobs.history = [past_run(COMMAND)]
    assert OperatorRefreshProvider().diff("gpu", create(), dict(PROPS)).changes is False
    assert OperatorRefreshProvider().diff("gpu", update(COMMAND), dict(PROPS)).changes is False


def test_reading_keeps_the_state() -> None:
    props = {**PROPS, "knownCommand": COMMAND}
    found = OperatorRefreshProvider().read("gpu", props)
    assert (found.id, found.outs) == ("gpu", props)


def test_a_plan_says_where_a_refresh_is_to_be_done_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    OperatorRefreshProvider().diff("gpu", {**PROPS, "knownCommand": ""}, {**PROPS, "jobId": "56"})
    assert "need a refresh, by hand unless the job's history tells the command: job changed" in capsys.readouterr().out


def test_a_command_that_was_found_is_not_run_by_the_task_that_executes(jobs: FakeJobs, fiftyone: FakeFiftyOne) -> None:
    outs = OperatorRefreshProvider().update("gpu", {**PROPS, "knownCommand": COMMAND}, {**PROPS, "ownTask": False}).outs
    assert jobs.started == []
    assert (outs or {})["knownCommand"] == COMMAND
