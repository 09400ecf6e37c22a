"""The console: one page at the root that shows what the workspace holds, and does what a person does in FiftyOne.

Owns what the page may see: names, states and what runs printed, each field chosen here, and never a secret's value, a
token or a variable of a cluster. The page itself is the static files in console/.

It asks for no credential, for it answers on loopback alone (callers.py looks at Host): a page of another origin can
neither read these answers, which allow none, nor start a run, for which Origin has to be this server's own. Whoever has
an account on this machine can do both.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from emulator import fiftyone_trigger, jobs, pools, run_records, runs
from emulator.api import Call, Handler, Later, Route, invalid, missing
from emulator.run_views import read_output
from emulator.store import volume_files

FILES = {name: Path(__file__).parent / "console" / name for name in ("index.html", "console.css", "console.js")}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page(call: Call) -> Response:
    """The page, or the style or program that it names."""
    name = call.path.get("name", "index.html")
    if name not in FILES:
        raise missing(f"The console has no {name}.")
    return FileResponse(FILES[name], headers=HEADERS)


def view(call: Call) -> dict[str, Any]:
    """All that the workspace and FiftyOne hold, and the newest runs."""
    scopes: dict[str, list[str]] = {}
    for name, key in call.db.execute("SELECT name, key FROM scopes LEFT JOIN secrets ON scope = name ORDER BY 1, 2"):
        scopes.setdefault(name, []).extend([key] if key else [])
    files = call.db.execute("SELECT path, length(content) AS size FROM objects WHERE type = 'FILE' ORDER BY path")
    orchestrators = call.db.execute("SELECT * FROM fiftyone_orchestrators ORDER BY instance_identifier")
    listed = replace(call, query={"expand_tasks": "true"})
    return {
        "orchestrators": [
            {
                "id": row["instance_identifier"],
                "description": row["description"],
                "job_id": json.loads(row["config"])["jobId"],
                "operators": json.loads(row["available_operators"] or "[]"),
                "secrets": json.loads(row["secrets"]),
            }
            for row in orchestrators
        ],
        "runs": [_run(run) for run in runs.list_runs(listed).get("runs", [])],
        "jobs": [_job(job) for job in jobs.list_jobs(listed).get("jobs", [])],
        "pools": [_pool(pool) for pool in pools.list_all(call).get("instance_pools", [])],
        "scopes": scopes,
        "fiftyone_secrets": [row["key"] for row in call.db.execute("SELECT key FROM fiftyone_secrets ORDER BY key")],
        "files": [dict(row) for row in files] + [{"path": path} for path in sorted(volume_files(call.home))],
    }


def _run(run: dict[str, Any]) -> dict[str, Any]:
    state = run["state"]
    return {
        "id": str(run["run_id"]),
        "job_id": str(run["job_id"]),
        "name": run["run_name"],
        "state": state.get("result_state", state["life_cycle_state"]),
        "ended": run["end_time"] > 0,
        "message": state["state_message"],
        "tasks": [task["task_key"] for task in run["tasks"]],
        "creator": run["creator_user_name"],
        "parameters": {each["name"]: each["value"] for each in run.get("job_parameters", [])},
        "start_time": run["start_time"],
        "end_time": run["end_time"],
    }


def _job(job: dict[str, Any]) -> dict[str, Any]:
    settings = job["settings"]
    return {
        "id": str(job["job_id"]),
        "name": settings["name"],
        "tasks": [task["task_key"] for task in settings.get("tasks", [])],
        "max_concurrent_runs": settings["max_concurrent_runs"],
    }


def _pool(pool: dict[str, Any]) -> dict[str, Any]:
    names = ("instance_pool_id", "instance_pool_name", "node_type_id", "min_idle_instances", "max_capacity")
    return {name: pool.get(name) for name in names}


def run(call: Call) -> dict[str, Any]:
    """One run, by its id or that of one of its tasks, and what each task printed after what the page has."""
    number = call.path["id"]
    task = run_records.task_run(call.db, number)
    found = run_records.run(call.db, task["run_id"] if task else number)
    if found is None:
        raise missing(f"Run {number} does not exist.")
    shown = runs.get(replace(call, query={"run_id": str(found["id"])}))
    return _run(shown) | {"logs": [_log(call, task) for task in run_records.tasks(call.db, found["id"])]}


def _log(call: Call, task: Any) -> dict[str, Any]:
    """What a task printed, from a character on that the query names by the task; of a long log, its end as a whole."""
    after = call.query.get(str(task["id"]), "0")
    if not after.isdecimal():
        raise invalid(f"Invalid {task['id']}: {after}.")
    output = read_output(call.home, task)
    # A character that is not whole yet comes with the next piece.
    logs = output["logs"].rstrip("\ufffd")
    begin = 0 if output["logs_truncated"] else int(after)
    state = task["result"] or task["state"]
    about = {"id": str(task["id"]), "task": task["task_key"], "state": state, "error": output.get("error", "")}
    return about | {"begin": begin, "text": logs[begin:], "end": len(logs)}


def refresh(call: Call) -> Later:
    return fiftyone_trigger.refresh(call)


def delegate(call: Call) -> Later:
    return fiftyone_trigger.delegate(call)


# Asked for again and again while the page is open, so that the request log leaves them out.
READS: set[Handler] = {page, view, run}
ACTIONS: set[Handler] = {refresh, delegate}
ROUTES: list[Route] = [
    ("GET", "/", page),
    ("GET", "/console/{name}", page),
    ("GET", "/console/data/view", view),
    ("GET", "/console/data/runs/{id}", run),
    ("POST", "/console/orchestrators/{id}/refresh", refresh),
    ("POST", "/console/orchestrators/{id}/delegate", delegate),
]
