"""The role that lets whoever deploys have jobs run as a service principal, as a dynamic resource.

Even an administrator of the workspace needs it (docs.databricks.com, "Restrict workspace admins"). The roles on a
service principal are one rule set, written as a whole, and an etag has the platform refuse a write that is stale.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi.dynamic import Resource
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random

from databricks_provider.deployer import is_service_principal
from databricks_provider.grant import CONNECTION, GrantProvider, deleted_first
from databricks_provider.sdk_import import SDK_IMPORT

if TYPE_CHECKING:
    from databricks.sdk.service.iam import RuleSetResponse

USER_ROLE: Final = "roles/servicePrincipal.user"
_STALE: Final = ("ABORTED", "RESOURCE_CONFLICT")


class RoleGrantProvider(GrantProvider):
    """The role that lets the deployer have jobs run as a service principal. Its import path is part of the state."""

    identity = ("accountId", "servicePrincipal")

    def principal(self, _props: dict[str, Any]) -> str:
        """Whoever deploys, now. Raises RuntimeError where that is the service principal itself."""
        name = CONNECTION.client.current_user.me().user_name or ""
        if name == _props["servicePrincipal"]:
            raise RuntimeError(
                f"Jobs are to run as {name}, and that is who deploys, who has more than a run needs already and would "
                "lose it. Drop `runAs`: jobs run as whoever deploys then."
            )
        return f"servicePrincipals/{name}" if is_service_principal(name) else f"users/{name}"

    def held(self, props: dict[str, Any], principal: str) -> bool:
        return principal in _holders(_rules(props))

    def give(self, props: dict[str, Any], principal: str) -> None:
        _change(props, lambda holders: {*holders, principal})

    def take(self, props: dict[str, Any], principal: str) -> None:
        _change(props, lambda holders: holders - {principal})


def _rules(props: dict[str, Any]) -> "RuleSetResponse":
    """The rule set of the service principal. Raises NotFound, PermissionDenied, with what to do."""
    with SDK_IMPORT:
        from databricks.sdk.errors import NotFound, PermissionDenied

    principal = props["servicePrincipal"]
    name = f"accounts/{props['accountId']}/servicePrincipals/{principal}/ruleSets/default"
    try:
        return CONNECTION.client.account_access_control_proxy.get_rule_set(name, "")
    except NotFound:
        raise NotFound(
            f"Jobs are to run as service principal {principal}, which account {props['accountId']} does not have. Name "
            "one that it has as `runAs`, by its application id."
        ) from None
    except PermissionDenied as error:
        raise PermissionDenied(
            f"Jobs are to run as service principal {principal}, and whoever deploys may not look at who may use it "
            f"({error}). Have somebody who manages it give you the role Service Principal Manager on it, or make it "
            "yourself, and run the same command again."
        ) from None


def _holders(rules: "RuleSetResponse") -> set[str]:
    return {name for rule in rules.grant_rules or [] if rule.role == USER_ROLE for name in rule.principals or []}


def _is_stale(error: BaseException) -> bool:
    return getattr(error, "error_code", None) in _STALE


@retry(retry=retry_if_exception(_is_stale), stop=stop_after_attempt(4), wait=wait_random(max=1), reraise=True)
def _change(props: dict[str, Any], change: Callable[[set[str]], set[str]]) -> None:
    """Write the rule set with other holders of the role, all else as it is; again where somebody else was quicker."""
    with SDK_IMPORT:
        from databricks.sdk.service.iam import GrantRule, RuleSetUpdateRequest

    rules = _rules(props)
    before = _holders(rules)
    after = change(before)
    if after != before:
        written = [rule for rule in rules.grant_rules or [] if rule.role != USER_ROLE]
        written += [GrantRule(role=USER_ROLE, principals=sorted(after))] if after else []
        update = RuleSetUpdateRequest(name=rules.name or "", etag=rules.etag or "", grant_rules=written)
        CONNECTION.client.account_access_control_proxy.update_rule_set(rules.name or "", update)


class RoleGrant(Resource, module="databricks", name="RoleGrant"):
    """The role servicePrincipal.user, for whoever deploys, on the service principal that jobs run as.

    Args:
        account_id: the Databricks account.
        service_principal: application id of the service principal.
    """

    def __init__(
        self, resource_name: str, *, account_id: str, service_principal: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {
            "accountId": account_id,
            "servicePrincipal": service_principal,
            **dict.fromkeys(("held", "holder", "added")),
        }
        super().__init__(RoleGrantProvider(), resource_name, props, deleted_first(opts))
