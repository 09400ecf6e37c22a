"""Three identities: what each may do is granted, nothing else is, and what is missing is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.errors import OperationFailed
from databricks.sdk.service.iam import AccessControlRequest, GrantRule, PermissionLevel, RuleSetUpdateRequest
from databricks.sdk.service.workspace import AclPermission

from emulator.identity import ACCOUNT_ID, APPLICATION_ID
from emulator.store import ME
from tests.engine.fiftyone import FiftyOne
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace

# Not below /Shared, where everybody may read.
PRIVATE = f"/Workspace/Users/{ME}/fiftyone-test"
USER_ROLE = "roles/servicePrincipal.user"
OPERATOR = "@example/hello/first"


class Runner:
    """A service principal for jobs to run as, and a pool that is not the stack's; somebody made them before it."""

    def __init__(self, workspace: Workspace) -> None:
        self.client = workspace.client
        self.id = self.client.service_principals.create(display_name="runner").application_id or ""
        pool = self.client.instance_pools.create("theirs", "c3-standard-4-lssd", max_capacity=4)
        self.pool = pool.instance_pool_id or ""

    def settings(self, **others: Any) -> dict[str, Any]:
        orchestrator = {"nodeType": "g2-standard-8", "registrationPool": self.pool}
        return {
            "servicePrincipal": {"create": True},
            "runAs": {"servicePrincipal": self.id},
            "workspaceDir": PRIVATE,
            "orchestrators": {"gpu": orchestrator},
            **others,
        }

    @property
    def rule_set(self) -> str:
        return f"accounts/{ACCOUNT_ID}/servicePrincipals/{self.id}/ruleSets/default"

    def holders(self) -> list[str]:
        found = self.client.account_access_control_proxy.get_rule_set(self.rule_set, "")
        return [who for rule in found.grant_rules or [] if rule.role == USER_ROLE for who in rule.principals or []]

    def write_holders(self, *holders: str) -> None:
        found = self.client.account_access_control_proxy.get_rule_set(self.rule_set, "")
        rules = [rule for rule in found.grant_rules or [] if rule.role != USER_ROLE]
        rules += [GrantRule(role=USER_ROLE, principals=list(holders))] if holders else []
        update = RuleSetUpdateRequest(name=self.rule_set, etag=found.etag or "", grant_rules=rules)
        self.client.account_access_control_proxy.update_rule_set(self.rule_set, update)

    def pool_entries(self, pool_id: str) -> dict[str, str]:
        return entries(self.client, "instance-pools", pool_id)


def entries(client: Any, kind: str, number: str) -> dict[str, str]:
    """Who has what directly on an object."""
    found = client.permissions.get(kind, number)
    return {
        entry.service_principal_name or entry.user_name or entry.group_name: permission.permission_level.value
        for entry in found.access_control_list
        for permission in entry.all_permissions
        if not permission.inherited
    }


def failure(workspace: Workspace, run_id: int) -> str:
    """How a run failed, in the platform's words; the test fails where it did not."""
    with pytest.raises(OperationFailed) as failed:
        workspace.ended(run_id)
    return str(failed.value)


@pytest.fixture
def runner(workspace: Workspace) -> Runner:
    return Runner(workspace)


def test_a_run_has_what_it_needs_and_each_grant_that_is_taken_away_is_named_and_given_back(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne, runner: Runner, source: Path
) -> None:
    stack = new_stack(**runner.settings(plugins={"source": str(source)}))
    stack.up()
    client, outputs = workspace.client, stack.outputs()
    job_id, pool_id = (outputs["orchestrators"]["gpu"][name] for name in ("jobId", "poolId"))
    trigger = outputs["servicePrincipalClientId"]
    folder = str(client.workspace.get_status(PRIVATE.removeprefix("/Workspace")).object_id)

    # Nobody has more than is needed, or other than whom it is meant for.
    assert entries(client, "jobs", job_id) == {ME: "IS_OWNER", trigger: "CAN_MANAGE_RUN"}
    assert runner.pool_entries(pool_id) == {ME: "CAN_MANAGE", runner.id: "CAN_ATTACH_TO"}
    assert runner.pool_entries(runner.pool)[runner.id] == "CAN_ATTACH_TO"
    assert entries(client, "directories", folder).get(runner.id) == "CAN_READ"
    acls = {acl.principal: acl.permission for acl in client.secrets.list_acls("fiftyone-test")}
    assert acls == {ME: AclPermission.MANAGE, runner.id: AclPermission.READ}
    assert runner.holders() == [f"users/{ME}"]
    run_as = client.jobs.get(int(job_id)).run_as_user_name
    assert run_as == runner.id

    def runs() -> int:
        """Started by FiftyOne, with what it holds: an operation, whose clusters are on the stack's pool."""
        return fiftyone.delegate(OPERATOR)

    assert workspace.ended(runs()) == "SUCCESS"
    assert workspace.ended(fiftyone.refresh()) == "SUCCESS"

    client.secrets.delete_acl("fiftyone-test", runner.id)
    message = failure(workspace, runs())
    assert f"{runner.id} does not have READ permission on scope fiftyone-test" in message
    # Put back, so that the next one is what a run fails for; taken away again below, for the stack to give.
    client.secrets.put_acl("fiftyone-test", runner.id, AclPermission.READ)

    client.permissions.set("instance-pools", pool_id, access_control_list=[])
    message = failure(workspace, runs())
    assert f"{runner.id} does not have Can Attach To permissions on instance pool" in message
    assert pool_id in message

    give = AccessControlRequest(service_principal_name=runner.id, permission_level=PermissionLevel.CAN_ATTACH_TO)
    client.permissions.set("instance-pools", pool_id, access_control_list=[give])
    client.permissions.set("directories", folder, access_control_list=[])
    message = failure(workspace, runs())
    assert f"{PRIVATE}/entrypoint.py" in message or f"{PRIVATE}/gpu-requirements.txt" in message
    assert runner.id in message
    assert "CAN_READ" in message

    client.permissions.set("instance-pools", runner.pool, access_control_list=[])
    message = failure(workspace, fiftyone.refresh())
    assert f"{runner.id} does not have Can Attach To permissions on instance pool theirs" in message

    owner = AccessControlRequest(user_name=ME, permission_level=PermissionLevel.IS_OWNER)
    client.permissions.set("jobs", job_id, access_control_list=[owner])
    message = fiftyone.refused(OPERATOR)
    assert "[CLIENT_ID_GPU] does not have" in message
    assert "Manage Run" in message
    assert f"on job {job_id}" in message

    client.secrets.delete_acl("fiftyone-test", runner.id)
    client.permissions.set("instance-pools", pool_id, access_control_list=[])
    runner.write_holders()
    stack.orchestrator(maxConcurrentRuns=2)
    refused = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    assert refused.code != 0
    assert runner.id in refused.output
    assert "servicePrincipal.user" in refused.output

    # What was taken away is seen and given back.
    seen = stack.succeeds("refresh", "--yes", "--run-program")
    names = ("gpu-job", "gpu-execution", "run-as-folder", "run-as-scope", f"run-as-pool-{runner.pool}", "run-as-role")
    for name in names:
        assert name in seen.output
    stack.up()
    assert workspace.ended(runs()) == "SUCCESS"
    assert workspace.ended(fiftyone.refresh()) == "SUCCESS"
    stack.up("--expect-no-changes")


def test_a_run_as_that_does_not_exist_leaves_the_access_of_the_one_before_alone(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne, runner: Runner, source: Path
) -> None:
    stack = new_stack(**runner.settings(plugins={"source": str(source)}))
    stack.up()
    stack.settings = {**stack.settings, "runAs": {"servicePrincipal": "5ad0c0de-0000-4000-8000-00000000dead"}}
    run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    assert run.code != 0
    assert "5ad0c0de-0000-4000-8000-00000000dead, which account" in run.output
    assert "Traceback" not in run.output
    assert workspace.ended(fiftyone.delegate(OPERATOR)) == "SUCCESS"
    # Another deployer gets the role so; who had it before loses it.
    stack.settings = {**stack.settings, "runAs": {"servicePrincipal": runner.id}}
    stack.up("--replace", "**::run-as-role")
    assert runner.holders() == [f"users/{ME}"]
    stack.up("--expect-no-changes")


def test_on_what_is_not_the_stacks_one_entry_is_added_and_taken_away_and_nothing_else_touched(
    new_stack: Callable[..., Stack], workspace: Workspace, runner: Runner
) -> None:
    client = workspace.client
    other = client.service_principals.create(display_name="other").application_id or ""
    client.secrets.create_scope("theirs")
    for key in ("FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_PYPI_URL"):
        client.secrets.put_secret("theirs", key, string_value="hidden-value")
    client.secrets.put_acl("theirs", other, AclPermission.WRITE)
    theirs = AccessControlRequest(service_principal_name=other, permission_level=PermissionLevel.CAN_MANAGE)
    client.permissions.update("instance-pools", runner.pool, access_control_list=[theirs])
    runner.write_holders("users/somebody@example.com")

    def found() -> dict[str, Any]:
        return {
            "scope": {acl.principal: acl.permission for acl in client.secrets.list_acls("theirs")},
            "pool": runner.pool_entries(runner.pool),
            "role": runner.holders(),
            "secrets": sorted(secret.key or "" for secret in client.secrets.list_secrets("theirs")),
        }

    before = found()
    orchestrators = {"a": {"pool": runner.pool}, "b": {"pool": runner.pool}}
    settings = runner.settings(secretScope={"name": "theirs", "existing": True}, orchestrators=orchestrators)
    stack = new_stack(**settings)
    stack.up()
    during = found()
    assert during["scope"] == {**before["scope"], runner.id: AclPermission.READ}
    assert during["pool"] == {**before["pool"], runner.id: "CAN_ATTACH_TO"}
    assert sorted(during["role"]) == sorted([*before["role"], f"users/{ME}"])
    # What two orchestrators need stays while one of them does.
    stack.settings = {**settings, **stack.settings, "orchestrators": {"b": orchestrators["b"]}}
    stack.up()
    assert found() == during
    stack.succeeds("destroy", "--yes", "--run-program")
    assert found() == before


def test_jobs_run_as_the_deployer_again_when_the_settings_name_nobody_else(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne, runner: Runner, source: Path
) -> None:
    stack = new_stack(**runner.settings(plugins={"source": str(source)}))
    stack.up()
    job_id = int(stack.outputs()["orchestrators"]["gpu"]["jobId"])
    settings = stack.settings
    del settings["runAs"]
    stack.settings = settings
    stack.up()
    assert workspace.client.jobs.get(job_id).run_as_user_name == ME
    assert runner.id not in runner.pool_entries(runner.pool)
    assert runner.holders() == []
    assert workspace.ended(fiftyone.delegate(OPERATOR)) == "SUCCESS"
    stack.up("--expect-no-changes")


def test_of_an_existing_service_principal_nothing_is_created_changed_or_deleted(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    client = workspace.client
    (known,) = client.service_principals.list(filter=f'applicationId eq "{APPLICATION_ID}"')
    made = client.service_principal_secrets_proxy.create(known.id or "")

    def found() -> tuple[Any, list[str | None]]:
        secrets = client.service_principal_secrets_proxy.list(known.id or "")
        return client.service_principals.get(known.id or "").as_dict(), [secret.id for secret in secrets]

    before = found()
    assert before[1] == [made.id]
    since = len(workspace.requests())
    stack.up()
    assert workspace.ended(fiftyone.delegate(OPERATOR)) == "SUCCESS"
    stack.environ.update(workspace.pass_days(100))
    stack.up("--expect-no-changes")
    stack.environ["ROTATE_CREDENTIAL"] = "now"
    refused = stack.pulumi("up", "--yes", "--stack", stack.name)
    assert refused.code != 0
    assert "the stack makes none" in refused.output
    del stack.environ["ROTATE_CREDENTIAL"]
    stack.succeeds("destroy", "--yes", "--run-program")
    paths = [request["path"] for request in workspace.requests()[since:]]
    assert not [path for path in paths if "erviceprincipals" in path.lower()]
    assert found() == before
