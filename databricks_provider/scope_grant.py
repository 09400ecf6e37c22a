"""Read access to a secret scope for one identity, as a dynamic resource.

pulumi-databricks loses the entry when its level changes, as it loses a changed secret (pulumi-databricks #642).
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from databricks_provider.grant import CONNECTION, GrantProvider, deleted_first
from databricks_provider.sdk_import import SDK_IMPORT


class ScopeGrantProvider(GrantProvider):
    """READ on a secret scope. Its import path is part of every stack's state: never move or rename it."""

    identity = ("scope", "principal")

    def held(self, props: dict[str, Any], principal: str) -> bool:
        entries = {entry.principal: entry.permission for entry in CONNECTION.client.secrets.list_acls(props["scope"])}
        if not props["exclusive"]:
            return principal in entries
        own = entries.pop(principal, None)
        return own is not None and own.value == props["permission"] and not _others(entries)

    def give(self, props: dict[str, Any], principal: str) -> None:
        with SDK_IMPORT:
            from databricks.sdk.service.workspace import AclPermission

        secrets, scope = CONNECTION.client.secrets, props["scope"]
        secrets.put_acl(scope, principal, AclPermission(props["permission"]))
        if props["exclusive"]:
            for other in _others({entry.principal: entry.permission for entry in secrets.list_acls(scope)}):
                if other != principal:
                    secrets.delete_acl(scope, other)

    def take(self, props: dict[str, Any], principal: str) -> None:
        CONNECTION.client.secrets.delete_acl(props["scope"], principal)


def _others(entries: Mapping[str, Any]) -> list[str]:
    """Who else may read or write. Who may manage is left alone: taking that away can lock out whoever deploys."""
    return [name for name, permission in entries.items() if permission.value != "MANAGE"]


class ScopeGrant(Resource, module="databricks", name="ScopeGrant"):
    """READ on a secret scope.

    Args:
        scope: its name.
        principal: application id of the service principal that gets it.
        exclusive: whether the scope is the stack's own, so that nobody else reads or writes it.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        scope: pulumi.Input[str],
        principal: str,
        exclusive: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "scope": scope,
            "principal": principal,
            "permission": "READ",
            "exclusive": exclusive,
            **dict.fromkeys(("held", "holder", "added")),
        }
        super().__init__(ScopeGrantProvider(), resource_name, props, deleted_first(opts))
