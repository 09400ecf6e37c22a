"""Jobs: create, get, list, reset, update, delete, and the rules between them, the pools and who they run as.

A job runs as its `run_as`, else as its owner. Documented: naming a service principal there needs the role
`servicePrincipal.user` on it, of administrators too, when the job is written; nothing says that it is looked at again
when the job runs.
"""

import json
import sqlite3
from operator import itemgetter
from typing import Any

from emulator import run_records
from emulator.api import ApiError, Body, Call, Caller, Route, invalid
from emulator.clusters import Cluster
from emulator.job_settings import Settings
from emulator.permissions import check_job, forget, grant
from emulator.pools import find_pool
from emulator.rule_sets import may_run_as
from emulator.service_principals import find
from emulator.store import ME, new_id, now_ms

# The Jobs API's documented page size.
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
# Recorded: what the platform adds where a job says nothing.
ADDED_ALWAYS: dict[str, Any] = {"email_notifications": {}, "timeout_seconds": 0}
ADDED: dict[str, Any] = ADDED_ALWAYS | {"webhook_notifications": {}, "max_concurrent_runs": 1}
ADDED_TO_TASKS: dict[str, Any] = ADDED_ALWAYS | {"run_if": "ALL_SUCCESS"}


class JobId(Body):
    job_id: int


class Reset(JobId):
    new_settings: Settings


class Update(JobId):
    new_settings: dict[str, Any] | None = None
    fields_to_remove: list[str] | None = None


def _check_cluster(db: sqlite3.Connection, cluster: Cluster, job_tags: dict[str, str]) -> None:
    cluster.check()
    tags = job_tags.keys() | (cluster.custom_tags or {}).keys()
    for pool_id in cluster.pool_ids():
        if (pool := find_pool(db, pool_id)) is None:
            raise invalid(f"Cluster validation error: Can't find an instance pool with id: {pool_id}.")
        # The platform finds this when the cluster starts. Nothing starts here, so it is refused when it is written.
        if shared := sorted(tags & (pool.get("custom_tags") or {}).keys()):
            raise invalid(
                "Invalid tags - the following custom tag keys conflict with the pool's custom tag keys: "
                + ", ".join(shared)
            )


def _check_run_as(db: sqlite3.Connection, caller: Caller, kind: str, application_id: str) -> None:
    """Whom the stand-in does not know may be a user; a service principal is none. Raises ApiError."""
    principal = find(db, application_id)
    if kind == "user_name" and principal is None:
        return
    if principal is None or kind == "user_name":
        # Recorded.
        raise invalid(f"Invalid user: '{application_id}' does not exist or deactivated")
    if not may_run_as(principal, caller):
        # Recorded.
        message = (
            f"Cannot bind the service principal provided in 'run_as' field ({application_id}) to the job. The user "
            "creating or updating the job must have 'servicePrincipal.user' role on the service principal."
        )
        raise ApiError(403, "PERMISSION_DENIED", message)


def _checked(call: Call, settings: Settings) -> str:
    """The settings as they are stored. Raises ApiError."""
    settings.check()
    for cluster in settings.clusters():
        _check_cluster(call.db, cluster, settings.tags or {})
    for kind, name in (settings.run_as or {}).items():
        _check_run_as(call.db, call.caller, kind, name)
    return json.dumps({"name": "Untitled"} | settings.plain())


def stored_job(db: sqlite3.Connection, job_id: int | str) -> sqlite3.Row:
    """A job as it is stored. Raises ApiError."""
    row = db.execute("SELECT * FROM jobs WHERE CAST(id AS TEXT) = ?", (str(job_id),)).fetchone()
    if row is None:
        # Recorded: 400 and not 404, which the clients turn into "not found" by this very text.
        raise invalid(f"Job {job_id} does not exist.")
    return row


def shown_settings(row: sqlite3.Row) -> dict[str, Any]:
    """A job's settings as recorded: with what the platform adds, tasks sorted by key."""
    settings: dict[str, Any] = ADDED | json.loads(row["settings"])
    tasks: list[dict[str, Any]] = [ADDED_TO_TASKS | task for task in settings.get("tasks", [])]
    if tasks:
        settings["tasks"] = sorted(tasks, key=itemgetter("task_key"))
    return settings


def run_as(db: sqlite3.Connection, row: sqlite3.Row) -> str:
    """Who a job runs as, by name or application id."""
    if named := json.loads(row["settings"]).get("run_as"):
        return next(iter(named.values()))
    owner = "SELECT principal FROM permissions WHERE object = ? AND level = 'IS_OWNER'"
    return db.execute(owner, (f"/jobs/{row['id']}",)).fetchone()["principal"]


def _shown(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    settings = shown_settings(row)
    # Documented: it can be written only, and is read as `run_as_user_name`.
    settings.pop("run_as", None)
    return {
        "job_id": row["id"],
        "created_time": row["created_ms"],
        "creator_user_name": ME,
        "run_as_user_name": run_as(db, row),
        "settings": settings,
    }


def create(call: Call) -> dict[str, Any]:
    settings = call.read(Settings)
    stored = _checked(call, settings)
    job_id = new_id(call.db)
    call.db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?)", (job_id, now_ms(), settings.name or "Untitled", stored))
    grant(call.db, f"/jobs/{job_id}", "user_name", ME, "IS_OWNER")
    return {"job_id": job_id}


def get(call: Call) -> dict[str, Any]:
    row = stored_job(call.db, call.need("job_id"))
    check_job(call, row["id"], run=False)
    return _shown(call.db, row)


def get_as_version_2_0(call: Call) -> dict[str, Any]:
    """The same, with the format that version 2.0 tells jobs of several tasks by ("Updating from Jobs API 2.0 to 2.1").

    The databricks provider imports by it (terraform-provider-databricks #5358).
    """
    job = get(call)
    return {**job, "settings": {"format": "MULTI_TASK", **job["settings"]}}


def list_jobs(call: Call) -> dict[str, Any]:
    """Newest first, a page at a time; tasks and clusters only with `expand_tasks`."""
    if call.query.get("offset", "0") != "0":
        raise invalid("offset is deprecated and not part of this stand-in: use page_token.")
    limit, before = call.query.get("limit", str(DEFAULT_LIMIT)), call.query.get("page_token") or str(2**62)
    if not limit.isdecimal() or not 1 <= int(limit) <= MAX_LIMIT:
        raise invalid(f"Invalid limit: it must be between 1 and {MAX_LIMIT}.")
    if not before.isdecimal():
        raise invalid("Invalid page_token.")
    name = call.query.get("name")
    rows = call.db.execute(
        "SELECT * FROM jobs WHERE id < ? AND (? IS NULL OR name = ?) ORDER BY id DESC LIMIT ?",
        (int(before), name, name, int(limit) + 1),
    ).fetchall()
    page = [_shown(call.db, row) for row in rows[: int(limit)]]
    for job in page:
        del job["run_as_user_name"]
        if call.query.get("expand_tasks") != "true":
            job["settings"].pop("tasks", None)
            job["settings"].pop("job_clusters", None)
    answer: dict[str, Any] = {"has_more": len(rows) > len(page)}
    if page:
        answer["jobs"] = page
    if answer["has_more"]:
        answer["next_page_token"] = str(page[-1]["job_id"])
    return answer


def _write(call: Call, job_id: int, settings: Settings) -> dict[str, Any]:
    stored = _checked(call, settings)
    call.db.execute(
        "UPDATE jobs SET name = ?, settings = ? WHERE id = ?", (settings.name or "Untitled", stored, job_id)
    )
    return {}


def reset(call: Call) -> dict[str, Any]:
    """Replace all settings; the id stays, and so does who it runs as if that is left out (databricks/cli#4873)."""
    body = call.read(Reset)
    before: dict[str, Any] = json.loads(stored_job(call.db, body.job_id)["settings"])
    kept = {name: before[name] for name in ("run_as",) if name in before}
    return _write(call, body.job_id, call.check(Settings, kept | body.new_settings.plain()))


def update(call: Call) -> dict[str, Any]:
    """Replace the top-level fields that are sent; tasks, clusters and the like are merged by their keys."""
    body = call.read(Update)
    settings: dict[str, Any] = json.loads(stored_job(call.db, body.job_id)["settings"])
    for name in body.fields_to_remove or []:
        field, _, key = name.partition("/")
        if key:
            settings[field] = [item for item in settings.get(field, []) if key not in item.values()]
        else:
            settings.pop(field, None)
    sent = (call.check(Settings, body.new_settings or {})).plain()
    for name, value in sent.items():
        if key := {"tasks": "task_key", "job_clusters": "job_cluster_key", "parameters": "name"}.get(name):
            replaced = {item[key] for item in value}
            value = [item for item in settings.get(name, []) if item[key] not in replaced] + value
        settings[name] = value
    return _write(call, body.job_id, call.check(Settings, settings))


def delete(call: Call) -> dict[str, Any]:
    """Its runs stay readable; those that have not ended are canceled."""
    job_id = call.read(JobId).job_id
    stored_job(call.db, job_id)
    call.db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
    forget(call.db, f"/jobs/{job_id}")
    run_records.cancel(call.db, job_id=job_id)
    return {}


# Version 2.1 of the API answers the same for jobs of this size; some clients still use it.
ROUTES: list[Route] = [
    ("GET", "/api/2.0/jobs/get", get_as_version_2_0),
    *(
        (method, f"/api/{version}/jobs/{verb}", handler)
        for version in ("2.2", "2.1")
        for method, verb, handler in (
            ("POST", "create", create),
            ("GET", "get", get),
            ("GET", "list", list_jobs),
            ("POST", "reset", reset),
            ("POST", "update", update),
            ("POST", "delete", delete),
        )
    ),
]
