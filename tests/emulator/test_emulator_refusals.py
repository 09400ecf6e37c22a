"""What the platform refuses, the stand-in refuses: status, error code and the gist of the message, row by row."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient

from emulator import secret_scopes
from emulator.api import ApiError, Call
from emulator.identity import USER
from emulator.store import open_store
from tests.emulator.emulator_harness import CLUSTER, Server, job, task

INVALID, MALFORMED = (400, "INVALID_PARAMETER_VALUE"), (400, "MALFORMED_REQUEST")
ABSENT, EXISTS = (404, "RESOURCE_DOES_NOT_EXIST"), (400, "RESOURCE_ALREADY_EXISTS")
Refusal = tuple[int, str | int]


def refused(answer: httpx.Response, refusal: Refusal, text: str) -> None:
    assert (answer.status_code, answer.json().get("error_code")) == refusal, answer.text
    assert text.lower() in answer.json()["message"].lower()


# -- whatever is called


@pytest.mark.parametrize("path", ["/api/2.0/secrets/scopes/list", "/api/2.0/nothing"])
@pytest.mark.parametrize(("token", "refusal"), [("wrong", (403, 403)), ("", (401, 401))])
def test_no_call_without_the_token(server: Server, path: str, token: str, refusal: Refusal) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    refused(httpx.get(server.address + path, headers=headers), refusal, "")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:80", ""])
@pytest.mark.parametrize("path", ["/.well-known/databricks-config", "/api/2.0/secrets/scopes/list"])
def test_no_call_under_another_hosts_name(http: httpx.Client, path: str, host: str) -> None:
    refused(http.get(path, headers={"Host": host}), (403, "PERMISSION_DENIED"), "loopback")


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:2", "[::1]:3", "localhost"])
def test_loopback_names_are_answered(http: httpx.Client, host: str) -> None:
    answer = http.get("/.well-known/databricks-config", headers={"Host": host})
    assert answer.json() == {"oidc_endpoint": f"http://{host}/oidc", "workspace_id": "900800700600"}
    assert "stand-in" in answer.headers["server"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/index.html"),
        ("POST", "/api/2.2/jobs/runs/submit"),
        ("GET", "/api/2.2/jobs/create"),
        ("POST", "/api/2.0/jobs/create"),
        ("POST", "/api/2.2/jobs/runs/cancel-all"),
        ("DELETE", "/api/2.0/permissions/jobs/1"),
        ("GET", "/api/2.0/permissions/clusters/1"),
        ("GET", "/api/2.0/secrets/list/"),
    ],
)
def test_there_are_no_other_endpoints(http: httpx.Client, method: str, path: str) -> None:
    refused(http.request(method, path), (404, "ENDPOINT_NOT_FOUND"), "No API found")


POSTS = [
    "instance-pools/create", "instance-pools/edit", "instance-pools/delete", "secrets/scopes/create",
    "secrets/scopes/delete", "secrets/put", "secrets/delete", "secrets/acls/put", "secrets/acls/delete",
    "workspace/mkdirs", "workspace/import", "workspace/delete",
]  # fmt: skip
BODIES = [f"/api/2.0/{path}" for path in POSTS] + [f"/api/2.2/jobs/{verb}" for verb in ("create", "reset")]

WRONG_TYPES = b'{"path": 1, "scope": 1, "job_id": "1", "instance_pool_name": 1, "instance_pool_id": 1, "name": 1}'


@pytest.mark.parametrize("path", [*BODIES, "/api/2.2/jobs/delete"])
@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"{", MALFORMED),
        (b"[]", MALFORMED),
        (b'{"unheard_of": "the-value"}', INVALID),
        (WRONG_TYPES, MALFORMED),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused_without_repeating_it(
    http: httpx.Client, path: str, content: bytes, refusal: Refusal
) -> None:
    answer = http.post(path, content=content)
    assert (answer.status_code, answer.json()["error_code"]) == refusal
    assert "the-value" not in answer.text


# -- instance pools

POOL: dict[str, Any] = {
    "instance_pool_name": "set by the test",
    "node_type_id": "m5.xlarge",
    "enable_elastic_disk": True,
    "preloaded_spark_versions": ["16.4.x-scala2.13"],
    "aws_attributes": {"zone_id": "us-east-1a"},
    "custom_tags": {"team": "one"},
}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"instance_pool_name": ""}, "instance_pool_name"),
        ({"instance_pool_name": "x" * 100}, "instance_pool_name"),
        ({"node_type_id": None}, "node_type_id"),
        ({"min_idle_instances": 3, "max_capacity": 2}, "max_capacity"),
        ({"max_capacity": -1}, "max_capacity"),
        ({"idle_instance_autotermination_minutes": 10001}, "idle_instance"),
        ({"preloaded_spark_versions": ["a", "b"]}, "preloaded_spark_versions"),
        ({"custom_tags": {str(index): "" for index in range(44)}}, "custom_tags"),
        ({"gcp_attributes": {"availability": "ON_DEMAND_GCP"}}, "gcp_availability"),
        ({"instance_pool_fleet_attributes": {}}, "instance_pool_fleet_attributes"),
        ({"preloaded_docker_images": [{"url": "a", "tag": "b"}]}, "tag"),
    ],
)
def test_a_pool_that_the_platform_does_not_take(http: httpx.Client, name: str, more: dict[str, Any], text: str) -> None:
    body = {**POOL, "instance_pool_name": name, **more}
    answer = http.post("/api/2.0/instance-pools/create", json={k: v for k, v in body.items() if v is not None})
    refused(answer, INVALID, text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("node_type_id", "m5.large"),
        ("preloaded_spark_versions", ["15.4.x-scala2.12"]),
        ("enable_elastic_disk", False),
        ("disk_spec", {"disk_count": 1}),
        ("preloaded_docker_images", [{"url": "image"}]),
        ("aws_attributes", {"zone_id": "us-east-1b"}),
        ("gcp_attributes", {"local_ssd_count": 1}),
        ("azure_attributes", {"availability": "SPOT_AZURE"}),
    ],
)
def test_a_pool_is_not_edited_where_it_cannot_be(http: httpx.Client, name: str, field: str, value: Any) -> None:
    body = {**POOL, "instance_pool_name": name}
    body |= http.post("/api/2.0/instance-pools/create", json=body).json()
    refused(http.post("/api/2.0/instance-pools/edit", json={**body, field: value}), INVALID, field)
    http.post("/api/2.0/instance-pools/edit", json=body).raise_for_status()


def test_a_pools_name_is_taken_once(http: httpx.Client, name: str) -> None:
    one, other = ({**POOL, "instance_pool_name": name + suffix} for suffix in ("-1", "-2"))
    for body in (one, other):
        body |= http.post("/api/2.0/instance-pools/create", json=body).json()
    renamed = {**other, "instance_pool_name": one["instance_pool_name"]}
    refused(http.post("/api/2.0/instance-pools/edit", json=renamed), INVALID, "already exists")
    del one["instance_pool_id"]
    refused(http.post("/api/2.0/instance-pools/create", json=one), INVALID, "already exists")


# -- secrets


@pytest.mark.parametrize("scope", ["", "a b", "a/b", "é", "x" * 129])
def test_a_scope_name_that_is_none(http: httpx.Client, scope: str) -> None:
    refused(http.post("/api/2.0/secrets/scopes/create", json={"scope": scope}), INVALID, "128 characters")


@pytest.mark.parametrize("more", [{"initial_manage_principal": "me"}, {"scope_backend_type": "AZURE_KEYVAULT"}])
def test_a_scope_of_another_kind(http: httpx.Client, name: str, more: dict[str, str]) -> None:
    refused(http.post("/api/2.0/secrets/scopes/create", json={"scope": name, **more}), INVALID, "")


def test_a_scopes_name_is_taken_once_in_any_case(http: httpx.Client, name: str) -> None:
    assert http.post("/api/2.0/secrets/scopes/create", json={"scope": f"a@{name}.z"}).is_success
    refused(http.post("/api/2.0/secrets/scopes/create", json={"scope": f"A@{name}.Z"}), EXISTS, "already exists")


@pytest.mark.parametrize(
    ("more", "refusal", "text"),
    [
        ({"key": "a b"}, INVALID, "128 characters"),
        ({"key": "a@b"}, INVALID, "128 characters"),
        ({"key": "x" * 129}, INVALID, "128 characters"),
        ({"string_value": "é" * (64 * 1024) + "x"}, INVALID, "bytes"),
        ({"string_value": "v", "bytes_value": "dg=="}, MALFORMED, "exactly one"),
        ({"string_value": None}, MALFORMED, "exactly one"),
        ({"string_value": None, "bytes_value": "no base64"}, MALFORMED, "base64"),
    ],
)
def test_a_secret_that_the_platform_does_not_take(
    w: WorkspaceClient, http: httpx.Client, name: str, more: dict[str, Any], refusal: Refusal, text: str
) -> None:
    w.secrets.create_scope(name)
    refused(
        http.post("/api/2.0/secrets/put", json={"scope": name, "key": "k", "string_value": "v", **more}), refusal, text
    )
    assert list(w.secrets.list_secrets(name)) == []


def test_the_largest_secret_is_taken(w: WorkspaceClient, name: str) -> None:
    w.secrets.create_scope(name)
    w.secrets.put_secret(name, "k", string_value="é" * (64 * 1024))


@pytest.mark.parametrize("call", [secret_scopes.create_scope, secret_scopes.put_secret])
def test_the_thousand_and_first_scope_or_secret_is_one_too_many(tmp_path: Path, call: Callable[[Call], Any]) -> None:
    db = open_store(tmp_path / "db")

    def do(handler: Callable[[Call], Any], body: str) -> Any:
        return handler(Call(db=db, caller=USER, base_url="", query={}, path={}, body=body.encode()))

    db.execute("BEGIN")
    if call is secret_scopes.put_secret:
        do(secret_scopes.create_scope, '{"scope": "s"}')
    body = (
        '{"scope": "s%d"}' if call is secret_scopes.create_scope else '{"scope": "s", "key": "%d", "string_value": ""}'
    )
    for index in range(1000):
        do(call, body % index)
    with pytest.raises(ApiError) as caught:
        do(call, body % 1000)
    assert caught.value.error_code == "RESOURCE_LIMIT_EXCEEDED"
    if call is secret_scopes.put_secret:
        do(call, body % 999)


# -- files


@pytest.mark.parametrize(
    ("verb", "body", "refusal", "text"),
    [
        ("import", {"path": "/Shared/{}/none/a", "content": "", "format": "RAW"}, ABSENT, "parent folder (/Shared/"),
        ("import", {"path": "/Shared/{}/file/a", "content": "", "format": "RAW"}, ABSENT, "parent folder (/Shared/"),
        ("import", {"path": "/Shared/{}/file", "content": "", "format": "RAW"}, EXISTS, "already exists"),
        ("import", {"path": "/Shared/{}", "content": "", "format": "RAW", "overwrite": True}, EXISTS, "already exists"),
        ("import", {"path": "/Shared/{}/a", "content": "no base64", "format": "RAW"}, MALFORMED, "base64"),
        ("import", {"path": "/Shared/{}/a", "content": "", "language": "PYTHON"}, INVALID, "RAW"),
        ("import", {"path": "Shared/{}/a", "content": "", "format": "RAW"}, INVALID, "start with '/'"),
        ("import", {"path": "/Shared/{}/../a", "content": "", "format": "RAW"}, INVALID, "plain absolute path"),
        ("mkdirs", {"path": "/Shared/{}/file"}, EXISTS, "already exists"),
        ("mkdirs", {"path": "/Shared/{}/file/a"}, EXISTS, "already exists"),
        ("delete", {"path": "/Shared/{}"}, (400, "DIRECTORY_NOT_EMPTY"), "not empty"),
        ("delete", {"path": "/Shared/{}/none"}, ABSENT, "doesn't exist"),
        *(
            ("delete", {"path": path, "recursive": True}, (400, "DIRECTORY_PROTECTED"), "protected")
            for path in ("/", "/Shared", "/Shared/", "/Workspace/Shared", "/Users", "/Users/deployer@stand-in.invalid")
        ),
    ],
)  # fmt: skip
def test_a_file_operation_that_the_platform_does_not_do(
    w: WorkspaceClient, http: httpx.Client, name: str, verb: str, body: dict[str, Any], refusal: Refusal, text: str
) -> None:
    w.workspace.mkdirs(f"/Shared/{name}")
    http.post(
        "/api/2.0/workspace/import", json={"path": f"/Shared/{name}/file", "content": "", "format": "RAW"}
    ).raise_for_status()
    body = {**body, "path": body["path"].format(name)}
    refused(http.post(f"/api/2.0/workspace/{verb}", json=body), refusal, text)
    assert [item.path for item in w.workspace.list(f"/Shared/{name}")] == [f"/Shared/{name}/file"]


@pytest.mark.parametrize("size", [10 * 1024 * 1024, 10 * 1024 * 1024 + 1])
def test_ten_megabytes_are_the_most(http: httpx.Client, name: str, size: int) -> None:
    path = f"/Shared/{name}"
    answer = http.post(
        "/api/2.0/workspace/import", data={"path": path, "format": "RAW"}, files={"content": b"x" * size}
    )
    if size > 10 * 1024 * 1024:
        refused(answer, (400, "MAX_NOTEBOOK_SIZE_EXCEEDED"), "exceeds")
        content = base64.b64encode(b"x" * (8 * 1024 * 1024)).decode()
        answer = http.post("/api/2.0/workspace/import", json={"path": path, "format": "RAW", "content": content})
        refused(answer, (400, "MAX_NOTEBOOK_SIZE_EXCEEDED"), "exceeds")
    else:
        answer.raise_for_status()


def test_an_unknown_field_of_an_upload(http: httpx.Client, name: str) -> None:
    data = {"path": f"/Shared/{name}", "format": "RAW", "mode": "0600"}
    refused(http.post("/api/2.0/workspace/import", data=data, files={"content": b""}), INVALID, "mode")


# -- jobs


def cluster(**more: Any) -> dict[str, Any]:
    """A change of the job's one cluster; None takes a field away."""
    return {"cluster": more}


@pytest.mark.parametrize(
    ("change", "refusal", "text"),
    [
        (cluster(node_type_id="m5.xlarge"), INVALID, "'node_type_id' cannot be supplied when an instance pool ID"),
        (cluster(driver_node_type_id="m5.xlarge"), INVALID, "'driver_node_type_id' cannot be supplied"),
        (cluster(instance_pool_id="none"), INVALID, "Can't find an instance pool with id: none"),
        (cluster(driver_instance_pool_id="none"), INVALID, "Can't find an instance pool with id: none"),
        (cluster(instance_pool_id=None), INVALID, "node_type_id"),
        (cluster(custom_tags={"team": "two"}), INVALID, "conflict with the pool's custom tag keys: team"),
        (cluster(kind=None, is_single_node=True, num_workers=None), INVALID, "with kind"),
        (cluster(kind=None, use_ml_runtime=True), INVALID, "with kind"),
        (cluster(is_single_node=True), INVALID, "single node"),
        (cluster(num_workers=None), INVALID, "new_cluster.size"),
        (cluster(autoscale={"min_workers": 1, "max_workers": 2}), INVALID, "not by both"),
        (cluster(num_workers=None, autoscale={"min_workers": 3, "max_workers": 2}), INVALID, "autoscale"),
        (cluster(num_workers=-1), INVALID, "num_workers"),
        (cluster(num_workers="1"), MALFORMED, "num_workers"),
        (cluster(data_security_mode="OPEN"), INVALID, "data_security_mode"),
        (cluster(spark_env_vars={"A": 1}), MALFORMED, "spark_env_vars.A"),
        (cluster(gcp_attributes={"service_account": "a"}), INVALID, "gcp_attributes"),
        (cluster(docker_image={"url": "a", "basic_auth": {"user": "a"}}), INVALID, "basic_auth"),
        (cluster(sparkVersion="a"), INVALID, "sparkVersion"),
        ({"tags": {"team": "two"}}, INVALID, "conflict with the pool's custom tag keys: team"),
        ({"tags": {str(index): "" for index in range(26)}}, INVALID, "tags"),
        ({"tasks": [task("a"), task("a")]}, INVALID, "duplicate task_key"),
        ({"tasks": [task("a b")]}, INVALID, "task_key"),
        ({"tasks": [task("a", job_cluster_key="none")]}, INVALID, "undefined job cluster none"),
        ({"tasks": [task("a", existing_cluster_id="b")]}, INVALID, "exactly one of job_cluster_key"),
        ({"tasks": [task("a"), task("b", depends_on=[{"task_key": "a"}])]}, INVALID, "depends_on"),
        ({"tasks": [task("a", disabled=True)]}, INVALID, "disabled"),
        ({"tasks": [task("a", libraries=[{"requirements": "a", "whl": "b"}])]}, INVALID, "libraries"),
        ({"tasks": [task("a", notebook_task={"notebook_path": "/a"})]}, INVALID, "notebook_task"),
        ({"tasks": [task("a", run_if="ALL_DONE")]}, INVALID, "run_if"),
        ({"tasks": [{"task_key": "a", "job_cluster_key": "main"}]}, INVALID, "spark_python_task"),
        ({"run_as": {"user_name": "a", "service_principal_name": "b"}}, INVALID, "run_as"),
        ({"parameters": [{"name": "a", "default": ""}] * 2}, INVALID, "duplicate parameter"),
        ({"parameters": [{"name": "a"}]}, INVALID, "default"),
        ({"max_concurrent_runs": 1001}, INVALID, "max_concurrent_runs"),
        ({"queue": {"enable": True}}, INVALID, "queue"),
        ({"email_notifications": {"on_failures": []}}, INVALID, "email_notifications"),
        ({"maxConcurrentRuns": 1}, INVALID, "maxConcurrentRuns"),
    ],
)  # fmt: skip
def test_a_job_that_the_platform_does_not_take_is_neither_created_nor_kept(
    http: httpx.Client, name: str, pool_id: str, change: dict[str, Any], refusal: Refusal, text: str
) -> None:
    good = job(name, pool_id)
    job_id = http.post("/api/2.2/jobs/create", json=good).json()["job_id"]
    before = http.get("/api/2.2/jobs/get", params={"job_id": job_id}).json()
    spec = {**CLUSTER, "instance_pool_id": pool_id, **change.get("cluster", {})}
    spec = {key: value for key, value in spec.items() if value is not None}
    bad = {**good, "job_clusters": [{"job_cluster_key": "main", "new_cluster": spec}], **change}
    bad.pop("cluster", None)
    refused(http.post("/api/2.2/jobs/create", json=bad), refusal, text)
    refused(http.post("/api/2.2/jobs/reset", json={"job_id": job_id, "new_settings": bad}), refusal, text)
    assert http.get("/api/2.2/jobs/get", params={"job_id": job_id}).json() == before
    assert len(http.get("/api/2.2/jobs/list", params={"name": name}).json()["jobs"]) == 1


def test_a_secret_reference_to_a_missing_scope_is_not_refused(http: httpx.Client, name: str, pool_id: str) -> None:
    assert "absent-scope" in str(CLUSTER["spark_env_vars"])
    assert http.post("/api/2.2/jobs/create", json=job(name, pool_id)).is_success


# -- what does not exist


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal", "text"),
    [
        ("GET", "2.2/jobs/get?job_id=1", None, INVALID, "Job 1 does not exist."),
        ("GET", "2.2/jobs/get", None, INVALID, "job_id"),
        ("GET", "2.2/jobs/list?limit=101", None, INVALID, "limit"),
        ("GET", "2.2/jobs/list?page_token=x", None, INVALID, "page_token"),
        ("POST", "2.2/jobs/reset", {"job_id": 1, "new_settings": {}}, INVALID, "Job 1 does not exist."),
        ("POST", "2.2/jobs/delete", {"job_id": 1}, INVALID, "Job 1 does not exist."),
        ("GET", "2.0/permissions/jobs/1", None, ABSENT, "does not exist"),
        ("PUT", "2.0/permissions/jobs/1", {}, ABSENT, "does not exist"),
        ("GET", "2.0/permissions/instance-pools/a", None, ABSENT, "does not exist"),
        ("GET", "2.0/permissions/directories/1", None, ABSENT, "does not exist"),
        ("GET", "2.0/instance-pools/get?instance_pool_id=a", None, ABSENT, "Can't find an instance pool with id: a"),
        ("POST", "2.0/instance-pools/edit", {**POOL, "instance_pool_id": "a"}, ABSENT, "Can't find"),
        ("POST", "2.0/instance-pools/delete", {"instance_pool_id": "a"}, ABSENT, "Can't find"),
        ("GET", "2.0/secrets/list?scope=none", None, ABSENT, "none does not exist"),
        ("POST", "2.0/secrets/scopes/delete", {"scope": "none"}, ABSENT, "none does not exist"),
        ("POST", "2.0/secrets/put", {"scope": "none", "key": "k", "string_value": "v"}, ABSENT, "none does not exist"),
        ("POST", "2.0/secrets/delete", {"scope": "SCOPE", "key": "none"}, ABSENT, "does not exist"),
        ("GET", "2.0/secrets/get?scope=SCOPE&key=none", None, ABSENT, "does not exist"),
        ("GET", "2.0/secrets/acls/get?scope=SCOPE&principal=none", None, ABSENT, "No ACL found"),
        ("POST", "2.0/secrets/acls/delete", {"scope": "SCOPE", "principal": "none"}, ABSENT, "No ACL found"),
        ("POST", "2.0/secrets/acls/put", {"scope": "SCOPE", "principal": "a", "permission": "OWN"}, INVALID, ""),
        ("GET", "2.0/workspace/get-status?path=/none", None, ABSENT, "Path (/none) doesn't exist."),
        ("GET", "2.0/workspace/list?path=/none", None, ABSENT, "Path (/none) doesn't exist."),
        ("GET", "2.0/workspace/export?path=/none", None, ABSENT, "Path (/none) doesn't exist."),
        ("GET", "2.0/workspace/export?path=/Shared", None, INVALID, "Only files"),
    ],
)  # fmt: skip
def test_what_is_not_there(
    http: httpx.Client, name: str, method: str, path: str, body: Any, refusal: Refusal, text: str
) -> None:
    http.post("/api/2.0/secrets/scopes/create", json={"scope": name}).raise_for_status()
    path = f"/api/{path}".replace("SCOPE", name)
    body = body and {key: name if value == "SCOPE" else value for key, value in body.items()}
    refused(http.request(method, path, json=body), refusal, text)


# -- permissions


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], "exactly one owner"),
        ([{"user_name": "a", "permission_level": "CAN_VIEW"}], "exactly one owner"),
        ([{"user_name": name, "permission_level": "IS_OWNER"} for name in "ab"], "exactly one owner"),
        ([{"group_name": "a", "permission_level": "IS_OWNER"}], "group"),
        ([{"user_name": "a", "permission_level": "CAN_ATTACH_TO"}], "CAN_ATTACH_TO"),
        ([{"permission_level": "CAN_VIEW"}], "exactly one of"),
        ([{"user_name": "a", "group_name": "b", "permission_level": "CAN_VIEW"}], "exactly one of"),
        ([{"user_name": "a", "level": "CAN_VIEW"}], "level"),
    ],
)
def test_permissions_that_a_job_does_not_take(
    http: httpx.Client, name: str, pool_id: str, entries: list[Any], text: str
) -> None:
    job_id = http.post("/api/2.2/jobs/create", json=job(name, pool_id)).json()["job_id"]
    path = f"/api/2.0/permissions/jobs/{job_id}"
    before = http.get(path).json()
    refused(http.put(path, json={"access_control_list": entries}), INVALID, text)
    assert http.get(path).json() == before


def test_permissions_of_shared_are_the_platforms(w: WorkspaceClient, http: httpx.Client) -> None:
    number = w.workspace.get_status("/Shared").object_id
    refused(http.put(f"/api/2.0/permissions/directories/{number}", json={}), INVALID, "Cannot modify permissions")
