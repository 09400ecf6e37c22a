"""What changes in place changes in place; what cannot is replaced without an outage; a secret is never lost."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.engine.stack import SECRETS, Stack
from tests.engine.workspace import Workspace


@pytest.fixture
def deployed(stack: Stack) -> Iterator[Stack]:
    """A stack that stands; whatever a test changes must settle, and destroy must leave nothing."""
    stack.up()
    yield stack
    stack.up("--expect-no-changes")
    stack.succeeds("destroy", "--yes", "--run-program")
    assert stack.workspace.is_empty()


def job_id(stack: Stack) -> str:
    return stack.outputs()["orchestrators"]["gpu"]["jobId"]


def test_a_pool_that_cannot_be_edited_is_created_anew_before_the_job_moves_and_the_old_one_goes(
    deployed: Stack, workspace: Workspace
) -> None:
    before, old = len(workspace.requests()), job_id(deployed)
    deployed.orchestrator(nodeType="g2-standard-16")
    plan = deployed.succeeds("preview", "--show-replacement-steps")
    steps = [plan.output.index(f"{step} [") for step in ("gpu-execution create replacement", "Job gpu update")]
    assert steps == sorted(steps)
    assert plan.output.index("gpu-execution delete original") > steps[-1]
    assert workspace.writes(since=before) == []
    deployed.up()
    steps = [path.rpartition("/2.")[2] for path in workspace.writes(since=before)]
    assert steps == ["0/instance-pools/create", "2/jobs/reset", "0/instance-pools/delete"]
    assert job_id(deployed) == old


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"provider": "aws", "availability": "SPOT"}, None),
        ({"provider": "aws", "zone": "us-west-2a"}, {"provider": "aws"}),
        ({"provider": "gcp", "disks": {"count": 2}}, {"provider": "gcp"}),
    ],
)
def test_a_fixed_property_that_is_dropped_replaces_the_pool_as_well(
    deployed: Stack, workspace: Workspace, before: Any, after: Any
) -> None:
    def pool() -> tuple[str, Any]:
        found = deployed.outputs()["orchestrators"]["gpu"]["poolId"]
        attributes = workspace.client.instance_pools.get(found).as_dict()
        return found, {name: attributes.get(name) for name in ("aws_attributes", "gcp_attributes")}

    deployed.orchestrator(cloud=after)
    deployed.up()
    _, plain = pool()
    deployed.orchestrator(cloud=before)
    deployed.up()
    old, with_property = pool()
    assert with_property != plain
    deployed.orchestrator(cloud=after)
    deployed.up()
    new, without_property = pool()
    assert new != old
    assert without_property == plain


@pytest.mark.parametrize(
    ("cloud", "identity", "block"),
    [
        ("aws", {"instanceProfileArn": "arn:aws:iam::123456789012:instance-profile/workers"}, "aws_attributes"),
        ("gcp", {"googleServiceAccount": "workers@example.iam.gserviceaccount.com"}, "gcp_attributes"),
    ],
)
def test_a_cloud_identity_that_is_dropped_leaves_the_clusters(
    deployed: Stack, workspace: Workspace, cloud: str, identity: dict[str, str], block: str
) -> None:
    def blocks() -> list[Any]:
        settings = workspace.client.jobs.get(int(job_id(deployed))).settings
        assert settings is not None
        return [entry["new_cluster"].get(block) for entry in settings.as_dict()["job_clusters"]]

    deployed.orchestrator(cloud={"provider": cloud, **identity})
    deployed.up()
    assert all(next(iter(identity.values())) in found.values() for found in blocks())
    deployed.orchestrator(cloud={"provider": cloud})
    deployed.up()
    assert not any(blocks())


def test_a_pool_is_edited_where_it_can_be(deployed: Stack, workspace: Workspace) -> None:
    before = len(workspace.requests())
    deployed.orchestrator(maxCapacity=9, idleMinutes=5, tags={"team": "vision"})
    deployed.up()
    assert {path.rpartition("/")[2] for path in workspace.writes(since=before)} == {"edit"}


def test_the_job_keeps_its_id_through_every_change_of_its_settings(deployed: Stack, workspace: Workspace) -> None:
    before, old = len(workspace.requests()), job_id(deployed)
    for entries in (
        {"workers": 0, "maxConcurrentRuns": 2, "timeoutMinutes": 60, "processPoolWorkers": 0},
        {"workers": 3, "env": {"LEVEL": "it's $HOME"}, "mlRuntime": False, "containerImage": "registry.invalid/a/b:1"},
    ):
        deployed.orchestrator(**entries)
        deployed.up()
        assert job_id(deployed) == old
    assert not any("jobs/create" in path or "jobs/delete" in path for path in workspace.writes(since=before))


def test_a_changed_secret_is_there_at_every_moment_and_holds_the_new_value(
    deployed: Stack, workspace: Workspace
) -> None:
    before = len(workspace.requests())
    deployed.environ["FIFTYONE_ENCRYPTION_KEY"] = "hidden-new-key"
    run = deployed.up()
    assert workspace.writes(since=before) == ["/api/2.0/secrets/put"]
    assert workspace.secret("fiftyone-test", "FIFTYONE_ENCRYPTION_KEY") == "hidden-new-key"
    assert run.operations("updated") == ["FIFTYONE_ENCRYPTION_KEY"]


def test_a_removed_secret_is_gone_and_the_others_stay(deployed: Stack, workspace: Workspace) -> None:
    settings = deployed.settings
    deployed.secret("secretEnv.MODEL_TOKEN", "hidden-model-token")
    deployed.up()
    assert workspace.secret("fiftyone-test", "MODEL_TOKEN") == "hidden-model-token"
    deployed.settings = settings
    deployed.up()
    keys = {secret.key for secret in workspace.client.secrets.list_secrets("fiftyone-test")}
    assert keys == set(SECRETS)


def test_another_scope_and_folder_hold_everything_before_the_job_moves(deployed: Stack, workspace: Workspace) -> None:
    before, old = len(workspace.requests()), job_id(deployed)
    deployed.settings = {**deployed.settings, "secretScope": "other", "workspaceDir": "/Workspace/Shared/other/folder"}
    deployed.up()
    steps = workspace.writes(since=before)
    moved = next(index for index, path in enumerate(steps) if "jobs/reset" in path)
    assert not any("delete" in path for path in steps[:moved])
    assert not any("put" in path or "import" in path or "create" in path for path in steps[moved:])
    assert {key: workspace.secret("other", key) for key in SECRETS} == SECRETS
    assert job_id(deployed) == old
    # The parent that mkdirs made is not the stack's, and is left by destroy.
    deployed.settings = {**deployed.settings, "workspaceDir": "/Workspace/Shared/other-folder"}
    deployed.up()
    workspace.client.workspace.delete("/Shared/other")


def test_an_orchestrator_that_is_dropped_takes_only_its_own_with_it(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    stack = new_stack(orchestrators={name: {"nodeType": "c3-standard-4-lssd"} for name in ("a", "b")})
    stack.up()
    kept = stack.outputs()["orchestrators"]["a"]
    stack.settings = {**stack.settings, "orchestrators": {"a": {"nodeType": "c3-standard-4-lssd"}}}
    stack.up()
    assert stack.outputs()["orchestrators"] == {"a": kept}
    w = workspace.client
    assert [str(job.job_id) for job in w.jobs.list()] == [kept["jobId"]]
    assert [pool.instance_pool_id for pool in w.instance_pools.list()] == [kept["poolId"]]
    assert {key: workspace.secret("fiftyone-test", key) for key in SECRETS} == SECRETS


def test_protection_refuses_to_delete_scope_job_and_registration(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    stack = new_stack(protect=True)
    stack.up()
    before = len(workspace.requests())
    run = stack.pulumi("destroy", "--yes", "--run-program", "--stack", stack.name)
    assert run.code != 0
    assert "protect" in run.output
    assert workspace.writes(since=before) == []
    resources = json.loads(stack.state())["deployment"]["resources"]
    protected = {entry["type"] for entry in resources if entry.get("protect")}
    assert protected == {
        "databricks:index/secretScope:SecretScope",
        "databricks:index/job:Job",
        "pulumi-python:dynamic/fiftyone:Orchestrator",
    }


def test_refresh_notices_what_was_deleted_behind_our_back_and_up_mends_it(stack: Stack, workspace: Workspace) -> None:
    stack.up()
    w = workspace.client
    found = stack.outputs()["orchestrators"]["gpu"]
    w.secrets.delete_secret("fiftyone-test", "FIFTYONE_PYPI_URL")
    w.workspace.delete("/Shared/fiftyone-test/entrypoint.py")
    w.jobs.delete(int(found["jobId"]))
    refresh = stack.succeeds("refresh", "--yes", "--run-program")
    gone = ["FIFTYONE_PYPI_URL", "entrypoint.py", "gpu", "gpu-job"]
    assert sorted(refresh.operations("deleted")) == gone
    assert sorted(stack.up().operations("created")) == gone
    stack.up("--expect-no-changes")
    assert workspace.secret("fiftyone-test", "FIFTYONE_PYPI_URL") == SECRETS["FIFTYONE_PYPI_URL"]
