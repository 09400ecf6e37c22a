"""OAuth secrets of service principals: what they open, for how long, how many, and the clock that tells it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service import oauth2

from tests.emulator.emulator_harness import APPLICATION_ID, Principal, Server, run, started

FOUR_MONTHS = 10454400
FORM = {"grant_type": "client_credentials", "scope": "all-apis"}
Ahead = Callable[[float], object]


def opens(server: Server, secret: str | None, application_id: str) -> bool:
    answer = httpx.post(f"{server.address}/oidc/v1/token", data=FORM, auth=(application_id, secret or ""))
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def seconds(secret: oauth2.CreateServicePrincipalSecretResponse) -> float:
    """Of its life."""
    begin, end = secret.create_time or "", secret.expire_time or ""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def test_a_secret_is_shown_once_and_listed_without_it(server: Server, w: WorkspaceClient, made: Principal) -> None:
    new = w.service_principal_secrets_proxy.create(made.id, lifetime=f"{FOUR_MONTHS}s")
    assert (new.secret or "").startswith("dose")
    assert (new.status, seconds(new), new.update_time) == ("ACTIVE", FOUR_MONTHS, new.create_time)
    (listed,) = w.service_principal_secrets_proxy.list(made.id)
    assert listed.as_dict() == {name: value for name, value in new.as_dict().items() if name != "secret"}
    assert opens(server, new.secret, made.application_id)
    assert not opens(server, new.secret, APPLICATION_ID)
    assert not opens(server, new.secret_hash, made.application_id)


@pytest.mark.parametrize(("lifetime", "expected"), [(None, 63072000), ("63072000s", 63072000), ("1s", 1)])
def test_a_secret_lasts_two_years_unless_told(
    w: WorkspaceClient, made: Principal, lifetime: str | None, expected: int
) -> None:
    assert seconds(w.service_principal_secrets_proxy.create(made.id, lifetime=lifetime)) == expected


@pytest.mark.parametrize("lifetime", ["63072001s", "0s", "-1s", "60", "1.5s", "", "s", "9" * 30 + "s"])
def test_a_lifetime_that_is_none_or_too_long_is_refused(w: WorkspaceClient, made: Principal, lifetime: str) -> None:
    with pytest.raises(BadRequest, match="lifetime"):
        w.service_principal_secrets_proxy.create(made.id, lifetime=lifetime)
    assert list(w.service_principal_secrets_proxy.list(made.id)) == []


def test_an_ended_secret_opens_nothing_and_is_not_listed(
    server: Server, w: WorkspaceClient, made: Principal, ahead: Ahead
) -> None:
    new = w.service_principal_secrets_proxy.create(made.id, lifetime="1000s")
    ahead(990)
    assert opens(server, new.secret, made.application_id)
    assert [each.id for each in w.service_principal_secrets_proxy.list(made.id)] == [new.id]
    ahead(1001)
    assert not opens(server, new.secret, made.application_id)
    assert list(w.service_principal_secrets_proxy.list(made.id)) == []


def test_the_clock_dates_new_secrets_and_not_jobs(
    http: httpx.Client, w: WorkspaceClient, made: Principal, name: str, ahead: Ahead
) -> None:
    def dates() -> tuple[float, float]:
        secret = w.service_principal_secrets_proxy.create(made.id)
        job_id = http.post("/api/2.2/jobs/create", json={"name": name}).json()["job_id"]
        return datetime.fromisoformat(secret.create_time or "").timestamp(), w.jobs.get(job_id).created_time or 0

    secret_before, job_before = dates()
    ahead(1e6)
    secret_after, job_after = dates()
    assert 0 <= secret_after - secret_before - 1e6 < 100
    assert 0 <= job_after - job_before < 100_000


def test_a_token_ends_an_hour_later_by_the_clock(
    server: Server, w: WorkspaceClient, made: Principal, ahead: Ahead
) -> None:
    secret = w.service_principal_secrets_proxy.create(made.id).secret
    with server.http(server.principal(secret, made.application_id).config.oauth_token().access_token) as client:
        ahead(3590)
        assert client.get("/api/2.0/preview/scim/v2/Me").is_success
        ahead(3601)
        assert client.get("/api/2.0/preview/scim/v2/Me").status_code == 403


def test_the_sixth_secret_is_refused_until_one_has_ended_or_is_deleted(
    w: WorkspaceClient, made: Principal, ahead: Ahead
) -> None:
    secrets = w.service_principal_secrets_proxy
    ids = [secrets.create(made.id, lifetime="500s").id or ""]
    ids += [secrets.create(made.id).id or "" for _ in range(4)]
    with pytest.raises(BadRequest, match="at most 5"):
        secrets.create(made.id)
    secrets.delete(made.id, ids[1])
    secrets.create(made.id)
    with pytest.raises(BadRequest, match="at most 5"):
        secrets.create(made.id)
    ahead(501)
    secrets.create(made.id)


def test_a_deleted_secret_opens_nothing_and_leaves_the_others_and_tokens(
    server: Server, w: WorkspaceClient, made: Principal
) -> None:
    old, new = (w.service_principal_secrets_proxy.create(made.id) for _ in range(2))
    client = server.principal(old.secret, made.application_id)
    client.current_user.me()
    w.service_principal_secrets_proxy.delete(made.id, old.id or "")
    assert not opens(server, old.secret, made.application_id)
    assert opens(server, new.secret, made.application_id)
    client.current_user.me()
    with pytest.raises(NotFound, match=old.id or "?"):
        w.service_principal_secrets_proxy.delete(made.id, old.id or "")


def test_a_secret_is_not_deleted_as_anothers(w: WorkspaceClient, made: Principal) -> None:
    (fixed,) = w.service_principals.list(filter=f'applicationId eq "{APPLICATION_ID}"')
    new = w.service_principal_secrets_proxy.create(made.id)
    with pytest.raises(NotFound):
        w.service_principal_secrets_proxy.delete(fixed.id or "", new.id or "")
    assert [each.id for each in w.service_principal_secrets_proxy.list(made.id)] == [new.id]


def test_the_one_of_every_workspace_has_secrets_beside_its_file(server: Server, w: WorkspaceClient) -> None:
    (fixed,) = w.service_principals.list(filter=f'applicationId eq "{APPLICATION_ID}"')
    new = w.service_principal_secrets_proxy.create(fixed.id or "")
    for secret in (new.secret, server.credential("service-principal-secret")):
        assert opens(server, secret, APPLICATION_ID)
    w.service_principal_secrets_proxy.delete(fixed.id or "", new.id or "")
    assert not opens(server, new.secret, APPLICATION_ID)
    assert opens(server, server.credential("service-principal-secret"), APPLICATION_ID)


def test_secrets_are_read_page_by_page(http: httpx.Client, w: WorkspaceClient, made: Principal) -> None:
    ids = [w.service_principal_secrets_proxy.create(made.id).id for _ in range(3)]
    path = f"/api/2.0/accounts/servicePrincipals/{made.id}/credentials/secrets"
    first: dict[str, Any] = http.get(path, params={"page_size": 2}).json()
    assert [each["id"] for each in first["secrets"]] == ids[:2]
    query = {"page_size": "2", "page_token": first["next_page_token"]}
    assert [each["id"] for each in http.get(path, params=query).json()["secrets"]] == ids[2:]
    assert "next_page_token" not in http.get(path, params=query).json()
    assert [each.id for each in w.service_principal_secrets_proxy.list(made.id, page_size=1)] == ids


def test_no_secret_and_no_token_is_kept_or_logged(home: Path) -> None:
    server = started(home, "--port", "0")
    w = server.sdk()
    principal = w.service_principals.create(display_name="a")
    secret = w.service_principal_secrets_proxy.create(principal.id or "").secret or ""
    token = server.principal(secret, principal.application_id or "").config.oauth_token().access_token
    with server.http(secret) as client:
        assert client.get("/api/2.0/preview/scim/v2/Me").status_code == 403
    run("stop", "--home", home)
    for file in (file for file in home.rglob("*") if file.is_file()):
        for value in (secret, token):
            assert value.encode() not in file.read_bytes(), file
