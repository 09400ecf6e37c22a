"""Service principals by SCIM, as databricks-sdk and Pulumi's provider drive it, and what goes with one."""

import uuid
from pathlib import Path

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.service import iam, workspace

from tests.emulator.emulator_harness import APPLICATION_ID, Principal, Runner, Server, new_principal, run, started

PATH = "/api/2.0/preview/scim/v2/ServicePrincipals"
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"
ATTRIBUTES = {"attributes": "userName,displayName,active,externalId,entitlements"}


def test_one_comes_back_as_it_was_made_with_an_application_id_of_its_own(http: httpx.Client, name: str) -> None:
    # What the provider sends, which would take an entitlement without a value for one it does not know.
    body = {"schemas": [SCHEMA], "displayName": name, "active": True, "entitlements": [{}]}
    number = http.post(PATH, json=body).json()["id"]
    got = http.get(f"{PATH}/{number}", params=ATTRIBUTES).json()
    assert str(uuid.UUID(got.pop("applicationId"))) != APPLICATION_ID
    assert got == {"schemas": [SCHEMA], "id": number, "displayName": name, "active": True}


def test_two_may_have_one_display_name_and_are_told_apart_by_application_id(w: WorkspaceClient, name: str) -> None:
    one, other = new_principal(w, name), new_principal(w, name)
    assert one.application_id != other.application_id
    found = w.service_principals.list(filter=f'displayName eq "{name}"')
    assert {each.id for each in found} == {one.id, other.id}
    found = w.service_principals.list(filter=f'applicationId eq "{other.application_id}"')
    assert [each.id for each in found] == [other.id]
    assert list(w.service_principals.list(filter=f'displayName eq "{name}-none"')) == []


def test_a_list_is_read_page_by_page(http: httpx.Client, w: WorkspaceClient, name: str) -> None:
    ids = [new_principal(w, name).id for _ in range(3)]
    query = {"filter": f'displayName eq "{name}"', "count": "2"}
    pages = [http.get(PATH, params={**query, "startIndex": str(start)}).json() for start in (1, 3, 4)]
    assert [[each["id"] for each in page.get("Resources", [])] for page in pages] == [ids[:2], ids[2:], []]
    assert [(page["totalResults"], page["startIndex"], page["itemsPerPage"]) for page in pages] == [
        (3, 1, 2), (3, 3, 1), (3, 4, 0)
    ]  # fmt: skip


def test_the_one_of_every_workspace_is_listed_and_stays(w: WorkspaceClient) -> None:
    (found,) = w.service_principals.list(filter=f'applicationId eq "{APPLICATION_ID}"')
    assert w.service_principals.get(found.id or "").display_name == "stand-in-service-principal"
    with pytest.raises(PermissionDenied, match="cannot be deleted"):
        w.service_principals.delete(found.id or "")


def test_a_given_application_id_is_taken_once(w: WorkspaceClient, name: str) -> None:
    application_id = str(uuid.uuid4())
    assert w.service_principals.create(application_id=application_id).application_id == application_id
    with pytest.raises(ResourceConflict, match=f"with application ID {application_id} already exists"):
        w.service_principals.create(application_id=application_id, display_name=name)


def test_put_replaces_all_but_the_ids(w: WorkspaceClient, made: Principal, name: str) -> None:
    entitlements = [iam.ComplexValue(value="workspace-access"), iam.ComplexValue()]
    w.service_principals.update(made.id, display_name=f"{name}-2", active=True, entitlements=entitlements)
    got = w.service_principals.get(made.id)
    assert (got.display_name, got.application_id) == (f"{name}-2", made.application_id)
    assert [each.value for each in got.entitlements or []] == ["workspace-access"]
    w.service_principals.update(made.id, active=True)
    assert not w.service_principals.get(made.id).entitlements
    with pytest.raises(BadRequest, match="applicationId cannot be changed"):
        w.service_principals.update(made.id, application_id=str(uuid.uuid4()))


def test_patch_changes_single_fields(http: httpx.Client, w: WorkspaceClient, made: Principal) -> None:
    def patch(*operations: iam.Patch) -> iam.ServicePrincipal:
        w.service_principals.patch(made.id, operations=list(operations))
        return w.service_principals.get(made.id)

    both = [{"value": "workspace-access"}, {"value": "databricks-sql-access"}]
    got = patch(iam.Patch(iam.PatchOp.ADD, "entitlements", both))
    assert [each.value for each in got.entitlements or []] == ["workspace-access", "databricks-sql-access"]
    got = patch(iam.Patch(iam.PatchOp.REMOVE, 'entitlements[value eq "workspace-access"]'))
    assert [each.value for each in got.entitlements or []] == ["databricks-sql-access"]
    assert patch(iam.Patch(iam.PatchOp.REPLACE, value={"displayName": "another"})).display_name == "another"
    # What the provider sends.
    operation = {"op": "replace", "path": "active", "value": [{"value": "false"}]}
    http.patch(f"{PATH}/{made.id}", json={"Operations": [operation]}).raise_for_status()
    assert w.service_principals.get(made.id).active is False
    with pytest.raises(BadRequest, match="Path members"):
        patch(iam.Patch(iam.PatchOp.REMOVE, "members"))


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("PUT", ""), ("PATCH", "")])
def test_one_that_is_not_there_is_refused_as_scim_refuses(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, f"{PATH}/1", json={})
    assert (answer.status_code, answer.json()["status"]) == (404, "404")
    assert "id 1 not found" in answer.json()["detail"]


def test_other_filters_are_refused(w: WorkspaceClient) -> None:
    with pytest.raises(BadRequest, match="filters by"):
        list(w.service_principals.list(filter='displayName co "a"'))


def test_a_deleted_one_takes_its_secrets_tokens_and_grants_with_it(
    server: Server, w: WorkspaceClient, runner: Runner, made: Principal, name: str
) -> None:
    job_id = runner.job(runner.task("main", "print()"))
    entry = iam.AccessControlRequest(
        service_principal_name=made.application_id, permission_level=iam.PermissionLevel.CAN_MANAGE_RUN
    )
    w.permissions.update("jobs", str(job_id), access_control_list=[entry])
    w.secrets.create_scope(name)
    w.secrets.put_acl(name, made.application_id, workspace.AclPermission.READ)
    secret = w.service_principal_secrets_proxy.create(made.id).secret
    client = server.principal(secret, made.application_id)
    runner.ended(client.jobs.run_now(job_id).run_id)

    w.service_principals.delete(made.id)

    with pytest.raises(PermissionDenied, match="Invalid access token"):
        client.jobs.get(job_id)
    with pytest.raises(ValueError, match="invalid_client"):
        server.principal(secret, made.application_id).current_user.me()
    with pytest.raises(NotFound):
        w.service_principals.get(made.id)
    with pytest.raises(NotFound):
        list(w.service_principal_secrets_proxy.list(made.id))
    listed = w.permissions.get("jobs", str(job_id)).access_control_list or []
    assert made.application_id not in {each.service_principal_name for each in listed}
    assert made.application_id not in {acl.principal for acl in w.secrets.list_acls(name)}


def test_an_inactive_one_gets_no_token_and_its_tokens_rest(server: Server, w: WorkspaceClient, made: Principal) -> None:
    secret = w.service_principal_secrets_proxy.create(made.id).secret
    client = server.principal(secret, made.application_id)
    client.current_user.me()
    w.service_principals.update(made.id, active=False)
    with pytest.raises(PermissionDenied, match="Invalid access token"):
        client.current_user.me()
    with pytest.raises(ValueError, match="invalid_client"):
        server.principal(secret, made.application_id).current_user.me()


def test_every_one_is_itself_and_no_administrator(server: Server, w: WorkspaceClient, made: Principal) -> None:
    client = server.principal(w.service_principal_secrets_proxy.create(made.id).secret, made.application_id)
    me = client.current_user.me()
    assert (me.id, me.user_name) == (made.id, made.application_id)
    with pytest.raises(PermissionDenied, match=f"User {made.application_id} is not an admin"):
        client.service_principal_secrets_proxy.create(made.id)


def test_each_runs_and_sees_what_it_was_given_alone(
    server: Server, w: WorkspaceClient, runner: Runner, made: Principal
) -> None:
    client = server.principal(w.service_principal_secrets_proxy.create(made.id).secret, made.application_id)
    job_id = runner.job(runner.task("main", "print()"))
    others = runner.start(job_id)
    runner.ended(others)
    for application_id in (APPLICATION_ID, made.application_id):
        with pytest.raises(PermissionDenied, match=f"does not have .*permissions on job {job_id}"):
            client.jobs.run_now(job_id)
        with pytest.raises(PermissionDenied):
            client.jobs.get_run(others)
        assert list(client.jobs.list_runs()) == []
        entry = iam.AccessControlRequest(
            service_principal_name=application_id, permission_level=iam.PermissionLevel.CAN_MANAGE_RUN
        )
        w.permissions.update("jobs", str(job_id), access_control_list=[entry])
    run_id = client.jobs.run_now(job_id).run_id
    assert runner.ended(run_id)["creator_user_name"] == made.application_id
    assert [each.run_id for each in client.jobs.list_runs()] == [run_id, others]


def test_stop_names_those_that_were_made(home: Path) -> None:
    new_principal(started(home, "--port", "0").sdk(), "trigger")
    assert run("stop", "--home", home).stdout == "stopped; held 1 service principal (trigger)\n"
