"""How runs are shown, in the old form of their state and in the new one, and what they have printed. Only reads.

Owns how a task's log is read back and what its failure is called.
"""

import json
import signal
import sqlite3
from pathlib import Path
from typing import Any

from emulator import run_records
from emulator.api import Call
from emulator.identity import WORKSPACE_ID
from emulator.outcomes import ENDED, FAILED, cluster_id
from emulator.run_records import log_file
from emulator.store import now_ms

# The Jobs API's documented limit of what it shows of a log: its end.
MAX_LOG_BYTES = 5 * 1024 * 1024
TRACEBACK = "Traceback (most recent call last):"


def _termination_type(code: str) -> str:
    if code == "SUCCESS":
        return "SUCCESS"
    return "INTERNAL_ERROR" if code in ("DRIVER_ERROR", "INTERNAL_ERROR") else "CLIENT_ERROR"


def _states(row: sqlite3.Row) -> dict[str, Any]:
    """`state`, which is deprecated and read by most clients, and `status`."""
    state: dict[str, Any] = {"life_cycle_state": row["state"], "state_message": row["message"]}
    state["user_cancelled_or_timedout"] = row["result"] in ("CANCELED", "TIMEDOUT")
    status: dict[str, Any] = {"state": "TERMINATED" if row["state"] in ENDED else row["state"]}
    if row["state"] == "QUEUED":
        state["queue_reason"] = row["message"]
        status["queue_details"] = {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": row["message"]}
    if row["result"] is not None:
        state["result_state"] = row["result"]
        details = {"code": row["code"], "type": _termination_type(row["code"]), "message": row["message"]}
        status["termination_details"] = details
    return {"state": state, "status": status}


def _page(call: Call, job_id: int, run_id: int) -> str:
    return f"{call.base_url}/?o={WORKSPACE_ID}#job/{job_id}/run/{run_id}"


def _task(call: Call, run: sqlite3.Row, row: sqlite3.Row, settings: dict[str, Any]) -> dict[str, Any]:
    task: dict[str, Any] = next(task for task in settings["tasks"] if task["task_key"] == row["task_key"])
    start, end = row["start_ms"] or 0, row["end_ms"] or 0
    ready = row["ready_ms"] or end
    shown: dict[str, Any] = task | {
        "run_id": row["id"],
        "run_page_url": _page(call, run["job_id"], row["id"]),
        "attempt_number": 0,
        "start_time": start,
        "end_time": end,
        "setup_duration": ready - start if start and ready else 0,
        "execution_duration": end - ready if end and ready else 0,
        "cleanup_duration": 0,
        **_states(row),
    }
    if start:
        shown["cluster_instance"] = {"cluster_id": cluster_id(row["id"]), "spark_context_id": str(row["id"])}
    return shown


def _parameters(run: sqlite3.Row, settings: dict[str, Any]) -> list[dict[str, str]]:
    given: dict[str, str] = json.loads(run["parameters"])
    defined: list[dict[str, str]] = settings.get("parameters", [])
    shown = [{**each, "value": given.get(each["name"], each["default"])} for each in defined]
    names = {each["name"] for each in defined}
    return shown + [{"name": name, "value": value} for name, value in given.items() if name not in names]


def shown_run(call: Call, run: sqlite3.Row) -> dict[str, Any]:
    """A run with its tasks. A run of a job with tasks has no durations but its own, as recorded."""
    settings: dict[str, Any] = json.loads(run["settings"])
    shown: dict[str, Any] = {
        "job_id": run["job_id"],
        "run_id": run["id"],
        "number_in_job": run["id"],
        "original_attempt_run_id": run["id"],
        "creator_user_name": run["creator"],
        "run_name": settings["name"],
        "run_page_url": _page(call, run["job_id"], run["id"]),
        "run_type": "JOB_RUN",
        "trigger": "ONE_TIME",
        "format": "MULTI_TASK",
        "start_time": run["created_ms"],
        "end_time": run["end_ms"] or 0,
        "setup_duration": 0,
        "execution_duration": 0,
        "cleanup_duration": 0,
        "queue_duration": (run["admitted_ms"] or run["end_ms"] or now_ms()) - run["created_ms"],
        "tasks": [_task(call, run, row, settings) for row in run_records.tasks(call.db, run["id"])],
        **_states(run),
    }
    if run["end_ms"] is not None:
        shown["run_duration"] = run["end_ms"] - run["created_ms"]
    if clusters := settings.get("job_clusters"):
        shown["job_clusters"] = clusters
    if parameters := _parameters(run, settings):
        shown["job_parameters"] = parameters
    return shown


def shown_task_run(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    """The run of one task, asked for by its own id: as a run of its own, whose one task is itself."""
    run = run_records.run(call.db, row["run_id"])
    if run is None:
        raise LookupError(row["run_id"])
    whole = shown_run(call, run)
    task: dict[str, Any] = next(task for task in whole["tasks"] if task["run_id"] == row["id"])
    for name in ("number_in_job", "original_attempt_run_id"):
        whole[name] = row["id"]
    whole.pop("run_duration", None)
    return whole | task | {"job_run_id": run["id"], "run_name": row["task_key"], "tasks": [task]}


def read_output(home: Path, task: sqlite3.Row) -> dict[str, Any]:
    """The end of the log so far and, for a task that failed, why."""
    file = log_file(home, task["id"])
    content, truncated = b"", False
    if file.exists():
        with file.open("rb") as log:
            truncated = log.seek(0, 2) > MAX_LOG_BYTES
            log.seek(-MAX_LOG_BYTES if truncated else 0, 2 if truncated else 0)
            content = log.read(MAX_LOG_BYTES)
    # A character that is cut in two at the beginning.
    while truncated and content[:1] and content[0] & 0xC0 == 0x80:
        content = content[1:]
    logs = content.decode(errors="replace")
    answer: dict[str, Any] = {"logs": logs, "logs_truncated": truncated}
    if task["code"] == FAILED.code and task["exit_code"] is not None:
        answer |= _failure(task["exit_code"], logs)
    elif task["result"] not in (None, "SUCCESS"):
        answer["error"] = task["message"]
    return answer


def _failure(exit_code: int, logs: str) -> dict[str, str]:
    """The platform shows the exception that ended a Python file, be it SystemExit."""
    if exit_code < 0:
        name = signal.strsignal(-exit_code) or f"signal {-exit_code}"
        return {"error": f"The Python process exited with exit code {128 - exit_code} ({name})."}
    before, found, trace = logs.rpartition(TRACEBACK)
    last = trace.rstrip().rpartition("\n")[2]
    if exit_code == 1 and found and last and not last[0].isspace() and (not before or before.endswith("\n")):
        return {"error": last, "error_trace": found + trace.rstrip()}
    return {"error": f"SystemExit: {exit_code}", "error_trace": f"SystemExit: {exit_code}"}
