"""Operators are refreshed when what decides on them changes, by the command that FiftyOne itself used, and not else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.fiftyone import INSTANCE, REPORT, FiftyOne, write_operators
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace


def runs(stack: Stack) -> int:
    """How many runs of the job there have been."""
    job_id = int(stack.outputs()["orchestrators"][INSTANCE]["jobId"])
    return len(list(stack.workspace.client.jobs.list_runs(job_id=job_id)))


def operators(fiftyone: FiftyOne) -> list[str]:
    return sorted(fiftyone.orchestrator()["available_operators"])


def test_before_the_first_refresh_it_says_what_to_click_and_then_goes_by_itself(
    new_stack: Callable[..., Stack], fiftyone: FiftyOne, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    assert "open the Runs page in FiftyOne, choose the orchestrator gpu" in stack.up().output
    assert runs(stack) == 0
    assert "Runs page" not in stack.up("--expect-no-changes").output
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    assert operators(fiftyone) == ["@example/hello/first"]
    write_operators(source, "first", "second")
    shown = stack.up().output
    assert "operators of gpu need a refresh, by hand unless the job's history tells the command: plugins" in shown
    assert "FiftyOne lists these operators of gpu: @example/hello/first, @example/hello/second" in shown
    assert operators(fiftyone) == ["@example/hello/first", "@example/hello/second"]
    count = runs(stack)
    stack.orchestrator(maxCapacity=9, idleMinutes=5)
    stack.up()
    stack.up("--expect-no-changes")
    assert runs(stack) == count
    # The job's history goes with the job; the command that was found stays.
    stack.workspace.client.jobs.delete(int(stack.outputs()["orchestrators"][INSTANCE]["jobId"]))
    stack.succeeds("refresh", "--yes", "--run-program")
    write_operators(source, "third")
    assert "operators of gpu are refreshed: job, plugins" in stack.up().output.replace("registration, ", "")
    assert operators(fiftyone) == ["@example/hello/third"]


def test_without_a_task_of_its_own_only_the_setting_tells_the_command(
    new_stack: Callable[..., Stack], fiftyone: FiftyOne, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)}, orchestrators={INSTANCE: {"nodeType": "c3-standard-4-lssd"}})
    assert "orchestrators.gpu.registrationCommand" in stack.up().output
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    write_operators(source, "second")
    stack.up()
    assert operators(fiftyone) == ["@example/hello/first"]
    stack.orchestrator(registrationCommand=REPORT)
    stack.up()
    assert operators(fiftyone) == ["@example/hello/second"]


@pytest.mark.parametrize(
    ("command", "minutes", "said"),
    [
        ("fiftyone stand-in exit 3", 1, "The run that registers the operators of gpu failed"),
        ("fiftyone stand-in sleep 600", 0.03, "had not ended after 0.03 minutes"),
    ],
)
def test_a_refresh_run_that_fails_or_hangs_is_said_with_its_log_and_tried_again(
    new_stack: Callable[..., Stack], fiftyone: FiftyOne, source: Path, command: str, minutes: float, said: str
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.orchestrator(registrationCommand=command, registrationTimeoutMinutes=minutes)
    for _ in range(2):
        run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
        assert run.code != 0
        assert said in run.output
        assert "stand-in for the FiftyOne CLI" in run.output
        assert f"{stack.workspace.address}/?o=" in run.output
        assert "Traceback" not in run.output
    active = stack.workspace.client.jobs.list_runs(active_only=True)
    assert list(active) == []
    stack.orchestrator(registrationCommand=REPORT, registrationTimeoutMinutes=5)
    stack.up()
    assert operators(fiftyone) == ["@example/hello/first"]


def test_a_refresh_run_that_somebody_cancels_is_said_and_tried_again(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    import threading
    import time

    stack = new_stack(plugins={"source": str(source)})
    stack.orchestrator(registrationCommand="fiftyone stand-in sleep 600")
    client = workspace.client
    gone = threading.Event()

    def cancel() -> None:
        while not gone.is_set():
            for run in client.jobs.list_runs(active_only=True):
                client.jobs.cancel_run(run.run_id or 0)
            time.sleep(0.2)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    finally:
        gone.set()
        canceller.join()
    assert run.code != 0
    assert "was cancelled" in run.output
    stack.orchestrator(registrationCommand=REPORT)
    stack.up()
