"""One entry is added where it is missing, and taken away if it was added: nothing else on the object is touched."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from databricks.sdk.errors import Aborted, NotFound, PermissionDenied
from databricks.sdk.service.iam import (
    AccessControlResponse,
    GrantRule,
    ObjectPermissions,
    Permission,
    PermissionLevel,
    RuleSetResponse,
)
from databricks.sdk.service.workspace import AclItem, AclPermission

from databricks_provider import pool_grant, role_grant, scope_grant
from databricks_provider.grant import GrantProvider
from databricks_provider.pool_grant import PoolGrantProvider
from databricks_provider.role_grant import USER_ROLE, RoleGrantProvider
from databricks_provider.scope_grant import ScopeGrantProvider

ME = "me@example.com"
RUNNER = "5ad0c0de-0000-4000-8000-000000000002"
SCOPE = {"scope": "theirs", "principal": RUNNER, "permission": "READ", "exclusive": False}
POOL = {"poolId": "pool", "principal": RUNNER}
ROLE = {"accountId": "account", "servicePrincipal": RUNNER}


class Workspace:
    """Scope entries, pool entries and holders of a role, as databricks-sdk has them."""

    def __init__(self) -> None:
        self.acls = {"other": AclPermission.WRITE, ME: AclPermission.MANAGE}
        self.pool = {"other": PermissionLevel.CAN_MANAGE}
        self.holders = ["users/other"]
        self.me, self.stale, self.gone = ME, 0, False
        self.secrets = SimpleNamespace(list_acls=self.list_acls, put_acl=self.put_acl, delete_acl=self.delete_acl)
        self.permissions = SimpleNamespace(get=self.get, update=self.update, set=self.set)
        self.account_access_control_proxy = SimpleNamespace(get_rule_set=self.rules, update_rule_set=self.write_rules)
        self.current_user = SimpleNamespace(me=lambda: SimpleNamespace(user_name=self.me))

    def list_acls(self, scope: str) -> Any:
        if self.gone:
            raise NotFound("no such scope")
        return iter([AclItem(principal=name, permission=level) for name, level in self.acls.items()])

    def put_acl(self, scope: str, principal: str, permission: AclPermission) -> None:
        self.acls[principal] = permission

    def delete_acl(self, scope: str, principal: str) -> None:
        if self.acls.pop(principal, None) is None:
            raise NotFound("no such entry")

    def get(self, kind: str, number: str) -> ObjectPermissions:
        entries = [self._entry(name, level, inherited=False) for name, level in self.pool.items()]
        admins = AccessControlResponse(group_name="admins", all_permissions=[Permission(inherited=True)])
        return ObjectPermissions(access_control_list=[*entries, admins])

    @staticmethod
    def _entry(name: str, level: PermissionLevel, *, inherited: bool) -> AccessControlResponse:
        permission = Permission(permission_level=level, inherited=inherited)
        return AccessControlResponse(service_principal_name=name, all_permissions=[permission])

    def update(self, kind: str, number: str, *, access_control_list: list[Any]) -> None:
        self.pool |= {entry.service_principal_name: entry.permission_level for entry in access_control_list}

    def set(self, kind: str, number: str, *, access_control_list: list[Any]) -> None:
        self.pool = {entry.service_principal_name: entry.permission_level for entry in access_control_list}

    def rules(self, name: str, etag: str) -> RuleSetResponse:
        if self.gone:
            raise PermissionDenied("not a manager")
        users = [GrantRule(role=USER_ROLE, principals=list(self.holders))] if self.holders else []
        manager = GrantRule(role="roles/servicePrincipal.manager", principals=["users/boss"])
        return RuleSetResponse(name=name, etag="etag", grant_rules=[manager, *users])

    def write_rules(self, name: str, update: Any) -> None:
        if self.stale:
            self.stale -= 1
            raise Aborted("somebody was quicker", error_code="ABORTED")
        rules = {rule.role: rule.principals for rule in update.grant_rules}
        assert rules.pop("roles/servicePrincipal.manager") == ["users/boss"]
        self.holders = rules.get(USER_ROLE, [])

    def snapshot(self) -> Any:
        return dict(self.acls), dict(self.pool), sorted(self.holders)


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    workspace = Workspace()
    for module in (scope_grant, pool_grant, role_grant):
        monkeypatch.setattr(module, "CONNECTION", SimpleNamespace(client=workspace))
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    yield workspace


KINDS = [(ScopeGrantProvider(), SCOPE), (PoolGrantProvider(), POOL), (RoleGrantProvider(), ROLE)]


@pytest.mark.parametrize(("provider", "inputs"), KINDS)
def test_what_was_added_is_taken_away_and_the_object_is_as_it_was(
    workspace: Workspace, provider: GrantProvider, inputs: dict[str, Any]
) -> None:
    before = workspace.snapshot()
    outs = provider.create(inputs).outs or {}
    assert workspace.snapshot() != before
    assert not provider.diff("x", outs, inputs).changes
    provider.delete("x", outs)
    assert workspace.snapshot() == before
    provider.delete("x", outs)
    assert workspace.snapshot() == before


@pytest.mark.parametrize(("provider", "inputs"), KINDS)
def test_what_was_there_before_is_left_there(
    workspace: Workspace, provider: GrantProvider, inputs: dict[str, Any]
) -> None:
    workspace.acls[RUNNER] = AclPermission.MANAGE
    workspace.pool[RUNNER] = PermissionLevel.CAN_MANAGE
    workspace.holders.append(f"users/{ME}")
    before = workspace.snapshot()
    outs = provider.create(inputs).outs or {}
    assert outs["added"] == []
    provider.delete("x", outs)
    assert workspace.snapshot() == before


@pytest.mark.parametrize(("provider", "inputs"), KINDS)
def test_what_was_taken_away_by_hand_is_seen_and_given_again(
    workspace: Workspace, provider: GrantProvider, inputs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    outs = provider.create(inputs).outs or {}
    given = workspace.snapshot()
    workspace.acls.pop(RUNNER, None)
    workspace.pool.pop(RUNNER, None)
    workspace.holders = ["users/other"]
    seen = provider.read("x", outs).outs or {}
    assert "`up` gives it again" in capsys.readouterr().out
    assert provider.diff("x", seen, inputs).changes
    outs = provider.update("x", seen, inputs).outs or {}
    assert len(outs["added"]) == 1
    assert provider.read("x", outs).outs == outs
    kind = [provider for provider, _ in KINDS].index(provider)
    assert workspace.snapshot()[kind] == given[kind]


@pytest.mark.parametrize(("provider", "inputs"), KINDS)
def test_another_object_or_principal_is_another_grant(provider: GrantProvider, inputs: dict[str, Any]) -> None:
    outs = {**inputs, "held": True, "holder": RUNNER, "added": []}
    for name in provider.identity:
        assert provider.diff("x", outs, {**inputs, name: "another"}).replaces == [name]


def test_on_the_stacks_own_scope_nobody_else_reads_or_writes_and_who_manages_is_left(workspace: Workspace) -> None:
    provider, inputs = ScopeGrantProvider(), {**SCOPE, "exclusive": True}
    outs = provider.create(inputs).outs or {}
    assert workspace.acls == {ME: AclPermission.MANAGE, RUNNER: AclPermission.READ}
    for drift in ({"somebody": AclPermission.READ}, {RUNNER: AclPermission.WRITE}):
        workspace.acls |= drift
        assert (provider.read("x", outs).outs or {})["held"] is False
        provider.update("x", outs, inputs)
        assert workspace.acls == {ME: AclPermission.MANAGE, RUNNER: AclPermission.READ}


def test_an_object_that_is_gone_takes_its_grant_along(workspace: Workspace) -> None:
    workspace.gone = True
    assert ScopeGrantProvider().read("x", {**SCOPE, "held": True, "holder": RUNNER, "added": [RUNNER]}).id == ""


def test_a_deployer_after_another_gets_the_role_as_well_and_both_lose_it_with_the_stack(workspace: Workspace) -> None:
    provider = RoleGrantProvider()
    outs = provider.create(ROLE).outs or {}
    workspace.me = "5ad0c0de-0000-4000-8000-00000000000c"
    # Who looks, for drift or for a pull request, is no deployer.
    assert provider.read("x", outs).outs == outs
    outs = provider.update("x", outs, ROLE).outs or {}
    both = [f"users/{ME}", f"servicePrincipals/{workspace.me}"]
    assert outs["added"] == both
    assert sorted(workspace.holders) == sorted(["users/other", *both])
    provider.delete("x", outs)
    assert workspace.holders == ["users/other"]


def test_a_role_is_given_again_where_somebody_else_wrote_the_rules_at_the_same_time(workspace: Workspace) -> None:
    workspace.stale = 2
    RoleGrantProvider().create(ROLE)
    assert f"users/{ME}" in workspace.holders
    workspace.stale = 9
    with pytest.raises(Aborted):
        RoleGrantProvider().delete("x", {**ROLE, "added": [f"users/{ME}"]})


def test_who_may_not_see_the_roles_is_told_which_role_is_needed_and_a_look_goes_by_the_state(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = RoleGrantProvider().create(ROLE).outs or {}
    workspace.gone = True
    with pytest.raises(PermissionDenied, match=f"{RUNNER}.*the role Service Principal Manager"):
        RoleGrantProvider().create(ROLE)
    assert RoleGrantProvider().read("x", outs).outs == outs
    assert "could not be looked at" in capsys.readouterr().out


def test_who_deploys_is_not_made_to_run_jobs_with_less_than_it_has(workspace: Workspace) -> None:
    workspace.me = RUNNER
    with pytest.raises(RuntimeError, match=r"that is who deploys.*Drop `runAs`"):
        RoleGrantProvider().create(ROLE)


@pytest.mark.parametrize(("provider", "inputs"), KINDS)
def test_an_entry_whose_answer_got_lost_is_taken_away_in_the_end_as_well(
    workspace: Workspace, provider: GrantProvider, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, give = workspace.snapshot(), type(provider).give

    def unanswered(self: Any, props: dict[str, Any], principal: str) -> None:
        give(self, props, principal)
        raise ConnectionError("the answer got lost")

    monkeypatch.setattr(type(provider), "give", unanswered)
    outs = provider.create(inputs).outs or {}
    provider.delete("x", outs)
    assert workspace.snapshot() == before


@pytest.mark.parametrize(("provider", "inputs"), KINDS)
def test_an_entry_that_cannot_be_given_is_no_success(
    workspace: Workspace, provider: GrantProvider, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Any, props: dict[str, Any], principal: str) -> None:
        raise PermissionDenied("not allowed")

    monkeypatch.setattr(type(provider), "give", refused)
    with pytest.raises(PermissionDenied):
        provider.create(inputs)
