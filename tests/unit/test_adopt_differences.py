"""What differs has a line that makes the settings agree, and shows no value that may be a secret."""

import json
from typing import Any

import pytest

from tests.unit.adoption_world import JOB, VARIABLES, World, job
from tests.unit.settings_cases import TRIGGER


@pytest.mark.parametrize(
    ("stands", "key", "line"),
    [
        ({"spark_version": "15.4.x-scala2.12"}, "sparkVersion", "15.4.x-scala2.12"),
        ({"use_ml_runtime": False}, "mlRuntime", False),
        ({"is_single_node": True}, "workers", 0),
        ({"num_workers": 3}, "workers", 3),
        ({"instance_pool_id": "p-other"}, "pool", "p-other"),
        ({"docker_image": {"url": "registry.example.com/x"}}, "containerImage", "registry.example.com/x"),
        (
            {"aws_attributes": {"instance_profile_arn": "arn:aws:iam::123456789012:instance-profile/x"}},
            "cloud",
            {"provider": "aws", "instanceProfileArn": "arn:aws:iam::123456789012:instance-profile/x"},
        ),
        (
            {"gcp_attributes": {"google_service_account": "x@example.iam.gserviceaccount.com"}},
            "cloud",
            {"provider": "gcp", "googleServiceAccount": "x@example.iam.gserviceaccount.com"},
        ),
        ({"spark_env_vars": {**VARIABLES, "X": "{{secrets/a/b}}"}}, "env", {"X": "{{secrets/a/b}}"}),
        ({"spark_env_vars": {**VARIABLES, "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "0"}}, "processPoolWorkers", 0),
    ],
)
def test_the_line_of_a_difference_makes_the_settings_agree(stands: dict[str, Any], key: str, line: Any) -> None:
    world = World()
    world.workspace.cluster.update(stands)
    assert world.lines() == {"orchestrators": {"gpu": {key: line}}}
    world.own |= world.lines()["orchestrators"]["gpu"]
    if key == "containerImage":
        world.own["mlRuntime"] = False
        world.workspace.cluster["use_ml_runtime"] = False
    assert world.differences() == {}


def test_what_all_orchestrators_share_has_its_lines_too() -> None:
    world = World()
    world.others = {"servicePrincipal": json.dumps({"create": True})}
    world.workspace.jobs[JOB] = (job(), "5ad0c0de-0000-4000-8000-00000000000a")
    variables = {**VARIABLES, "FIFTYONE_DATABASE_NAME": "other", "API_URL": "https://internal.example.com"}
    world.workspace.cluster["spark_env_vars"] = variables
    assert world.lines() == {
        "fiftyone:databaseName": "other",
        "fiftyone:workerApiUrl": "https://internal.example.com",
        "plugins": {"path": "/Workspace/plugins"},
        "secretScope": "theirs",
        "servicePrincipal": {"clientId": TRIGGER},
        "runAs": {"servicePrincipal": "5ad0c0de-0000-4000-8000-00000000000a"},
    }


def test_of_a_variable_and_of_a_secret_only_that_they_differ_is_shown() -> None:
    world = World()
    world.own["env"] = {"REGION": "one"}
    world.workspace.cluster["spark_env_vars"] = {**VARIABLES, "REGION": "'hidden one'"}
    world.workspace.held["FIFTYONE_ENCRYPTION_KEY"] = "hidden-other"
    shown = world.differences()
    assert set(shown) == {"orchestrators.gpu.env.REGION", "fiftyone:encryptionKey"}
    assert "hidden" not in str(shown)
    assert world.lines() == {}


def test_requirements_that_the_stacks_own_lacks_are_kept_by_a_line() -> None:
    world = World()
    world.own["requirements"] = ["einops"]
    world.workspace.files["/Workspace/x/requirements.txt"] = (
        "# by hand\nfiftyone==2.13.1\nultralytics\ntorch==2.6.0  # pinned\nmy-lib\n-r other.txt\n"
        "secret-lib @ https://user:hidden@example.com/x.whl\n"
    )
    assert world.lines() == {"orchestrators": {"gpu": {"requirements": ["einops", "torch==2.6.0", "my-lib"]}}}
    world.own["requirements"] = ["einops", "torch==2.6.0", "my-lib"]
    assert world.differences() == {}
    world.workspace.files = {"/Workspace/x/requirements.txt": "fiftyone==2.12.0"}
    assert "fiftyone==2.12.0 stands there" in world.differences()["orchestrators.gpu.requirements"]
    world.workspace.files = {"/Workspace/x/requirements.txt": "fiftyone @ https://user:hidden@example.com/x.whl"}
    assert "fiftyone by address" in world.differences()["orchestrators.gpu.requirements"]
    assert "hidden" not in str(world.differences())
    world.workspace.files.clear()
    assert "cannot be read from here" in world.differences()["orchestrators.gpu.requirements"]
