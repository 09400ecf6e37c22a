"""Each link of the chain broken by hand in the workspace: `make verify` names it and none else, and how to mend it."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel, RuleSetUpdateRequest
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.workspace import ImportFormat

from emulator.identity import ACCOUNT_ID
from tests.engine.fiftyone import INSTANCE, REPORT, write_operators
from tests.engine.stack import Stack
from tests.engine.verifying import mend, passes, undone, verify
from tests.engine.workspace import Workspace

SCOPE, FOLDER = "fiftyone-test", "/Shared/fiftyone-test"
REFRESH_AND_UP = "`make refresh STACK=test && make up STACK=test`"
Break = Callable[[Stack], object]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with all that can be in the workspace; each case leaves it whole."""
    root = tmp_path_factory.mktemp("verify")
    workspace = Workspace.start(root / "workspace")
    try:
        runs_as = workspace.client.service_principals.create(display_name="runs").application_id
        write_operators(root / "plugins", "first")
        (root / "project").mkdir()
        stack = Stack.create(
            root / "project",
            workspace,
            plugins={"source": str(root / "plugins")},
            runAs={"servicePrincipal": runs_as},
            servicePrincipal={"create": True},
        )
        stack.orchestrator(registrationCommand=REPORT)
        stack.up()
        yield stack
    finally:
        workspace.stop()


def outputs(stack: Stack) -> dict[str, Any]:
    return stack.outputs()["orchestrators"][INSTANCE]


def runs_as(stack: Stack) -> str:
    return stack.settings["runAs"]["servicePrincipal"]


def resource(stack: Stack, name: str, kind: str) -> dict[str, Any]:
    entries: list[dict[str, Any]] = json.loads(stack.state())["deployment"]["resources"]
    return next(each for each in entries if each["urn"].endswith(f"{kind}::{name}"))


def change_pool(stack: Stack) -> None:
    pools, pool_id = stack.workspace.client.instance_pools, outputs(stack)["poolId"]
    pool = pools.get(pool_id)
    pools.edit(
        pool_id,
        pool.instance_pool_name or "",
        pool.node_type_id or "",
        max_capacity=7,
        idle_instance_autotermination_minutes=15,
    )


def overwrite(stack: Stack, path: str) -> None:
    stack.workspace.client.workspace.upload(path, b"print()", format=ImportFormat.RAW, overwrite=True)


def change_job(stack: Stack) -> None:
    stack.workspace.client.jobs.update(int(outputs(stack)["jobId"]), new_settings=JobSettings(max_concurrent_runs=1))


def take_entries(stack: Stack, kind: str, object_id: str) -> None:
    """Take all entries of service principals away from an object."""
    permissions = stack.workspace.client.permissions
    kept = [
        AccessControlRequest(user_name=entry.user_name, permission_level=permission.permission_level)
        for entry in permissions.get(kind, object_id).access_control_list or []
        for permission in entry.all_permissions or []
        if entry.user_name and not permission.inherited
    ]
    permissions.set(kind, object_id, access_control_list=kept)


def give_to_users(stack: Stack) -> None:
    entry = AccessControlRequest(group_name="users", permission_level=PermissionLevel.CAN_MANAGE_RUN)
    stack.workspace.client.permissions.update("jobs", outputs(stack)["jobId"], access_control_list=[entry])


def take_role(stack: Stack) -> None:
    name = f"accounts/{ACCOUNT_ID}/servicePrincipals/{runs_as(stack)}/ruleSets/default"
    rules = stack.workspace.client.account_access_control_proxy
    etag = rules.get_rule_set(name, "").etag
    rules.update_rule_set(name, RuleSetUpdateRequest(name=name, etag=etag or "", grant_rules=[]))


def delete_credential(stack: Stack) -> None:
    state = resource(stack, "credential", "Credential")["outputs"]
    stack.workspace.client.service_principal_secrets_proxy.delete(state["principalId"], state["secretId"])


def double_job(stack: Stack) -> None:
    jobs: Any = stack.workspace.client.jobs
    settings = jobs.get(int(outputs(stack)["jobId"])).settings
    jobs.create(name="another", tags=settings.tags, tasks=settings.tasks, job_clusters=settings.job_clusters)


def another_secret(stack: Stack) -> None:
    principal = resource(stack, "credential", "Credential")["outputs"]["principalId"]
    stack.workspace.client.service_principal_secrets_proxy.create(principal)


def interrupt(stack: Stack) -> None:
    """What the engine leaves in the state when it is killed in a create; `pulumi stack import` would drop it."""
    file = stack.folder / "state/.pulumi/stacks/fiftyone-databricks/test.json"
    content = json.loads(file.read_text())
    latest = content["checkpoint"]["latest"]
    scope = next(each for each in latest["resources"] if each["type"].endswith(":SecretScope") and "id" in each)
    left = {name: value for name, value in scope.items() if name not in ("id", "outputs")}
    latest["pending_operations"] = [{"resource": {**left, "urn": f"{scope['urn']}-lost"}, "type": "creating"}]
    file.write_text(json.dumps(content))


def lock(stack: Stack) -> None:
    """A lock of a process that is no more, as the engine writes it."""
    folder = stack.folder / "state/.pulumi/locks/organization/fiftyone-databricks/test"
    folder.mkdir(parents=True, exist_ok=True)
    ended = {
        "pid": 2**22 + 1,
        "username": "somebody",
        "hostname": socket.gethostname(),
        "timestamp": "2026-01-01T00:00:00Z",
    }
    (folder / "9d2c6b0e.json").write_text(json.dumps(ended))


# What is done to it, what is named then, and the command that is named.
CASES: dict[str, tuple[Break, str, str]] = {
    "pool deleted": (
        lambda stack: stack.workspace.client.instance_pools.delete(outputs(stack)["poolId"]),
        "pool gpu-execution: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "pool changed": (change_pool, "pool gpu-execution: changed since it was deployed: max_capacity", REFRESH_AND_UP),
    "access to pool taken": (
        lambda stack: take_entries(stack, "instance-pools", outputs(stack)["poolId"]),
        "permissions gpu-execution: {runs_as} lacks CAN_ATTACH_TO",
        REFRESH_AND_UP,
    ),
    "scope deleted": (
        lambda stack: stack.workspace.client.secrets.delete_scope(SCOPE),
        "scope fiftyone-test: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "secret deleted": (
        lambda stack: stack.workspace.client.secrets.delete_secret(SCOPE, "FIFTYONE_DATABASE_URI"),
        "secret FIFTYONE_DATABASE_URI: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "access to scope taken": (
        lambda stack: stack.workspace.client.secrets.delete_acl(SCOPE, runs_as(stack)),
        "access to scope, fiftyone-test for {runs_as}: ",
        REFRESH_AND_UP,
    ),
    "folder deleted": (
        lambda stack: stack.workspace.client.workspace.delete(FOLDER, recursive=True),
        "folder /Shared/fiftyone-test: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "access to folder taken": (
        lambda stack: take_entries(
            stack, "directories", str(stack.workspace.client.workspace.get_status(FOLDER).object_id)
        ),
        "permissions run-as-folder: {runs_as} lacks CAN_READ",
        REFRESH_AND_UP,
    ),
    "file deleted": (
        lambda stack: stack.workspace.client.workspace.delete(f"{FOLDER}/entrypoint.py"),
        "file entrypoint.py: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "file changed": (
        lambda stack: overwrite(stack, f"{FOLDER}/gpu-requirements.txt"),
        "file gpu-requirements.txt: its content is not what was deployed",
        f"`databricks workspace delete {FOLDER}/gpu-requirements.txt`, then {REFRESH_AND_UP}",
    ),
    "archive deleted": (
        lambda stack: stack.workspace.client.workspace.delete(stack.outputs()["pluginsDir"]),
        "archive of plugins: the file is not there",
        REFRESH_AND_UP,
    ),
    "archive changed": (
        lambda stack: overwrite(stack, stack.outputs()["pluginsDir"]),
        ".tar: its content is not what was deployed",
        REFRESH_AND_UP,
    ),
    "job deleted": (
        lambda stack: stack.workspace.client.jobs.delete(int(outputs(stack)["jobId"])),
        "job gpu: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "job changed": (change_job, "job gpu: changed since it was deployed: max_concurrent_runs", REFRESH_AND_UP),
    "right to start the job taken": (
        lambda stack: take_entries(stack, "jobs", outputs(stack)["jobId"]),
        "permissions gpu-job: {trigger} lacks CAN_MANAGE_RUN",
        REFRESH_AND_UP,
    ),
    "right to start the job given to all": (
        give_to_users,
        "permissions gpu-job: users has CAN_MANAGE_RUN, which was not deployed",
        REFRESH_AND_UP,
    ),
    "role taken": (take_role, "role on service principal, ", REFRESH_AND_UP),
    "service principal deleted": (
        lambda stack: stack.workspace.client.service_principals.delete(
            resource(stack, "trigger", "servicePrincipal:ServicePrincipal")["id"]
        ),
        "service principal trigger: the state has it, and it is not there",
        REFRESH_AND_UP,
    ),
    "credential deleted": (
        delete_credential,
        "the credential that FiftyOne starts jobs with was deleted in Databricks, or has ended",
        "`make rotate STACK=test`",
    ),
    "a second job": (double_job, "jobs: job ", "`databricks jobs delete "),
    "a second service principal": (
        lambda stack: stack.workspace.client.service_principals.create(display_name="fiftyone-test"),
        "is called fiftyone-test too and is not in the state",
        "`databricks service-principals delete ",
    ),
    "a secret too many": (
        another_secret,
        "is neither the one that FiftyOne holds nor the one before",
        "`LOOK_FOR_LEFT_OVERS=yes make up STACK=test`",
    ),
    "an operation without an end": (
        interrupt,
        "nothing pending: a run was interrupted at creating scope-lost",
        "`make up STACK=test`, which finds out",
    ),
    "a lock of a dead run": (lock, "not locked: process 4194305 of somebody", "`make up STACK=test`"),
}


def test_a_healthy_stack_passes_and_its_jobs_run_as_the_registered_identity(stack: Stack) -> None:
    before = len(runs(stack))
    verified = passes(stack, run=True)
    client_id = stack.outputs()["servicePrincipalClientId"]
    assert f"gives {client_id} a token; its secret is 0 of 60 days old, ends on" in verified.output
    assert verified.unchecked == []
    made = runs(stack)[before:]
    assert sorted(task.task_key for run in made for task in run.tasks) == ["execute_task", "register_task"]
    assert {run.creator_user_name for run in made} == {client_id}
    assert "run of execute_task" in verified.output or "of execute_task succeeded" in verified.output


def test_without_a_run_it_starts_none_and_changes_nothing(stack: Stack) -> None:
    before = len(stack.workspace.requests())
    verified = passes(stack)
    assert "run: not checked because RUN=no leaves it out" in verified.output
    # FiftyOne's identity signs in; that is all.
    assert set(stack.workspace.writes(since=before)) == {"/oidc/v1/token"}


@pytest.mark.parametrize("case", CASES)
def test_what_is_broken_is_named_with_what_mends_it_and_none_else(stack: Stack, case: str) -> None:
    act, named, command = CASES[case]
    named = named.format(runs_as=runs_as(stack), trigger=stack.outputs()["servicePrincipalClientId"])
    with undone(stack):
        act(stack)
        verified = verify(stack)
    assert verified.code == 1
    (broken,) = verified.broken
    assert named in broken
    assert command in verified.mend


@pytest.mark.parametrize(
    "cases",
    [
        ("an operation without an end",),
        ("a lock of a dead run",),
        ("credential deleted", "a second job", "a second service principal"),
        ("scope deleted", "folder deleted", "service principal deleted", "pool deleted", "job deleted"),
        (
            *("pool changed", "access to pool taken", "secret deleted", "access to scope taken"),
            *("access to folder taken", "file deleted", "file changed", "archive changed", "job changed"),
            *("right to start the job taken", "right to start the job given to all", "role taken"),
            "a secret too many",
        ),
    ],
    ids=lambda cases: cases[0],
)
def test_the_commands_that_it_names_mend_what_is_broken(stack: Stack, cases: tuple[str, ...]) -> None:
    for case in cases:
        CASES[case][0](stack)
    verified = verify(stack)
    assert verified.code == 1
    mend(stack, verified.mend)
    passes(stack)


def test_a_workspace_that_refuses_is_named_and_what_needs_it_is_not_checked(stack: Stack) -> None:
    verified = verify(stack, DATABRICKS_TOKEN="hidden-wrong")
    (broken,) = verified.broken
    assert broken.startswith("workspace: the workspace: it does not answer, or refuses: Invalid access token")
    assert any("job gpu" in line and "the workspace is not right" in line for line in verified.unchecked)


def test_a_state_that_cannot_be_read_is_named(stack: Stack, tmp_path: Path) -> None:
    verified = verify(stack, PULUMI_CONFIG_PASSPHRASE="hidden-wrong")
    (broken,) = verified.broken
    assert broken.startswith("state: Pulumi cannot read it: ")
    assert "passphrase" in verified.output


def runs(stack: Stack) -> list[Any]:
    """All runs of the job, the oldest first."""
    job_id = int(outputs(stack)["jobId"])
    return list(stack.workspace.client.jobs.list_runs(job_id=job_id, expand_tasks=True))[::-1]
