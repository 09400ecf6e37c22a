"""What a task takes from the workspace when it starts: its cluster, secrets, files and parameters. Only reads.

It takes what its run-as may read, as run_access.py tells.
"""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator import outcomes, run_access, volumes
from emulator.pools import find_pool
from emulator.run_records import log_file
from emulator.task_directory import Order, Refused, secret_references


def make_order(
    db: sqlite3.Connection, home: Path, run: sqlite3.Row, task_run_id: int, task: Mapping[str, Any]
) -> Order:
    """Everything as it is at this moment. Raises Refused if there would be no cluster."""
    job: dict[str, Any] = json.loads(run["settings"])
    cluster, cluster_id = _cluster(job, task), outcomes.cluster_id(task_run_id)
    who = run_access.identity(db, run["run_as"])
    for pool_id in (cluster.get("instance_pool_id"), cluster.get("driver_instance_pool_id")):
        if not pool_id:
            continue
        if (pool := find_pool(db, pool_id)) is None:
            reason = f"INVALID_ARGUMENT(CLIENT_ERROR): Can't find an instance pool with id: {pool_id}."
            raise Refused(outcomes.cluster_failed(cluster_id, reason))
        run_access.check_pool(db, who, cluster_id, pool_id, pool["instance_pool_name"])
    secrets: dict[tuple[str, str], bytes] = {}
    for scope, key in sorted(secret_references(cluster)):
        run_access.check_scope(db, who, cluster_id, scope)
        query = "SELECT value FROM secrets WHERE scope = ? AND key = ?"
        if row := db.execute(query, (scope, key)).fetchone():
            secrets[scope, key] = row["value"]
    objects = [tuple(row) for row in db.execute("SELECT path, content FROM objects ORDER BY path")]
    readable = run_access.readable(db, who)
    return Order(
        folder=log_file(home, task_run_id).parent,
        cluster_id=cluster_id,
        task=task,
        cluster=cluster,
        references=_references(run, job, task_run_id, task),
        secrets=secrets,
        run_as=who.name,
        objects=[(path, content) for path, content in objects if readable(path)],
        unreadable=frozenset(path for path, _ in objects if not readable(path)),
        volumes=volumes.root(home),
    )


def _cluster(job: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
    if "new_cluster" in task:
        return task["new_cluster"]
    for cluster in job.get("job_clusters", []):
        if cluster["job_cluster_key"] == task.get("job_cluster_key"):
            return cluster["new_cluster"]
    # The stand-in has none that exist already.
    name = task.get("existing_cluster_id")
    raise Refused(outcomes.error("RESOURCE_NOT_FOUND", f"Cluster '{name}' does not exist."))


def _references(run: sqlite3.Row, job: Mapping[str, Any], task_run_id: int, task: Mapping[str, Any]) -> dict[str, str]:
    """What `{{…}}` in a parameter can name."""
    parameters: dict[str, str] = {each["name"]: each["default"] for each in job.get("parameters", [])}
    parameters |= json.loads(run["parameters"])
    return {
        "job.id": str(run["job_id"]),
        "job.name": job["name"],
        "job.run_id": str(run["id"]),
        "task.name": task["task_key"],
        "task.run_id": str(task_run_id),
        **{f"job.parameters.{name}": value for name, value in parameters.items()},
    }
