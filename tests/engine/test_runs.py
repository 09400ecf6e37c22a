"""What was deployed runs: with the environment and the plugins of the settings, and never with anything else."""

import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.errors import OperationFailed
from databricks.sdk.errors.base import DatabricksError

from tests.engine.stack import SECRETS, Stack
from tests.engine.workspace import Workspace
from tests.unit.test_job import AWKWARD

FIRST = "execute_task"


class Job:
    """A deployed job, as whoever has its id meets it."""

    def __init__(self, stack: Stack, instance_id: str = "gpu") -> None:
        self.client = stack.workspace.client
        self.job_id = int(stack.outputs()["orchestrators"][instance_id]["jobId"])

    def start(self, command: str | None = None, **options: Any) -> Any:
        """Start a run of the execution task, unless `only` says otherwise; `.result()` waits for its end."""
        parameters = {"command": command} if command else None
        return self.client.jobs.run_now(self.job_id, job_parameters=parameters, **{"only": [FIRST], **options})

    def log(self, run_id: int, task: str = FIRST) -> str:
        run = self.client.jobs.get_run(run_id)
        (task_run,) = [found for found in run.tasks or [] if found.task_key == task]
        try:
            return self.client.jobs.get_run_output(task_run.run_id or 0).logs or ""
        except DatabricksError:
            return ""

    def run(self, command: str | None = None) -> str:
        """Run a command to its success; its log."""
        return self.log(self.start(command).result().run_id)

    def value(self, name: str) -> Any:
        """An environment variable as the command finds it."""
        return json.loads(self.run(f"fiftyone stand-in env {name}").splitlines()[-1])


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Ask until it holds; the test fails if it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline


def test_the_job_runs_with_its_default_command_and_its_log_is_there_to_read(deployed: Stack) -> None:
    assert "FiftyOne stand-in" in Job(deployed).run()


def test_a_run_that_names_no_task_runs_both_with_the_same_command(deployed: Stack) -> None:
    job = Job(deployed)
    run = job.start("fiftyone plugins list", only=None).result()
    assert sorted(task.task_key for task in run.tasks) == [FIRST, "register_task"]
    assert all("stand-in for the FiftyOne CLI" in job.log(run.run_id, task.task_key) for task in run.tasks)


def test_awkward_values_and_secrets_arrive_as_they_stand_in_the_settings(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    stack = new_stack(orchestrators={"gpu": {"nodeType": "x", "env": {"AWKWARD": AWKWARD}}})
    stack.secret("secretEnv.AWKWARD_SECRET", "hidden 'quoted' \"twice\" $HOME `date` \\ é")
    stack.up()
    job = Job(stack)
    assert job.value("AWKWARD") == AWKWARD
    assert job.value("FIFTYONE_INTERNAL_SERVICE") == "1"
    # A secret's value reaches the command; the platform shows it to nobody.
    assert "[REDACTED]" in job.run("fiftyone stand-in env FIFTYONE_ENCRYPTION_KEY")
    everything = "".join(file.read_text(errors="replace") for file in (workspace.home / "runs").rglob("log"))
    for secret in (*SECRETS.values(), "hidden 'quoted'"):
        assert secret not in everything


def test_a_run_keeps_the_plugins_it_began_with_through_a_deployment(
    new_stack: Callable[..., Stack], source: Path, tmp_path: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.orchestrator(allowedCommands=["fiftyone", "sh"])
    stack.up()
    job = Job(stack)
    assert "@example/hello/first" in job.run("fiftyone operators list")
    go_on = tmp_path / "go-on"
    script = f"echo waiting; until [ -e '{go_on}' ]; do sleep 0.05; done; fiftyone operators list"
    waiting = job.start(f"sh -c {shlex.quote(script)}")
    until(lambda: "waiting" in job.log(waiting.run_id))
    (source / "hello" / "fiftyone.yml").write_text('name: "@example/hello"\noperators: [second]\n')
    stack.up()
    assert "@example/hello/second" in job.run("fiftyone operators list")
    go_on.touch()
    assert "@example/hello/first" in job.log(waiting.result().run_id)


def test_an_archive_that_was_changed_in_the_workspace_is_refused_by_the_run(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    from databricks.sdk.service.workspace import ImportFormat

    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    path = stack.outputs()["pluginsDir"]
    workspace.client.workspace.upload(path, b"something else", format=ImportFormat.RAW, overwrite=True)
    run = Job(stack).start("fiftyone plugins list")
    with pytest.raises(OperationFailed):
        run.result()
    log = Job(stack).log(run.run_id)
    assert "are not those that were deployed" in log
    assert "stand-in for the FiftyOne CLI" not in log


def test_ten_runs_at_once_are_never_more_at_a_time_than_the_settings_allow_and_all_end(deployed: Stack) -> None:
    # Three is what the settings allow that say nothing of it (test_lifecycle.py).
    job = Job(deployed)
    started = [job.start("fiftyone stand-in sleep 0.2") for _ in range(10)]
    runs = [entry.result() for entry in started]
    spans = [(run.tasks[0].start_time, run.tasks[0].end_time) for run in runs]
    for begin, _ in spans:
        assert sum(start <= begin < end for start, end in spans) <= 3


def test_the_commands_exit_code_fails_the_run(deployed: Stack) -> None:
    run = Job(deployed).start("fiftyone stand-in exit 7")
    with pytest.raises(OperationFailed):
        run.result()
