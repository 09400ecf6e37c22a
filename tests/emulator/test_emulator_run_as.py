"""Who a job runs as: the roles on service principals, their rule sets, and what a job says of it."""

from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict
from databricks.sdk.service import iam

from tests.emulator.emulator_harness import ACCOUNT_ID, APPLICATION_ID, Principal, Runner, may_be_run_as, result

MANAGER, USER = "roles/servicePrincipal.manager", "roles/servicePrincipal.user"
ME = "users/deployer@stand-in.invalid"


def rules(found: iam.RuleSetResponse) -> dict[str, list[str]]:
    return {rule.role: rule.principals or [] for rule in found.grant_rules or []}


def update(w: WorkspaceClient, name: str, etag: str, *grants: iam.GrantRule) -> iam.RuleSetResponse:
    return w.account_access_control_proxy.update_rule_set(name, iam.RuleSetUpdateRequest(name, etag, list(grants)))


def test_who_makes_one_is_its_manager_and_not_its_user(w: WorkspaceClient, made: Principal) -> None:
    assert rules(w.account_access_control_proxy.get_rule_set(made.rule_set, "")) == {MANAGER: [ME]}


def test_an_update_overwrites_every_rule(w: WorkspaceClient, made: Principal) -> None:
    before = w.account_access_control_proxy.get_rule_set(made.rule_set, "")
    after = update(w, made.rule_set, before.etag, iam.GrantRule(USER, [ME, "groups/team"]))
    assert after.etag != before.etag
    assert rules(after) == {USER: [ME, "groups/team"]}
    assert w.account_access_control_proxy.get_rule_set(made.rule_set, after.etag) == after
    assert rules(update(w, made.rule_set, after.etag)) == {}


def test_an_update_of_what_was_changed_meanwhile_is_refused(w: WorkspaceClient, made: Principal) -> None:
    seen = w.account_access_control_proxy.get_rule_set(made.rule_set, "")
    kept = update(w, made.rule_set, seen.etag, iam.GrantRule(USER, [ME]))
    with pytest.raises(ResourceConflict, match="Conflict with another RuleSet operation") as caught:
        update(w, made.rule_set, seen.etag)
    assert caught.value.error_code == "RESOURCE_CONFLICT"
    with pytest.raises(BadRequest, match="etag"):
        update(w, made.rule_set, "")
    assert w.account_access_control_proxy.get_rule_set(made.rule_set, "") == kept


@pytest.mark.parametrize(
    ("grant", "text"),
    [
        ({"role": "roles/servicePrincipal.owner", "principals": [ME]}, "role"),
        ({"role": USER, "principals": ["deployer@stand-in.invalid"]}, "principals"),
        ({"role": USER, "members": [ME]}, "members"),
    ],
)
def test_a_rule_that_is_none_is_refused(
    http: httpx.Client, w: WorkspaceClient, made: Principal, grant: dict[str, Any], text: str
) -> None:
    etag = w.account_access_control_proxy.get_rule_set(made.rule_set, "").etag
    rule_set = {"name": made.rule_set, "etag": etag, "grant_rules": [grant]}
    path = "/api/2.0/preview/accounts/access-control/rule-sets"
    answer = http.put(path, json={"name": made.rule_set, "rule_set": rule_set})
    assert answer.status_code == 400
    assert text in answer.json()["message"]
    assert w.account_access_control_proxy.get_rule_set(made.rule_set, "").etag == etag


def test_only_service_principals_of_the_account_have_one(w: WorkspaceClient, made: Principal) -> None:
    get = w.account_access_control_proxy.get_rule_set
    for name in (made.rule_set.replace(ACCOUNT_ID, "another"), made.rule_set.replace(made.application_id, "none")):
        with pytest.raises(NotFound):
            get(name, "")
    with pytest.raises(BadRequest, match="Invalid rule set name"):
        get(f"accounts/{ACCOUNT_ID}/ruleSets/default", "")
    w.service_principals.delete(made.id)
    with pytest.raises(NotFound):
        get(made.rule_set, "")


def cannot_bind(answer: httpx.Response, application_id: str) -> None:
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert answer.json()["message"] == (
        f"Cannot bind the service principal provided in 'run_as' field ({application_id}) to the job. The user creating"
        " or updating the job must have 'servicePrincipal.user' role on the service principal."
    )


@pytest.mark.parametrize("which", ["made", "fixed"])
def test_a_job_is_not_bound_to_one_without_its_user_role(
    http: httpx.Client, w: WorkspaceClient, runner: Runner, made: Principal, which: str
) -> None:
    application_id = made.application_id if which == "made" else APPLICATION_ID
    run_as = {"service_principal_name": application_id}
    settings = runner.settings(runner.task("main", "print()"))
    cannot_bind(http.post("/api/2.2/jobs/create", json={**settings, "run_as": run_as}), application_id)
    job_id = runner.call("create", settings)["job_id"]
    for verb, new in (("reset", {**settings, "run_as": run_as}), ("update", {"run_as": run_as})):
        cannot_bind(http.post(f"/api/2.2/jobs/{verb}", json={"job_id": job_id, "new_settings": new}), application_id)
    assert w.jobs.get(job_id).run_as_user_name == w.current_user.me().user_name


def test_a_job_is_bound_to_one_by_its_user_who_is_asked_for_the_role_at_each_write(
    http: httpx.Client, w: WorkspaceClient, runner: Runner, made: Principal
) -> None:
    may_be_run_as(w, made)
    settings = runner.settings(runner.task("main", "print()"), run_as={"service_principal_name": made.application_id})
    job_id = runner.call("create", settings)["job_id"]
    got = http.get("/api/2.2/jobs/get", params={"job_id": job_id}).json()
    # It is written in the settings and read beside them.
    assert (got["run_as_user_name"], "run_as" in got["settings"]) == (made.application_id, False)
    runner.reset(job_id, runner.task("main", "print(2)"))
    assert w.jobs.get(job_id).run_as_user_name == made.application_id
    update(w, made.rule_set, w.account_access_control_proxy.get_rule_set(made.rule_set, "").etag)
    answer = http.post("/api/2.2/jobs/update", json={"job_id": job_id, "new_settings": {"max_concurrent_runs": 2}})
    cannot_bind(answer, made.application_id)
    # The role is for writing jobs: one that is written runs without it.
    assert result(runner.ended(runner.start(job_id))) == ("TERMINATED", "SUCCESS", "SUCCESS")
    me = w.current_user.me().user_name
    runner.call("update", {"job_id": job_id, "new_settings": {"run_as": {"user_name": me}}})
    assert w.jobs.get(job_id).run_as_user_name == me


@pytest.mark.parametrize("how", ["never made", "inactive"])
def test_a_job_is_not_bound_to_one_that_is_not_there(
    http: httpx.Client, w: WorkspaceClient, runner: Runner, made: Principal, how: str
) -> None:
    application_id = made.application_id if how == "inactive" else "0d0c0b0a-0000-4000-8000-000000000000"
    may_be_run_as(w, made)
    w.service_principals.update(made.id, active=False)
    settings = runner.settings(runner.task("main", "print()"), run_as={"service_principal_name": application_id})
    answer = http.post("/api/2.2/jobs/create", json=settings)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json()["message"] == f"Invalid user: '{application_id}' does not exist or deactivated"


def test_one_is_not_named_as_a_user(http: httpx.Client, runner: Runner, made: Principal) -> None:
    settings = runner.settings(runner.task("main", "print()"), run_as={"user_name": made.application_id})
    answer = http.post("/api/2.2/jobs/create", json=settings)
    assert answer.json()["message"] == f"Invalid user: '{made.application_id}' does not exist or deactivated"


def test_a_job_whose_owner_is_deleted_is_shown_and_does_not_run(
    http: httpx.Client, w: WorkspaceClient, runner: Runner, made: Principal
) -> None:
    job_id = runner.job(runner.task("main", "print()"))
    owner = {"service_principal_name": made.application_id, "permission_level": "IS_OWNER"}
    http.put(f"/api/2.0/permissions/jobs/{job_id}", json={"access_control_list": [owner]}).raise_for_status()
    w.service_principals.delete(made.id)
    assert w.jobs.get(job_id).run_as_user_name == made.application_id
    assert result(runner.ended(runner.start(job_id))) == ("INTERNAL_ERROR", "FAILED", "UNAUTHORIZED_ERROR")


def test_without_run_as_a_job_runs_as_its_owner(http: httpx.Client, w: WorkspaceClient, runner: Runner) -> None:
    job_id = runner.job(runner.task("main", "print()"))
    owner = {"service_principal_name": APPLICATION_ID, "permission_level": "IS_OWNER"}
    http.put(f"/api/2.0/permissions/jobs/{job_id}", json={"access_control_list": [owner]}).raise_for_status()
    assert w.jobs.get(job_id).run_as_user_name == APPLICATION_ID
