"""The service principal: how it gets a token, what that opens, and what it may do with a job that it was given."""

import base64
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import PermissionDenied

from tests.emulator.emulator_harness import APPLICATION_ID, Runner, Server, run, started

FORM = {"grant_type": "client_credentials", "scope": "all-apis"}
WAITS = "import time\nprint('ready')\ntime.sleep(60)\n"


@pytest.fixture
def principal(server: Server) -> WorkspaceClient:
    return server.principal()


@pytest.fixture
def as_principal(principal: WorkspaceClient, server: Server) -> Iterator[httpx.Client]:
    with server.http(principal.config.oauth_token().access_token) as client:
        yield client


def given(http: httpx.Client, job_id: int, level: str) -> None:
    # A job has one owner, who is replaced with all the rest.
    method = "PUT" if level == "IS_OWNER" else "PATCH"
    entries = [{"service_principal_name": APPLICATION_ID, "permission_level": level}]
    path = f"/api/2.0/permissions/jobs/{job_id}"
    http.request(method, path, json={"access_control_list": entries}).raise_for_status()


def token(server: Server, form: dict[str, str], auth: tuple[str, str] | None = None) -> httpx.Response:
    return httpx.post(f"{server.address}/oidc/v1/token", data=form, auth=auth, trust_env=False)


def test_databricks_sdk_signs_in_with_client_credentials(principal: WorkspaceClient) -> None:
    me = principal.current_user.me()
    assert (me.user_name, me.display_name) == (APPLICATION_ID, "stand-in-service-principal")


def test_a_token_is_given_for_the_secret_in_the_form_or_by_basic(server: Server) -> None:
    secret = server.credential("service-principal-secret")
    in_form = token(server, {**FORM, "client_id": APPLICATION_ID, "client_secret": secret}).json()
    by_basic = token(server, FORM, (APPLICATION_ID, secret)).json()
    for answer in (in_form, by_basic):
        assert {name: answer[name] for name in ("token_type", "expires_in", "scope")} == {
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "all-apis",
        }
        with server.http(answer["access_token"]) as client:
            assert client.get("/api/2.0/preview/scim/v2/Me").json()["userName"] == APPLICATION_ID
    assert in_form["access_token"] != by_basic["access_token"]


@pytest.mark.parametrize("auth", [(APPLICATION_ID, "wrong"), (APPLICATION_ID, ""), ("other", "SECRET"), None])
def test_no_token_for_a_wrong_credential(server: Server, auth: tuple[str, str] | None) -> None:
    secret = server.credential("service-principal-secret")
    answer = token(server, FORM, auth and (auth[0], auth[1].replace("SECRET", secret)))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert secret not in answer.text


@pytest.mark.parametrize("basic", ["Basic !", "Basic " + base64.b64encode(b"\xff:\xff").decode()])
def test_no_token_for_a_credential_that_cannot_be_read(server: Server, basic: str) -> None:
    answer = httpx.post(f"{server.address}/oidc/v1/token", data=FORM, headers={"Authorization": basic})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [({"grant_type": "password"}, "unsupported_grant_type"), ({"scope": "sql"}, "invalid_scope")],
)
def test_no_token_for_another_grant_or_scope(server: Server, form: dict[str, str], error: str) -> None:
    answer = token(server, {**FORM, **form}, (APPLICATION_ID, server.credential("service-principal-secret")))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_databricks_sdk_says_that_the_secret_is_wrong(server: Server) -> None:
    with pytest.raises(ValueError, match="invalid_client"):
        server.principal("wrong").current_user.me()


def test_a_rotated_secret_replaces_the_old_one_and_leaves_tokens_alone(home: Path) -> None:
    server = started(home, "--port", "0")
    old = server.credential("service-principal-secret")
    before = server.principal()
    before.current_user.me()
    (home / "service-principal-secret").write_text("another")
    assert token(server, FORM, (APPLICATION_ID, old)).status_code == 401
    assert token(server, FORM, (APPLICATION_ID, "another")).status_code == 200
    before.current_user.me()


def test_an_expired_token_opens_nothing(server: Server, as_principal: httpx.Client) -> None:
    assert as_principal.get("/api/2.0/preview/scim/v2/Me").status_code == 200
    with sqlite3.connect(server.home / "workspace.db") as db:
        db.execute("UPDATE access_tokens SET expires_ms = expires_ms - 3601000")
    answer = as_principal.get("/api/2.0/preview/scim/v2/Me")
    assert (answer.status_code, answer.json()) == (403, {"error_code": 403, "message": "Invalid access token."})


def test_neither_token_nor_secret_is_kept_where_the_server_writes(home: Path) -> None:
    server = started(home, "--port", "0")
    made = server.principal().config.oauth_token().access_token
    run("stop", "--home", home)
    for file in home.rglob("*"):
        if file.is_file():
            assert made.encode() not in file.read_bytes(), file
            secret = server.credential("service-principal-secret").encode()
            assert secret not in file.read_bytes() or file.name == "service-principal-secret"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/2.0/secrets/scopes/list"),
        ("GET", "/api/2.0/secrets/get?scope=s&key=k"),
        ("POST", "/api/2.2/jobs/create"),
        ("GET", "/api/2.2/jobs/list"),
        ("POST", "/api/2.2/jobs/reset"),
        ("PATCH", "/api/2.0/permissions/jobs/1"),
        ("GET", "/api/2.0/workspace/list?path=/"),
        ("GET", "/nothing"),
    ],
)
def test_the_service_principal_is_no_administrator(as_principal: httpx.Client, method: str, path: str) -> None:
    answer = as_principal.request(method, path)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert APPLICATION_ID in answer.json()["message"]


@pytest.mark.parametrize("level", ["CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"])
def test_a_level_that_runs_a_job_runs_sees_and_cancels_it(
    principal: WorkspaceClient, http: httpx.Client, runner: Runner, level: str
) -> None:
    job_id = runner.job(runner.task("main", WAITS))
    given(http, job_id, level)
    run_id = principal.jobs.run_now(job_id).run_id
    runner.printed(run_id, "ready")
    shown = principal.jobs.get_run(run_id)
    assert shown.creator_user_name == APPLICATION_ID
    assert principal.jobs.get_run_output((shown.tasks or [])[0].run_id or 0).logs == "ready\n"
    assert principal.jobs.get(job_id).job_id == job_id
    assert [each.run_id for each in principal.jobs.list_runs(job_id=job_id)] == [run_id]
    principal.jobs.cancel_run(run_id)
    assert runner.ended(run_id)["state"]["result_state"] == "CANCELED"


@pytest.mark.parametrize("level", [None, "CAN_VIEW"])
def test_without_such_a_level_a_job_is_not_run(
    principal: WorkspaceClient, http: httpx.Client, runner: Runner, level: str | None
) -> None:
    job_id = runner.job(runner.task("main", "print('ran')"))
    run_id = runner.start(job_id)
    task_id = runner.ended(run_id)["tasks"][0]["run_id"]
    if level:
        given(http, job_id, level)
    text = f"User {APPLICATION_ID} does not have Manage Run or Owner or Manage permissions on job {job_id}"
    with pytest.raises(PermissionDenied, match=text):
        principal.jobs.run_now(job_id)
    with pytest.raises(PermissionDenied, match=text):
        principal.jobs.cancel_run(run_id)
    assert len(list(runner.w.jobs.list_runs(job_id=job_id))) == 1
    reads: list[Any] = [
        lambda: principal.jobs.get(job_id).job_id,
        lambda: principal.jobs.get_run(run_id).run_id,
        lambda: principal.jobs.get_run(task_id).run_id,
        lambda: principal.jobs.get_run_output(task_id).logs,
    ]
    if level:
        assert [read() for read in reads] == [job_id, run_id, task_id, "ran\n"]
    else:
        for read in reads:
            with pytest.raises(PermissionDenied, match=f"View or .* permissions on job {job_id}"):
                read()
    for listed in (principal.jobs.list_runs(job_id=job_id), principal.jobs.list_runs()):
        assert (run_id in [each.run_id for each in listed]) is (level is not None)


def test_the_users_runs_are_the_users(w: WorkspaceClient, runner: Runner) -> None:
    run_id = runner.start(runner.job(runner.task("main", "print()")))
    assert runner.ended(run_id)["creator_user_name"] == w.current_user.me().user_name


def test_an_idempotency_token_starts_one_run(w: WorkspaceClient, runner: Runner, name: str) -> None:
    job_id = runner.job(runner.task("main", "print()"))
    first = w.jobs.run_now(job_id, idempotency_token=name).run_id
    runner.ended(first)
    assert w.jobs.run_now(job_id, idempotency_token=name).run_id == first
    other = w.jobs.run_now(job_id, idempotency_token=name.ljust(64, "x")).run_id
    runner.ended(other)
    assert [each.run_id for each in w.jobs.list_runs(job_id=job_id)] == [other, first]
