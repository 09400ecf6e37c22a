"""Each kind of resource through its life, as databricks-sdk and Pulumi's provider drive it."""

import base64
import io
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound, ResourceDoesNotExist
from databricks.sdk.service import compute, iam, jobs, workspace

from tests.emulator.emulator_harness import CLUSTER, job, task


def test_a_pool_keeps_what_it_was_given_and_edits_what_can_be_edited(http: httpx.Client, name: str) -> None:
    body = {
        "instance_pool_name": name,
        "max_capacity": 2,
        "idle_instance_autotermination_minutes": 15,
        "node_type_id": "c3-standard-4-lssd",
        "custom_tags": None,
        "enable_elastic_disk": True,
        "preloaded_spark_versions": ["16.4.x-scala2.13"],
        "gcp_attributes": {"gcp_availability": "ON_DEMAND_GCP", "zone_id": "auto"},
    }
    pool_id = http.post("/api/2.0/instance-pools/create", json=body).json()["instance_pool_id"]
    got = http.get("/api/2.0/instance-pools/get", params={"instance_pool_id": pool_id}).json()
    sent = {key: value for key, value in body.items() if value is not None}
    assert got == {**sent, "instance_pool_id": pool_id, "state": "ACTIVE"}

    edited = {**body, "instance_pool_id": pool_id, "max_capacity": 25, "custom_tags": {"team": "two"}}
    assert http.post("/api/2.0/instance-pools/edit", json=edited).json() == {}
    got = http.get("/api/2.0/instance-pools/get", params={"instance_pool_id": pool_id}).json()
    assert (got["max_capacity"], got["custom_tags"]) == (25, {"team": "two"})


def test_a_pool_is_listed_until_it_is_deleted(w: WorkspaceClient, pool_id: str) -> None:
    assert pool_id in {pool.instance_pool_id for pool in w.instance_pools.list()}
    w.instance_pools.delete(pool_id)
    assert pool_id not in {pool.instance_pool_id for pool in w.instance_pools.list()}
    with pytest.raises(ResourceDoesNotExist):
        w.instance_pools.get(pool_id)


def test_a_pool_that_jobs_refer_to_can_be_deleted(
    w: WorkspaceClient, http: httpx.Client, name: str, pool_id: str
) -> None:
    http.post("/api/2.2/jobs/create", json=job(name, pool_id)).raise_for_status()
    w.instance_pools.delete(pool_id)


def test_a_secret_is_put_again_in_place_and_its_value_comes_back(w: WorkspaceClient, name: str) -> None:
    w.secrets.create_scope(name)
    for value in ("first", "second"):
        w.secrets.put_secret(name, "KEY", string_value=value)
        assert [secret.key for secret in w.secrets.list_secrets(name)] == ["KEY"]
        assert base64.b64decode(w.secrets.get_secret(name, "KEY").value or "").decode() == value
    w.secrets.delete_secret(name, "KEY")
    assert list(w.secrets.list_secrets(name)) == []


def test_a_scope_takes_its_secrets_and_grants_with_it(w: WorkspaceClient, name: str) -> None:
    for _ in range(2):
        w.secrets.create_scope(name)
        assert name in {scope.name for scope in w.secrets.list_scopes()}
        assert list(w.secrets.list_secrets(name)) == []
        assert [acl.permission for acl in w.secrets.list_acls(name)] == [workspace.AclPermission.MANAGE]
        w.secrets.put_secret(name, "KEY", bytes_value=base64.b64encode(b"\x00\xff").decode())
        w.secrets.put_acl(name, "someone", workspace.AclPermission.READ)
        w.secrets.delete_scope(name)


def test_a_grant_on_a_scope_is_changed_in_place_and_removed(w: WorkspaceClient, name: str) -> None:
    w.secrets.create_scope(name, initial_manage_principal="users")
    for level in (workspace.AclPermission.READ, workspace.AclPermission.WRITE):
        w.secrets.put_acl(name, "someone", level)
        assert w.secrets.get_acl(name, "someone").permission == level
    w.secrets.delete_acl(name, "someone")
    assert [acl.principal for acl in w.secrets.list_acls(name)] == ["users"]


@pytest.mark.parametrize("prefix", ["", "/Workspace"])
def test_a_file_is_uploaded_read_overwritten_and_deleted(w: WorkspaceClient, name: str, prefix: str) -> None:
    folder = f"/Shared/{name}"
    path = f"{prefix}{folder}/a.bin"
    w.workspace.mkdirs(f"{prefix}{folder}")
    for content in (b"\x00one", b"two"):
        w.workspace.upload(path, io.BytesIO(content), format=workspace.ImportFormat.RAW, overwrite=True)
        assert w.workspace.download(path).read() == content
    status = w.workspace.get_status(path)
    assert (status.path, status.object_type, status.size) == (f"{folder}/a.bin", workspace.ObjectType.FILE, 3)
    assert [item.path for item in w.workspace.list(folder)] == [f"{folder}/a.bin"]
    w.workspace.delete(path)
    assert list(w.workspace.list(folder)) == []
    w.workspace.delete(folder)
    with pytest.raises(ResourceDoesNotExist):
        w.workspace.get_status(folder)


def test_a_file_is_imported_and_exported_as_base64(w: WorkspaceClient, name: str) -> None:
    path, content = f"/Shared/{name}.txt", base64.b64encode(b"text").decode()
    w.workspace.import_(path, content=content, format=workspace.ImportFormat.AUTO)
    assert w.workspace.export(path, format=workspace.ExportFormat.AUTO).content == content


def test_mkdirs_makes_parents_and_a_recursive_delete_takes_all_below_but_no_sibling(
    w: WorkspaceClient, name: str
) -> None:
    w.workspace.mkdirs(f"/Shared/{name}/a/b")
    w.workspace.mkdirs(f"/Shared/{name}-sibling")
    w.workspace.delete(f"/Shared/{name}", recursive=True)
    paths = {item.path for item in w.workspace.list("/Shared")}
    assert f"/Shared/{name}" not in paths
    assert f"/Shared/{name}-sibling" in paths


def test_the_directories_of_every_workspace_exist(w: WorkspaceClient) -> None:
    me = w.current_user.me().user_name
    for path in ("/", "/Shared", "/Users", f"/Users/{me}", "/Workspace", "/Workspace/Shared"):
        assert w.workspace.get_status(path).object_type == workspace.ObjectType.DIRECTORY


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_a_job_comes_back_with_what_the_platform_adds(
    w: WorkspaceClient, http: httpx.Client, name: str, pool_id: str, version: str
) -> None:
    me = w.current_user.me().user_name
    sent = job(name, pool_id)
    job_id = http.post(f"/api/{version}/jobs/create", json=sent).json()["job_id"]
    got = http.get(f"/api/{version}/jobs/get", params={"job_id": job_id}).json()
    assert isinstance(got.pop("created_time"), int)
    added = {"email_notifications": {}, "timeout_seconds": 0}
    tasks = [{**added, "run_if": "ALL_SUCCESS", **sent["tasks"][index]} for index in (1, 0)]
    assert got == {
        "job_id": job_id,
        "creator_user_name": me,
        "run_as_user_name": me,
        "settings": {**sent, **added, "webhook_notifications": {}, "tasks": tasks},
    }


def test_version_2_0_shows_a_job_with_its_tasks_and_calls_it_one_of_several(
    http: httpx.Client, name: str, pool_id: str
) -> None:
    job_id = http.post("/api/2.2/jobs/create", json=job(name, pool_id)).json()["job_id"]
    old, new = (http.get(f"/api/{version}/jobs/get", params={"job_id": job_id}).json() for version in ("2.0", "2.2"))
    assert old == {**new, "settings": {**new["settings"], "format": "MULTI_TASK"}}


def test_a_reset_replaces_the_settings_and_keeps_the_id(http: httpx.Client, name: str, pool_id: str) -> None:
    job_id = http.post("/api/2.2/jobs/create", json=job(name, pool_id)).json()["job_id"]
    # What the provider sends back of what it has read.
    settings = job(name, pool_id, email_notifications={}, webhook_notifications={}, run_as={"user_name": "someone"})
    del settings["queue"]
    settings["tasks"].append(task("c", run_if="ALL_SUCCESS", disabled=False))
    http.post("/api/2.2/jobs/reset", json={"job_id": job_id, "new_settings": settings}).raise_for_status()
    got = http.get("/api/2.2/jobs/get", params={"job_id": job_id}).json()
    assert got["job_id"] == job_id
    assert got["run_as_user_name"] == "someone"
    assert "queue" not in got["settings"]
    assert [found["task_key"] for found in got["settings"]["tasks"]] == ["a", "b", "c"]


def test_an_update_merges_tasks_by_key_and_removes_fields(w: WorkspaceClient, http: httpx.Client, name: str) -> None:
    pool_id = w.instance_pools.create(name, "m5.xlarge").instance_pool_id or ""
    job_id: int = http.post("/api/2.2/jobs/create", json=job(name, pool_id, tags={"a": "b"})).json()["job_id"]
    new = jobs.JobSettings.from_dict({"max_concurrent_runs": 7, "tasks": [task("a", max_retries=2), task("c")]})
    w.jobs.update(job_id, new_settings=new, fields_to_remove=["tags", "tasks/b"])
    settings = w.jobs.get(job_id).settings
    assert settings is not None
    assert settings.tasks is not None
    assert (settings.max_concurrent_runs, settings.tags, settings.name) == (7, None, name)
    assert [(found.task_key, found.max_retries) for found in settings.tasks] == [("a", 2), ("c", None)]


def test_the_whole_cluster_specification_is_kept(w: WorkspaceClient, http: httpx.Client, name: str) -> None:
    cluster: dict[str, Any] = {
        **CLUSTER,
        "num_workers": 0,
        "is_single_node": True,
        "use_ml_runtime": True,
        "node_type_id": "m5.xlarge",
        "driver_node_type_id": "m5.large",
        "custom_tags": {"a": "b"},
        "docker_image": {"url": "image", "basic_auth": {"username": "u", "password": "{{secrets/s/k}}"}},
        "aws_attributes": {"instance_profile_arn": "arn", "availability": "SPOT", "first_on_demand": 1},
        "gcp_attributes": {"google_service_account": "account", "local_ssd_count": 1},
        "azure_attributes": {"availability": "SPOT_AZURE", "spot_bid_max_price": -1},
        "cluster_log_conf": {"volumes": {"destination": "/Volumes/logs"}},
        "init_scripts": [{"workspace": {"destination": "/Shared/init.sh"}}],
        "spark_conf": {"a": "b"},
        "ssh_public_keys": ["key"],
        "single_user_name": "someone",
        "enable_elastic_disk": True,
        "policy_id": "policy",
    }
    body = {"name": name, "tasks": [{**task("a"), "new_cluster": cluster}]}
    del body["tasks"][0]["job_cluster_key"]
    job_id = http.post("/api/2.2/jobs/create", json=body).json()["job_id"]
    assert http.get("/api/2.2/jobs/get", params={"job_id": job_id}).json()["settings"]["tasks"][0]["new_cluster"] == (
        cluster
    )
    settings = w.jobs.get(job_id).settings
    assert settings is not None
    assert settings.tasks is not None
    assert settings.tasks[0].new_cluster == compute.ClusterSpec.from_dict(cluster)


def test_jobs_are_listed_by_name_and_page_with_their_tags(w: WorkspaceClient, http: httpx.Client, name: str) -> None:
    pool_id = w.instance_pools.create(name, "m5.xlarge").instance_pool_id or ""
    ids = [
        http.post("/api/2.2/jobs/create", json=job(name, pool_id, tags={"n": str(index)})).json()["job_id"]
        for index in range(3)
    ]
    found = list(w.jobs.list(name=name.upper(), limit=2))
    assert [(item.job_id, item.settings and item.settings.tags) for item in found] == [
        (ids[index], {"n": str(index)}) for index in (2, 1, 0)
    ]
    assert [item.settings and item.settings.tasks for item in found] == [[], [], []]
    assert all(item.settings and item.settings.tasks for item in w.jobs.list(name=name, expand_tasks=True))
    for job_id in ids:
        w.jobs.delete(job_id)
    assert list(w.jobs.list(name=name)) == []


def test_a_deleted_job_is_gone_and_its_id_is_not_used_again(
    w: WorkspaceClient, http: httpx.Client, name: str, pool_id: str
) -> None:
    first = http.post("/api/2.2/jobs/create", json=job(name, pool_id)).json()["job_id"]
    w.jobs.delete(first)
    with pytest.raises(ResourceDoesNotExist, match=f"Job {first} does not exist"):
        w.jobs.get(first)
    with pytest.raises(NotFound):
        w.permissions.get("jobs", str(first))
    assert http.post("/api/2.2/jobs/create", json=job(name, pool_id)).json()["job_id"] > first


def levels(found: iam.ObjectPermissions) -> list[tuple[str | None, list[tuple[str, bool]]]]:
    return [
        (
            entry.user_name or entry.service_principal_name or entry.group_name,
            [(p.permission_level.value, bool(p.inherited)) for p in entry.all_permissions or [] if p.permission_level],
        )
        for entry in found.access_control_list or []
    ]


@pytest.mark.parametrize(
    ("kind", "owner", "given", "more", "inherited"),
    [
        ("jobs", "IS_OWNER", "CAN_MANAGE_RUN", "CAN_VIEW", [("admins", [("CAN_MANAGE", True)])]),
        ("instance-pools", "CAN_MANAGE", "CAN_ATTACH_TO", "CAN_MANAGE", []),
    ],
)
def test_permissions_are_replaced_by_put_and_added_by_patch(
    w: WorkspaceClient, http: httpx.Client, name: str, pool_id: str, kind: str, owner: str, given: str, more: str,
    inherited: list[Any],
) -> None:  # fmt: skip
    number = pool_id if kind != "jobs" else http.post("/api/2.2/jobs/create", json=job(name, pool_id)).json()["job_id"]
    me = w.current_user.me().user_name or ""
    assert levels(w.permissions.get(kind, str(number))) == [(me, [(owner, False)]), *inherited]

    entry = {"service_principal_name": "robot", "permission_level": given}
    path, mine = f"/api/2.0/permissions/{kind}/{number}", {"user_name": me, "permission_level": owner}
    got = http.put(path, json={"access_control_list": [entry, mine]}).json()
    assert got == http.get(f"{path}?").json()
    assert (got["object_id"], got["object_type"]) == (f"/{kind}/{number}", kind.removesuffix("s"))
    assert got["access_control_list"][0] == {
        "service_principal_name": "robot",
        "display_name": "robot",
        "all_permissions": [{"permission_level": given, "inherited": False}],
    }
    http.patch(path, json={"access_control_list": [{"group_name": "team", "permission_level": more}]})
    http.patch(path, json={"access_control_list": [{**entry, "permission_level": more}]}).raise_for_status()
    assert sorted(levels(w.permissions.get(kind, str(number))), key=str) == sorted(
        [(me, [(owner, False)]), ("team", [(more, False)]), ("robot", [(more, False)]), *inherited], key=str
    )
    http.put(path, json={"access_control_list": [mine]}).raise_for_status()
    assert levels(w.permissions.get(kind, str(number))) == [(me, [(owner, False)]), *inherited]


def test_permissions_of_a_directory_go_with_it(w: WorkspaceClient, name: str) -> None:
    w.workspace.mkdirs(f"/Shared/{name}")
    number = str(w.workspace.get_status(f"/Shared/{name}").object_id)
    reader = iam.AccessControlRequest(group_name="team", permission_level=iam.PermissionLevel.CAN_READ)
    assert levels(w.permissions.set("directories", number, access_control_list=[reader])) == [
        ("team", [("CAN_READ", False)]),
        ("users", [("CAN_MANAGE", True)]),
        ("admins", [("CAN_MANAGE", True)]),
    ]
    w.workspace.delete(f"/Shared/{name}")
    with pytest.raises(NotFound):
        w.permissions.get("directories", number)
