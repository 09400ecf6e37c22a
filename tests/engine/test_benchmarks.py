"""What is compared is the same, and what is counted is what was asked: the least of the benchmarks, on the engine."""

import sqlite3
from collections import Counter
from typing import Any

from benchmarks.stacks import Program, Subject, subject
from benchmarks.steps import take


def deployed(measured: Subject) -> dict[str, Any]:
    """What stands in the workspace, without what differs by name, and by who runs the jobs unless somebody is named."""
    w = measured.workspace.client
    (job,) = w.jobs.list(expand_tasks=True)
    assert job.job_id is not None
    settings = w.jobs.get(job.job_id).as_dict()["settings"]
    names: dict[str, str] = {}
    for pool in w.instance_pools.list():
        assert pool.instance_pool_id and pool.instance_pool_name
        names[pool.instance_pool_id] = pool.instance_pool_name.split("-")[3]
    for cluster in settings["job_clusters"]:
        for key in ("instance_pool_id", "driver_instance_pool_id"):
            cluster["new_cluster"][key] = names[cluster["new_cluster"][key]]
        # Its address is that of its own proxy.
        del cluster["new_cluster"]["spark_env_vars"]["API_URL"]
    settings.pop("run_as", None)
    grants = w.permissions.get("jobs", str(job.job_id)).as_dict()["access_control_list"]
    with sqlite3.connect(measured.workspace.home / "workspace.db") as db:
        secrets = db.execute("SELECT scope, key, value FROM secrets ORDER BY key").fetchall()
        files = db.execute("SELECT path, content FROM objects WHERE path LIKE '/Shared/%' ORDER BY path").fetchall()
        pools = [name for (name,) in db.execute("SELECT spec FROM pools ORDER BY name")]
    specs = [spec.replace(f"-{digest}", "") for spec, digest in zip(pools, _digests(pools), strict=True)]
    return {"job": settings, "grants": grants, "secrets": secrets, "files": files, "pools": specs}


def _digests(specs: list[str]) -> list[str]:
    """What the program puts at the end of a pool's name, and a bare one does not."""
    import json

    names = [json.loads(spec)["instance_pool_name"] for spec in specs]
    return [name.rpartition("-")[2] if len(name.split("-")) == 5 else "no digest" for name in names]


def test_the_programs_that_are_compared_deploy_the_same() -> None:
    found: dict[Program, dict[str, Any]] = {}
    for program in (Program.WITHOUT_FIFTYONE, Program.BARE, Program.BARE_WITH_OWN_TYPES):
        with subject(program) as measured:
            take(measured, "up, first")
            found[program] = deployed(measured)
    ours = found.pop(Program.WITHOUT_FIFTYONE)
    assert len(ours["files"]) == 3
    for other in found.values():
        assert other == ours


def test_a_step_is_counted_as_the_workspace_saw_it_and_providers_share_one_client() -> None:
    with subject(Program.WHOLE) as measured:
        first = take(measured, "up, first")
        asked = Counter(passed.path for passed in measured.proxy.passed)
        unchanged = take(measured, "up, no change")
    assert first.requests == asked.total()
    assert first.requests + unchanged.requests == len(measured.proxy.passed)
    assert first.writes == 16
    assert unchanged.writes == 0
    # One of the databricks provider, one of the client that all dynamic providers share.
    assert asked["/.well-known/databricks-config"] == 2
    assert {"engine", "program", "dynamic providers", "databricks provider"} <= first.processes.keys()
    assert all(usage.megabytes > 10 for usage in first.processes.values())
    assert first.processor_seconds > 1
