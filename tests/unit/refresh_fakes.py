"""What the tests of the operator refresh share: both clients, time, and the two steps, without engine or servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

import pytest
from databricks.sdk.service.jobs import (
    BaseRun,
    Job,
    JobParameter,
    JobParameterDefinition,
    JobSettings,
    Run,
    RunLifecycleStateV2State,
    RunOutput,
    RunResultState,
    RunState,
    RunStatus,
    RunTask,
    TerminationCodeCode,
    TerminationDetails,
)

from fiftyone_provider import operator_refresh, registration_run
from fiftyone_provider.client import Registration
from fiftyone_provider.operator_refresh import OperatorRefreshProvider

JOB, RUN, TASK_RUN, URL = 55, 77, 78, "https://dbx.example.com/?o=1#job/55/run/77"
DEFAULT, COMMAND = "fiftyone --version", "fiftyone orchestrators register gpu"
PROPS: dict[str, Any] = {
    "instanceId": "gpu",
    "jobId": str(JOB),
    "taskKey": "register_task",
    "ownTask": True,
    "command": "",
    "registration": "c0ffee",
    "triggers": {"plugins": "aaa", "FiftyOne version": "2.13.1"},
    "timeoutMinutes": 30.0,
}


def status(state: str, code: str = "", message: str = "") -> RunStatus:
    details = TerminationDetails(TerminationCodeCode(code), message) if code else None
    return RunStatus(state=RunLifecycleStateV2State(state), termination_details=details)


def run(state: str, code: str = "", message: str = "", *, result: str = "", task: str = "") -> Run:
    return Run(
        run_id=RUN,
        run_page_url=URL,
        status=status(state, code, message),
        state=RunState(result_state=RunResultState(result)) if result else None,
        tasks=[RunTask(task_key="register_task", run_id=TASK_RUN, status=status(task or state))],
    )


def past_run(
    value: str | None,
    *,
    tasks: Sequence[str] = ("register_task",),
    code: str = "SUCCESS",
    idle: str = "",
    default: str = DEFAULT,
) -> BaseRun:
    ran = [RunTask(task_key=key, status=status("TERMINATED", idle if key == "idle" else code)) for key in tasks]
    parameters = [JobParameter(name="other", value="x"), JobParameter(name="command", value=value, default=default)]
    return BaseRun(status=status("TERMINATED", code), tasks=ran, job_parameters=parameters)


class FakeJobs:
    """The Jobs API: a history, and looks at one run of which the last repeats."""

    def __init__(self) -> None:
        self.history: list[BaseRun] = []
        self.looks: list[Run | Exception] = [run("TERMINATED", "SUCCESS", result="SUCCESS")]
        self.output: RunOutput | Exception = RunOutput(logs="")
        self.refused: Exception | None = None
        self.cancel_refused: Exception | None = None
        self.started: list[dict[str, Any]] = []
        self.cancelled: list[int] = []
        self.looked = 0
        self.read = 0

    def get(self, job_id: int) -> Job:
        assert job_id == JOB
        return Job(settings=JobSettings(parameters=[JobParameterDefinition("command", DEFAULT)]))

    def list_runs(self, *, job_id: int, completed_only: bool, expand_tasks: bool) -> Any:
        assert job_id == JOB
        assert completed_only
        assert expand_tasks
        for each in self.history:
            self.read += 1
            yield each

    def run_now(self, job_id: int, **arguments: Any) -> Any:
        if self.refused:
            raise self.refused
        self.started.append({"job_id": job_id, **arguments})
        return SimpleNamespace(run_id=RUN)

    def get_run(self, run_id: int) -> Run:
        assert run_id == RUN
        look = self.looks[min(self.looked, len(self.looks) - 1)]
        self.looked += 1
        if isinstance(look, Exception):
            raise look
        return look

    def get_run_output(self, run_id: int) -> RunOutput:
        assert run_id == TASK_RUN
        if isinstance(self.output, Exception):
            raise self.output
        return self.output

    def cancel_run(self, run_id: int) -> None:
        if self.cancel_refused:
            raise self.cancel_refused
        self.cancelled.append(run_id)


class FakeFiftyOne:
    def __init__(self) -> None:
        self.found: Registration | None = registration("c0ffee")

    def orchestrator(self, instance_id: str) -> Registration | None:
        assert instance_id == "gpu"
        return self.found


class FakeTime:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return 1000 + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)


def registration(token: str, *operators: str) -> Registration:
    description = f"Our GPUs [pulumi-stack: fiftyone-databricks/dev/gpu #{token}]"
    return Registration(
        instance_id="gpu", description=description, environment="databricks", config={}, secrets={}, operators=operators
    )


@dataclass(frozen=True)
class Fakes:
    """Everything that the provider meets."""

    jobs: FakeJobs
    fiftyone: FakeFiftyOne
    clock: FakeTime

    @classmethod
    def installed(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        found = cls(FakeJobs(), FakeFiftyOne(), FakeTime())
        workspace = SimpleNamespace(client=SimpleNamespace(jobs=found.jobs))
        monkeypatch.setattr(operator_refresh, "WORKSPACE", workspace)
        monkeypatch.setattr(operator_refresh, "CONNECTION", SimpleNamespace(client=found.fiftyone))
        monkeypatch.setattr(registration_run, "time", found.clock)
        return found


def create(**changed: Any) -> dict[str, Any]:
    return OperatorRefreshProvider().create({**PROPS, **changed}).outs or {}


def update(known: str, **changed: Any) -> dict[str, Any]:
    olds = {**PROPS, "registration": "before", "knownCommand": known}
    return OperatorRefreshProvider().update("gpu", olds, {**PROPS, **changed}).outs or {}
