"""Runs of jobs: run-now, get, list, get-output, cancel. Owns what is asked and answered; executor.py runs them.

Decided where the platform's answer is not recorded: parameters that the job does not define are taken as they are.
Failed tasks are not retried.
"""

import sqlite3
from typing import Annotated, Any

from pydantic import Field

from emulator import run_records
from emulator.api import ApiError, Body, Call, Route, invalid
from emulator.job_settings import Queue
from emulator.jobs import run_as, shown_settings, stored_job
from emulator.outcomes import ENDED, no_place
from emulator.permissions import GIVEN, check_job
from emulator.run_views import read_output, shown_run, shown_task_run

# The Jobs API's documented page size.
DEFAULT_LIMIT, MAX_LIMIT = 20, 25


class RunNow(Body):
    job_id: int
    job_parameters: dict[str, str] | None = None
    only: list[str] | None = None
    queue: Queue | None = None
    # The Jobs API's documented limit.
    idempotency_token: Annotated[str, Field(max_length=64)] | None = None


class RunId(Body):
    run_id: int


def _missing(run_id: int | str) -> ApiError:
    return invalid(f"Run {run_id} does not exist.")


def _chosen(tasks: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """The tasks that are named. Raises ApiError."""
    for name in names:
        if name.startswith("+") or name.endswith("+"):
            raise invalid(f"{name}: +key and key+ are not part of this stand-in, whose tasks do not depend on others.")
        if name not in {task["task_key"] for task in tasks}:
            raise invalid(f"Task key {name} does not exist in the job.")
    return [task for task in tasks if task["task_key"] in names]


def run_now(call: Call) -> dict[str, Any]:
    """Start a run, let it wait, or skip it, by the job's places and queue."""
    body = call.read(RunNow)
    job = stored_job(call.db, body.job_id)
    check_job(call, body.job_id, run=True)
    if known := run_records.started_with(call.db, body.idempotency_token):
        return {"run_id": known, "number_in_job": known}
    settings = shown_settings(job)
    if not settings.get("tasks"):
        raise invalid("The job has no tasks.")
    if body.only:
        settings["tasks"] = _chosen(settings["tasks"], body.only)
    limit: int = settings["max_concurrent_runs"]
    queue = (settings.get("queue", {}) if body.queue is None else body.queue).get("enabled", False)
    waiting = run_records.unended(call.db, f"state = 'QUEUED' AND job_id = {body.job_id}")
    run_id = run_records.create(
        call.db,
        body.job_id,
        settings,
        body.job_parameters or {},
        call.caller.name,
        run_as(call.db, job),
        body.idempotency_token or None,
    )
    if not waiting and run_records.place_free(call.db, body.job_id, limit):
        run_records.admit(call.db, run_id)
    elif not queue or limit == 0:
        run_records.end(call.db, run_id, no_place(limit))
    else:
        run_records.advance(call.db, run_id, "QUEUED", f"Queued due to reaching maximum concurrent runs of {limit}.")
    return {"run_id": run_id, "number_in_job": run_id}


def get(call: Call) -> dict[str, Any]:
    """A job's run, or the run of one task."""
    run_id = call.need("run_id")
    if (run := run_records.run(call.db, run_id)) is not None:
        check_job(call, run["job_id"], run=False)
        return shown_run(call, run)
    return shown_task_run(call, _task(call, run_id))


def _task(call: Call, run_id: str) -> sqlite3.Row:
    """The run of a task, for a caller who may see its job. Raises ApiError."""
    task = run_records.task_run(call.db, run_id)
    run = task and run_records.run(call.db, task["run_id"])
    if task is None or run is None:
        raise _missing(run_id)
    check_job(call, run["job_id"], run=False)
    return task


def list_runs(call: Call) -> dict[str, Any]:
    """Newest first, a page at a time; tasks and clusters only with `expand_tasks`."""
    for name in ("run_type", "start_time_from", "start_time_to"):
        if name in call.query:
            raise invalid(f"{name} is not part of this stand-in.")
    numbers = {name: call.query.get(name) for name in ("job_id", "limit", "page_token", "offset")}
    for name, value in numbers.items():
        if value is not None and not value.isdecimal():
            raise invalid(f"Invalid {name}: {value}.")
    limit = int(numbers["limit"] or DEFAULT_LIMIT) or MAX_LIMIT
    if limit > MAX_LIMIT:
        raise invalid(f"Invalid limit: it must be between 1 and {MAX_LIMIT}.")
    if int(numbers["offset"] or 0):
        raise invalid("offset is deprecated and not part of this stand-in: use page_token.")
    only_active, completed = (call.query.get(name) == "true" for name in ("active_only", "completed_only"))
    if only_active and completed:
        raise invalid("Only one of active_only and completed_only can be true.")
    conditions = [f"(state {'' if completed else 'NOT'} IN {ENDED})"] if only_active or completed else []
    values: list[int | str] = []
    for name, column in (("job_id", "job_id ="), ("page_token", "id <")):
        if (number := numbers[name]) is not None:
            conditions.append(f"{column} ?")
            values.append(int(number))
    if not call.caller.admin:
        conditions.append(f"'/jobs/' || job_id IN ({GIVEN})")
        values.append(call.caller.name)
    where = " AND ".join(conditions) or "1"
    query = f"SELECT * FROM runs WHERE {where} ORDER BY id DESC LIMIT {limit + 1}"  # noqa: S608 - no text of the caller's
    rows = call.db.execute(query, values).fetchall()
    page = [shown_run(call, row) for row in rows[:limit]]
    for run in page:
        if call.query.get("expand_tasks") != "true":
            del run["tasks"]
            run.pop("job_clusters", None)
    answer: dict[str, Any] = {"has_more": len(rows) > limit}
    if page:
        answer["runs"] = page
    if answer["has_more"]:
        answer["next_page_token"] = str(page[-1]["run_id"])
    return answer


def get_output(call: Call) -> dict[str, Any]:
    """What a task has printed so far, and why it failed."""
    run_id = call.need("run_id")
    if run_records.run(call.db, run_id) is not None:
        raise invalid(
            "Retrieving the output of runs with multiple tasks is not supported. "
            "Please retrieve the output of each individual task run instead."
        )
    task = _task(call, run_id)
    return read_output(call.home, task) | {"metadata": shown_task_run(call, task)}


def cancel(call: Call) -> dict[str, Any]:
    """Ask for a run's end; one that has ended stays as it is."""
    run_id = call.read(RunId).run_id
    if (run := run_records.run(call.db, run_id)) is None:
        raise _missing(run_id)
    check_job(call, run["job_id"], run=True)
    run_records.cancel(call.db, run_id=run_id)
    return {}


# Version 2.1 of the API answers the same for jobs of this size; some clients still use it.
ROUTES: list[Route] = [
    (method, f"/api/{version}/jobs/{verb}", handler)
    for version in ("2.2", "2.1")
    for method, verb, handler in (
        ("POST", "run-now", run_now),
        ("GET", "runs/get", get),
        ("GET", "runs/list", list_runs),
        ("GET", "runs/get-output", get_output),
        ("POST", "runs/cancel", cancel),
    )
]
