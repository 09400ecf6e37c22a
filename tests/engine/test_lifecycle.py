"""What `up` deploys is what the guide asks for, a second `up` changes nothing, `destroy` leaves nothing."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.engine.stack import SECRETS, Stack
from tests.engine.workspace import Workspace


def test_up_deploys_the_guide_field_for_field_and_says_so_in_its_outputs(deployed: Stack) -> None:
    outputs, workspace = deployed.outputs(), deployed.workspace
    found = outputs["orchestrators"]["gpu"]
    assert (outputs["secretScope"], outputs["workspaceDir"]) == ("fiftyone-test", "/Workspace/Shared/fiftyone-test")
    assert (found["executionTaskKey"], found["registrationTaskKey"]) == ("execute_task", "register_task")
    assert found["jobUrl"].startswith(workspace.address)

    w = workspace.client
    execution, registration = (w.instance_pools.get(found[key]) for key in ("poolId", "registrationPoolId"))
    assert (execution.node_type_id, execution.max_capacity) == ("g2-standard-8", 20)
    assert (registration.node_type_id, registration.max_capacity) == ("c3-standard-4-lssd", 2)
    for pool in (execution, registration):
        assert pool.preloaded_spark_versions == ["16.4.x-scala2.13"]
        assert pool.idle_instance_autotermination_minutes == 15
        assert pool.enable_elastic_disk

    job = w.jobs.get(int(found["jobId"])).settings
    assert job is not None
    body = job.as_dict()
    assert body["queue"] == {"enabled": True}
    assert body["parameters"] == [{"name": "command", "default": "fiftyone --version"}]
    assert body["max_concurrent_runs"] == 3
    assert body["tags"] == {"pulumi-stack": "fiftyone-databricks.test.gpu"}
    clusters = {entry["job_cluster_key"]: entry["new_cluster"] for entry in body["job_clusters"]}
    assert clusters["execution"]["instance_pool_id"] == found["poolId"]
    assert clusters["registration"]["instance_pool_id"] == found["registrationPoolId"]
    assert clusters["execution"]["use_ml_runtime"]
    for cluster in clusters.values():
        assert cluster["data_security_mode"] == "DATA_SECURITY_MODE_DEDICATED"
        assert (cluster["kind"], cluster["runtime_engine"], cluster["num_workers"]) == (
            "CLASSIC_PREVIEW",
            "STANDARD",
            1,
        )
        assert cluster["spark_env_vars"]["PIP_EXTRA_INDEX_URL"] == "{{secrets/fiftyone-test/FIFTYONE_PYPI_URL}}"
    for task, cluster in zip(body["tasks"], ("execution", "registration"), strict=True):
        assert task["job_cluster_key"] == cluster
        entrypoint, requirements = task["spark_python_task"]["python_file"], task["libraries"][0]["requirements"]
        for path in (entrypoint, requirements):
            assert w.workspace.get_status(path).object_type is not None

    assert {key: workspace.secret("fiftyone-test", key) for key in SECRETS} == SECRETS


def test_every_resource_is_a_components_child_and_every_component_registers_outputs(deployed: Stack) -> None:
    resources = json.loads(deployed.state())["deployment"]["resources"]
    components = {entry["urn"]: entry for entry in resources if entry["type"].startswith("fiftyone-databricks:")}
    assert len(components) == 7
    assert all(component["outputs"] for component in components.values())
    own = [entry for entry in resources if entry["type"].startswith(("databricks:", "pulumi-python:"))]
    assert own
    assert all(entry["parent"] in components for entry in own)


def test_a_second_up_changes_nothing_and_writes_nothing(deployed: Stack) -> None:
    workspace = deployed.workspace
    before = len(workspace.requests())
    second = deployed.up("--expect-no-changes")
    assert "warning" not in second.output.lower()
    assert workspace.writes(since=before) == []
    # Nothing is asked either, beyond the provider's own discovery of the workspace.
    asked = Counter(request["path"] for request in workspace.requests()[before:])
    del asked["/.well-known/databricks-config"]
    assert asked == Counter()


def test_a_refresh_of_what_nobody_touched_changes_nothing(deployed: Stack) -> None:
    deployed.succeeds("refresh", "--yes", "--run-program", "--expect-no-changes")


def test_destroy_leaves_nothing(stack: Stack, workspace: Workspace) -> None:
    stack.up()
    assert not workspace.is_empty()
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_orchestrators_of_a_stack_share_scope_and_entrypoint(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    orchestrators: dict[str, Any] = {
        "cpu": {"nodeType": "c3-standard-4-lssd", "workers": 0},
        "gpu": {"nodeType": "g2-standard-8", "requirements": ["torch==2.6.0"]},
    }
    stack = new_stack(orchestrators=orchestrators)
    stack.up()
    w = workspace.client
    assert [scope.name for scope in w.secrets.list_scopes()] == ["fiftyone-test"]
    files = {str(entry.path).rpartition("/")[2] for entry in w.workspace.list("/Shared/fiftyone-test")}
    assert files == {"entrypoint.py", "cpu-requirements.txt", "gpu-requirements.txt"}
    outputs = stack.outputs()["orchestrators"]
    jobs = {name: w.jobs.get(int(found["jobId"])).settings for name, found in outputs.items()}
    entrypoints = {job.tasks[0].spark_python_task.python_file for job in jobs.values()}  # pyright: ignore
    assert entrypoints == {"/Workspace/Shared/fiftyone-test/entrypoint.py"}
    assert _waits_for_files(stack, "gpu") == {"entrypoint.py", "gpu-requirements.txt"}
    # A stack whose clusters have no workers, no registration pool and extra pins settles at once as well.
    stack.up("--expect-no-changes")


def _waits_for_files(stack: Stack, instance_id: str) -> set[str]:
    """The files that an orchestrator's job waits for."""
    resources = json.loads(stack.state())["deployment"]["resources"]
    (job,) = [entry for entry in resources if entry["urn"].endswith(f"fiftyone-databricks:index:Job::{instance_id}")]
    return {urn.rpartition("::")[2] for urn in job["dependencies"] if "workspaceFile:WorkspaceFile" in urn}


def test_existing_pool_and_scope_are_used_and_left_alone(new_stack: Callable[..., Stack], workspace: Workspace) -> None:
    w = workspace.client
    w.secrets.create_scope("shared")
    pool = w.instance_pools.create("shared-pool", "c3-standard-4-lssd").instance_pool_id
    stack = new_stack(orchestrators={"gpu": {"pool": pool}}, secretScope={"name": "shared", "existing": True})
    stack.up()
    found = stack.outputs()["orchestrators"]["gpu"]
    assert found["poolId"] == pool
    assert list(w.secrets.list_secrets("shared")) == []
    stack.succeeds("destroy", "--yes", "--run-program")
    assert [scope.name for scope in w.secrets.list_scopes()] == ["shared"]
    assert [entry.instance_pool_id for entry in w.instance_pools.list()] == [pool]
