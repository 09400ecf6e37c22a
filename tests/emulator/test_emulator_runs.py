"""Runs through their life: what starts them, in which order they go, how they end and what is said of it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, OperationFailed
from databricks.sdk.service.jobs import QueueSettings, RunLifeCycleState, RunResultState, RunType

from tests.emulator.emulator_harness import Run, Runner, living, result

SUCCESS = ("TERMINATED", "SUCCESS", "SUCCESS")
FAILED = ("TERMINATED", "FAILED", "RUN_EXECUTION_ERROR")
RUN_FAILED = ("INTERNAL_ERROR", "FAILED", "RUN_EXECUTION_ERROR")
CANCELED = ("TERMINATED", "CANCELED", "USER_CANCELED")
TIMED_OUT = ("TERMINATED", "TIMEDOUT", "CANCELED")
WAITS = "import time\nprint('ready')\ntime.sleep(60)\n"
WORKLOAD_FAILED = "Workload failed, see run output for details"


def task_of(run: Run, key: str = "main") -> Run:
    return next(task for task in run["tasks"] if task["task_key"] == key)


def test_a_run_as_databricks_sdk_waits_for_it_and_reads_it(w: WorkspaceClient, runner: Runner) -> None:
    code = "import sys\nprint(sys.argv[1:])\nprint('to stderr', file=sys.stderr)\n"
    parameters = ["{{job.parameters.a}} {{ job.parameters.b }}", "{{job.id}}/{{job.run_id}}/{{task.name}}", "{{none}}"]
    defaults = [{"name": "a", "default": "x"}, {"name": "b", "default": "y z"}]
    job_id = runner.job(runner.task("main", code, *parameters), parameters=defaults)
    run = w.jobs.run_now_and_wait(job_id, job_parameters={"b": "$(other)", "c": "new"}, timeout=timedelta(seconds=30))
    assert run.state is not None
    assert run.status is not None
    assert run.status.termination_details is not None
    assert (run.state.life_cycle_state, run.state.result_state) == (
        RunLifeCycleState.TERMINATED,
        RunResultState.SUCCESS,
    )
    assert run.tasks is not None
    assert (run.run_type, run.job_id, run.run_name) == (RunType.JOB_RUN, job_id, runner.name)
    assert f"#job/{job_id}/run/{run.run_id}" in (run.run_page_url or "")
    assert [(p.name, p.default, p.value) for p in run.job_parameters or []] == [
        ("a", "x", "x"),
        ("b", "y z", "$(other)"),
        ("c", None, "new"),
    ]
    task = run.tasks[0]
    assert task.run_id not in (None, run.run_id)
    assert (run.start_time or 0) <= (task.start_time or 0) <= (task.end_time or 0) <= (run.end_time or 0)
    assert (task.setup_duration or 0) + (task.execution_duration or 0) == (task.end_time or 0) - (task.start_time or 0)
    output = w.jobs.get_run_output(task.run_id or 0)
    assert output.logs == f"['x $(other)', '{job_id}/{run.run_id}/main', '{{{{none}}}}']\nto stderr\n"
    assert (output.logs_truncated, output.error) == (False, None)
    assert output.metadata is not None
    assert output.metadata.run_id == task.run_id
    alone = runner.get(task.run_id or 0)
    assert (alone["run_id"], alone["job_run_id"], result(alone)) == (task.run_id, run.run_id, SUCCESS)


@pytest.mark.parametrize(
    ("code", "error", "trace"),
    [
        ("import sys; print('before'); sys.exit(7)", "SystemExit: 7", "SystemExit: 7"),
        ("print('before'); raise ValueError('wrong')", "ValueError: wrong", "Traceback (most recent call last):\n"),
        ("import os; print('before', flush=True); os.kill(os.getpid(), 9)", "exit code 137", ""),
    ],
)
def test_a_failure_is_named_as_the_platform_names_it(
    w: WorkspaceClient, runner: Runner, code: str, error: str, trace: str
) -> None:
    run_id = runner.start(runner.job(runner.task("main", code), runner.task("fine", "print('fine')")))
    run = runner.ended(run_id)
    assert (result(run), result(task_of(run)), result(task_of(run, "fine"))) == (RUN_FAILED, FAILED, SUCCESS)
    assert run["state"]["state_message"] == f"Task main failed with message: {WORKLOAD_FAILED}."
    assert task_of(run)["state"]["state_message"] == WORKLOAD_FAILED
    output = runner.output(run_id)
    assert output["logs"].startswith("before\n")
    assert error in output["error"]
    assert output.get("error_trace", "").startswith(trace)
    with pytest.raises(OperationFailed, match="INTERNAL_ERROR: Task main failed"):
        w.jobs.wait_get_run_job_terminated_or_skipped(run_id, timedelta(seconds=10))


def test_the_log_is_read_while_the_run_goes_on_and_cancel_ends_it(w: WorkspaceClient, runner: Runner) -> None:
    run_id = runner.start(runner.job(runner.task("main", WAITS)))
    runner.printed(run_id, "ready")
    run = runner.get(run_id)
    assert (run["state"]["life_cycle_state"], run["status"]) == ("RUNNING", {"state": "RUNNING"})
    assert (run["end_time"], task_of(run)["state"]["life_cycle_state"]) == (0, "RUNNING")
    w.jobs.cancel_run(run_id)
    run = runner.ended(run_id)
    assert (result(run), result(task_of(run))) == (CANCELED, CANCELED)
    assert run["state"]["user_cancelled_or_timedout"] is True
    assert w.jobs.cancel_run_and_wait(run_id, timeout=timedelta(seconds=5)).run_id == run_id


def test_cancel_asks_first_and_then_ends_what_does_not_end_and_its_children(runner: Runner) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked'))\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        "print('ready', child.pid)\n"
        "while True: time.sleep(1)\n"
    )
    run_id = runner.start(runner.job(runner.task("main", code)))
    runner.printed(run_id, "ready")
    runner.call("runs/cancel", {"run_id": run_id})
    runner.printed(run_id, "asked")
    assert runner.get(run_id)["state"]["life_cycle_state"] in ("RUNNING", "TERMINATING")
    assert result(runner.ended(run_id)) == CANCELED
    assert not living(int(runner.output(run_id)["logs"].split()[1]))


@pytest.mark.parametrize("of", ["job", "task"])
def test_a_timeout(runner: Runner, of: str) -> None:
    limit: dict[str, Any] = {"timeout_seconds": 1}
    job_id = runner.job(runner.task("main", WAITS, **limit if of == "task" else {}), **limit if of == "job" else {})
    run = runner.ended(runner.start(job_id))
    assert result(task_of(run)) == TIMED_OUT
    assert run["state"]["result_state"] == ("TIMEDOUT" if of == "job" else "FAILED")
    assert task_of(run)["state"]["user_cancelled_or_timedout"] is True


def test_ten_runs_at_once_of_which_three_may_go(runner: Runner, tmp_path: Path) -> None:
    code = (
        "import json, pathlib, sys, time\nbegin = time.time()\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
        "time.sleep(0.1)\nprint(json.dumps([begin, time.time()]))\n"
    )
    go = tmp_path / "go"
    job_id = runner.job(runner.task("main", code, str(go)), max_concurrent_runs=3, queue={"enabled": True})
    ids = [runner.start(job_id) for _ in range(10)]
    states = [runner.get(run_id)["state"]["life_cycle_state"] for run_id in ids]
    assert [state == "QUEUED" for state in states] == [False] * 3 + [True] * 7
    go.touch()
    runs = [runner.ended(run_id) for run_id in ids]
    assert {result(run) for run in runs} == {SUCCESS}
    spans: list[tuple[float, float]] = [tuple(json.loads(runner.output(run_id)["logs"])) for run_id in ids]
    at_once = [sum(begin <= moment < end for begin, end in spans) for moment, _ in spans]
    assert max(at_once) <= 3
    places = [(task_of(run)["start_time"], run["end_time"]) for run in runs]
    assert max(sum(begin <= moment < end for begin, end in places) for moment, _ in places) <= 3
    assert [begin for begin, _ in places] == sorted(begin for begin, _ in places)
    assert [run["queue_duration"] > 0 for run in runs[3:]] == [True] * 7


def test_a_queued_run_says_why_and_can_be_canceled_alone(
    w: WorkspaceClient, http: httpx.Client, runner: Runner
) -> None:
    job_id = runner.job(runner.task("main", WAITS), queue={"enabled": True})
    first, second = runner.start(job_id), runner.start(job_id)
    queued = runner.get(second)
    text = "Queued due to reaching maximum concurrent runs of 1."
    assert (queued["state"]["life_cycle_state"], queued["state"]["queue_reason"]) == ("QUEUED", text)
    assert queued["status"]["queue_details"] == {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": text}
    assert {task["state"]["life_cycle_state"] for task in queued["tasks"]} == {"BLOCKED"}
    w.jobs.cancel_run(second)
    assert result(runner.ended(second)) == CANCELED
    assert runner.get(first)["end_time"] == 0
    w.jobs.cancel_run(first)
    assert result(runner.ended(first)) == CANCELED


def test_without_a_queue_a_run_too_many_is_skipped_and_a_run_can_bring_its_own(
    w: WorkspaceClient, runner: Runner
) -> None:
    job_id = runner.job(runner.task("main", WAITS))
    first = runner.start(job_id)
    skipped = runner.ended(runner.start(job_id))
    assert result(skipped) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED")
    queued = w.jobs.run_now(job_id, queue=QueueSettings(enabled=True)).run_id
    assert runner.get(queued)["state"]["life_cycle_state"] == "QUEUED"
    runner.call("delete", {"job_id": job_id})
    assert [result(runner.ended(run_id)) for run_id in (first, queued)] == [CANCELED, CANCELED]
    assert [run.run_id for run in w.jobs.list_runs(job_id=job_id)] == [queued, skipped["run_id"], first]


def test_a_job_that_lets_more_run_lets_them_out_of_its_queue(runner: Runner) -> None:
    task = runner.task("main", WAITS)
    job_id = runner.job(task, queue={"enabled": True})
    first, second = runner.start(job_id), runner.start(job_id)
    runner.reset(job_id, task, queue={"enabled": True}, max_concurrent_runs=2)
    runner.printed(second, "ready")
    runner.cancel(first, second)
    assert {result(runner.ended(run_id)) for run_id in (first, second)} == {CANCELED}


def test_all_tasks_run_at_once_or_those_that_are_chosen(runner: Runner) -> None:
    tasks = [runner.task(key, WAITS) for key in ("a", "b")]
    job_id = runner.job(*tasks, max_concurrent_runs=2)
    everything, one = runner.start(job_id), runner.start(job_id, only=["b"])
    for key in ("a", "b"):
        runner.printed(everything, "ready", key)
    assert [task["task_key"] for task in runner.get(one)["tasks"]] == ["b"]
    runner.cancel(everything, one)
    assert {result(runner.ended(run_id)) for run_id in (everything, one)} == {CANCELED}


def test_runs_are_listed_by_job_state_and_page(w: WorkspaceClient, runner: Runner) -> None:
    job_id = runner.job(runner.task("main", "import sys; print(sys.argv)"), max_concurrent_runs=5)
    ids = [runner.start(job_id) for _ in range(3)]
    for run_id in ids:
        runner.ended(run_id)
    listed = list(w.jobs.list_runs(job_id=job_id, limit=2))
    assert [run.run_id for run in listed] == ids[::-1]
    assert [run.tasks for run in listed] == [[]] * 3
    assert all(run.tasks for run in w.jobs.list_runs(job_id=job_id, expand_tasks=True))
    assert list(w.jobs.list_runs(job_id=job_id, active_only=True)) == []
    assert len(list(w.jobs.list_runs(job_id=job_id, completed_only=True))) == 3


def test_a_run_keeps_the_job_that_it_was_started_from(runner: Runner) -> None:
    job_id = runner.job(runner.task("main", "print('old')"), queue={"enabled": True})
    blocking = runner.task("main", WAITS)
    runner.reset(job_id, blocking, queue={"enabled": True})
    first, second = runner.start(job_id), runner.start(job_id)
    runner.reset(job_id, {**blocking, "task_key": "other"}, queue={"enabled": True})
    assert [task["task_key"] for task in runner.get(second)["tasks"]] == ["main"]
    runner.call("delete", {"job_id": job_id})
    assert {result(runner.ended(run_id)) for run_id in (first, second)} == {CANCELED}


def test_the_output_of_a_whole_run_is_refused(w: WorkspaceClient, runner: Runner) -> None:
    run_id = runner.start(runner.job(runner.task("a", "print()"), runner.task("b", "print()")))
    with pytest.raises(InvalidParameterValue, match="Please retrieve the output of each individual task run instead"):
        w.jobs.get_run_output(run_id)
    runner.ended(run_id)


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("GET", "runs/get?run_id=1", None, "Run 1 does not exist."),
        ("GET", "runs/get-output?run_id=1", None, "Run 1 does not exist."),
        ("GET", "runs/get", None, "run_id"),
        ("POST", "runs/cancel", {"run_id": 1}, "Run 1 does not exist."),
        ("GET", "runs/list?limit=26", None, "limit"),
        ("GET", "runs/list?page_token=x", None, "page_token"),
        ("GET", "runs/list?start_time_from=1", None, "start_time_from"),
        ("GET", "runs/list?active_only=true&completed_only=true", None, "Only one of"),
        ("POST", "run-now", {"job_id": 1}, "Job 1 does not exist."),
        ("POST", "run-now", {"job_id": "JOB", "only": ["none"]}, "none does not exist"),
        ("POST", "run-now", {"job_id": "JOB", "only": ["+main"]}, "not part of this stand-in"),
        ("POST", "run-now", {"job_id": "JOB", "python_params": []}, "python_params"),
        ("POST", "run-now", {"job_id": "JOB", "idempotency_token": "x" * 65}, "idempotency_token"),
    ],
)
def test_what_the_platform_refuses_of_runs(
    http: httpx.Client, runner: Runner, method: str, path: str, body: dict[str, Any] | None, text: str
) -> None:
    if body and body.get("job_id") == "JOB":
        body = {**body, "job_id": runner.job(runner.task("main", "print()"))}
    answer = http.request(method, f"/api/2.2/jobs/{path}", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert text in answer.json()["message"]
