"""What a run may use, by whom it runs as: each missing grant ends it with a message that names what is missing."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import iam, workspace

from tests.emulator.emulator_harness import Principal, Runner, may_be_run_as, result

ME = "deployer@stand-in.invalid"
SUCCESS = ("TERMINATED", "SUCCESS", "SUCCESS")


@pytest.fixture
def folder(w: WorkspaceClient, name: str) -> str:
    """In the user's own folder, where nobody else may read."""
    path = f"/Users/{ME}/{name}"
    w.workspace.mkdirs(f"{path}/below")
    return path


@pytest.fixture
def upload(w: WorkspaceClient, folder: str) -> Callable[[str, str], str]:
    def write(path: str, content: str) -> str:
        target = f"{folder}/{path}"
        w.workspace.upload(target, io.BytesIO(content.encode()), format=workspace.ImportFormat.RAW)
        return f"/Workspace{target}"

    return write


@pytest.fixture
def bound(w: WorkspaceClient, runner: Runner, made: Principal) -> Callable[..., int]:
    """Makes jobs that run as the test's service principal."""
    may_be_run_as(w, made)

    def job(*tasks: dict[str, Any], **more: Any) -> int:
        return runner.job(*tasks, run_as={"service_principal_name": made.application_id}, **more)

    return job


def grant(w: WorkspaceClient, kind: str, number: object, principal: Principal, level: str) -> None:
    entry = iam.AccessControlRequest(
        service_principal_name=principal.application_id, permission_level=iam.PermissionLevel(level)
    )
    w.permissions.update(kind, str(number), access_control_list=[entry])


def task(file: str, **more: Any) -> dict[str, Any]:
    return {"task_key": "main", "job_cluster_key": "main", "spark_python_task": {"python_file": file}, **more}


def ended(runner: Runner, job_id: int) -> tuple[tuple[str, str, str], str]:
    """How a run of the job's one task ends, and what it says."""
    (found,) = runner.ended(runner.start(job_id))["tasks"]
    return result(found), found["state"]["state_message"]


# -- secret scopes


@pytest.mark.parametrize("level", workspace.AclPermission)
def test_a_secret_needs_a_permission_on_its_scope(
    w: WorkspaceClient, runner: Runner, made: Principal, bound: Callable[..., int], name: str,
    level: workspace.AclPermission,
) -> None:  # fmt: skip
    w.secrets.create_scope(name)
    w.secrets.put_secret(name, "KEY", string_value="value")
    job_id = bound(runner.task("main", "import os; assert os.environ['A']"), env={"A": f"{{{{secrets/{name}/KEY}}}}"})
    end, message = ended(runner, job_id)
    assert end == ("INTERNAL_ERROR", "FAILED", "CLUSTER_ERROR")
    assert f"User {made.application_id} does not have READ permission on scope {name}" in message
    w.secrets.put_acl(name, made.application_id, level)
    assert ended(runner, job_id)[0] == SUCCESS


def test_a_scope_of_everybody_is_a_service_principals_too(
    w: WorkspaceClient, runner: Runner, bound: Callable[..., int], name: str
) -> None:
    w.secrets.create_scope(name, initial_manage_principal="users")
    w.secrets.put_secret(name, "KEY", string_value="value")
    assert ended(runner, bound(runner.task("main", "print()"), env={"A": f"{{{{secrets/{name}/KEY}}}}"}))[0] == SUCCESS


def test_the_administrator_reads_every_scope(w: WorkspaceClient, runner: Runner, name: str) -> None:
    w.secrets.create_scope(name)
    w.secrets.put_secret(name, "KEY", string_value="value")
    w.secrets.delete_acl(name, ME)
    job_id = runner.job(runner.task("main", "print()"), env={"A": f"{{{{secrets/{name}/KEY}}}}"})
    assert ended(runner, job_id)[0] == SUCCESS


# -- instance pools


@pytest.mark.parametrize("level", ["CAN_ATTACH_TO", "CAN_MANAGE"])
@pytest.mark.parametrize("driver", [False, True])
def test_each_pool_of_a_cluster_needs_a_permission(
    w: WorkspaceClient, runner: Runner, made: Principal, bound: Callable[..., int], name: str, pool_id: str,
    level: str, driver: bool,
) -> None:  # fmt: skip
    other = w.instance_pools.create(f"{name}-2", "m5.xlarge").instance_pool_id or ""
    pools = {"instance_pool_id": other, "driver_instance_pool_id": pool_id} if driver else {"instance_pool_id": pool_id}
    grant(w, "instance-pools", other, made, level)
    cluster = {"spark_version": "16.4.x-scala2.13", "num_workers": 0, **pools}
    clusters = [{"job_cluster_key": "main", "new_cluster": cluster}]
    settings = runner.settings(runner.task("main", "print()"), run_as={"service_principal_name": made.application_id})
    job_id = runner.call("create", {**settings, "job_clusters": clusters})["job_id"]
    end, message = ended(runner, job_id)
    assert end == ("INTERNAL_ERROR", "FAILED", "CLUSTER_ERROR")
    lacks = f"User {made.application_id} does not have Can Attach To permissions on instance pool {name} ({pool_id})"
    assert lacks in message
    grant(w, "instance-pools", pool_id, made, level)
    assert ended(runner, job_id)[0] == SUCCESS


# -- workspace files


@pytest.mark.parametrize("above", [False, True])
def test_the_python_file_needs_a_permission_on_its_folder_or_one_above(
    w: WorkspaceClient, runner: Runner, made: Principal, bound: Callable[..., int], folder: str,
    upload: Callable[[str, str], str], above: bool,
) -> None:  # fmt: skip
    file = upload("below/main.py", "print('ran')")
    job_id = bound(task(file))
    end, message = ended(runner, job_id)
    assert end == ("INTERNAL_ERROR", "FAILED", "UNAUTHORIZED_ERROR")
    assert message == (
        f"Cannot read the python file {file}. Either it does not exist, or the identity used to run this job, "
        f"{made.application_id}, lacks the required permissions (CAN_READ)."
    )
    number = w.workspace.get_status(folder if above else f"{folder}/below").object_id
    grant(w, "directories", number, made, "CAN_READ")
    assert ended(runner, job_id)[0] == SUCCESS


def test_the_requirements_file_needs_a_permission_on_its_folder(
    w: WorkspaceClient, runner: Runner, made: Principal, bound: Callable[..., int], folder: str,
    upload: Callable[[str, str], str],
) -> None:  # fmt: skip
    requirements = upload("below/requirements.txt", "a==1\n")
    job_id = bound(runner.task("main", "print()", libraries=[{"requirements": requirements}]))
    end, message = ended(runner, job_id)
    assert end == ("INTERNAL_ERROR", "FAILED", "LIBRARY_INSTALLATION_ERROR")
    assert f"Permission denied: {made.application_id} lacks CAN_READ: '{requirements}'" in message
    grant(w, "directories", w.workspace.get_status(f"{folder}/below").object_id, made, "CAN_RUN")
    assert ended(runner, job_id)[0] == SUCCESS


def test_a_run_finds_the_files_that_it_may_read_and_no_others(
    runner: Runner, w: WorkspaceClient, made: Principal, bound: Callable[..., int], folder: str,
    upload: Callable[[str, str], str], name: str,
) -> None:  # fmt: skip
    upload("hidden.txt", "")
    upload("below/shown.txt", "")
    grant(w, "directories", w.workspace.get_status(f"{folder}/below").object_id, made, "CAN_READ")
    runner.upload("shared.txt", "")
    code = "import os, pathlib\nprint(sorted(p.name for p in pathlib.Path(os.environ['ROOT']).rglob('*.txt')))\n"

    def seen(job: Callable[..., int], root: str) -> str:
        run_id = runner.start(job(runner.task("main", code), env={"ROOT": f"/Workspace{root}"}))
        assert result(runner.ended(run_id)) == SUCCESS
        return runner.output(run_id)["logs"].strip()

    assert seen(bound, folder) == "['shown.txt']"
    assert seen(runner.job, folder) == "['hidden.txt', 'shown.txt']"
    assert seen(bound, f"/Shared/{name}") == "['shared.txt']"


def test_a_run_as_one_that_is_gone_fails(
    w: WorkspaceClient, runner: Runner, made: Principal, bound: Callable[..., int]
) -> None:
    job_id = bound(runner.task("main", "print()"))
    assert ended(runner, job_id)[0] == SUCCESS
    w.service_principals.delete(made.id)
    end, message = ended(runner, job_id)
    assert end == ("INTERNAL_ERROR", "FAILED", "UNAUTHORIZED_ERROR")
    assert message == f"Invalid user: '{made.application_id}' does not exist or deactivated"


# -- what directories inherit


def test_a_directory_shows_what_it_inherits_beside_its_own_entries(
    w: WorkspaceClient, made: Principal, folder: str, name: str
) -> None:
    above = w.workspace.get_status(folder).object_id
    number = str(w.workspace.get_status(f"{folder}/below").object_id)
    grant(w, "directories", above, made, "CAN_READ")
    grant(w, "directories", number, made, "CAN_MANAGE")

    def entries() -> dict[str, list[tuple[str, bool, list[str] | None]]]:
        return {
            entry.service_principal_name or entry.user_name or entry.group_name or "": [
                (level.permission_level.value, bool(level.inherited), level.inherited_from_object)
                for level in entry.all_permissions or []
                if level.permission_level
            ]
            for entry in w.permissions.get("directories", number).access_control_list or []
        }

    home = w.workspace.get_status(f"/Users/{ME}").object_id
    inherited = ("CAN_READ", True, [f"/directories/{above}"])
    others = {
        ME: [("CAN_MANAGE", True, [f"/directories/{home}"])],
        "admins": [("CAN_MANAGE", True, ["/directories/"])],
    }
    assert entries() == {made.application_id: [("CAN_MANAGE", False, None), inherited], **others}
    w.permissions.set("directories", number, access_control_list=[])
    assert entries() == {made.application_id: [inherited], **others}


def test_what_lies_in_shared_is_everybodys(w: WorkspaceClient, name: str) -> None:
    w.workspace.mkdirs(f"/Shared/{name}")
    shared = w.workspace.get_status("/Shared").object_id
    for path, inherited in ((f"/Shared/{name}", True), ("/Shared", None)):
        found = w.permissions.get("directories", str(w.workspace.get_status(path).object_id))
        (entry,) = [each for each in found.access_control_list or [] if each.group_name == "users"]
        (level,) = entry.all_permissions or []
        assert (level.permission_level, level.inherited or None) == (iam.PermissionLevel.CAN_MANAGE, inherited)
        assert level.inherited_from_object == ([f"/directories/{shared}"] if inherited else None)
