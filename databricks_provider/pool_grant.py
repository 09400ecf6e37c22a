"""The right to take instances from a pool that is not the stack's, for one identity, as a dynamic resource."""

from typing import Any, Final

import pulumi
from pulumi.dynamic import Resource

from databricks_provider.grant import CONNECTION, GrantProvider, deleted_first
from databricks_provider.sdk_import import SDK_IMPORT

POOL: Final = "instance-pools"


class PoolGrantProvider(GrantProvider):
    """CAN_ATTACH_TO on an instance pool. Its import path is part of every stack's state: never move or rename it."""

    identity = ("poolId", "principal")

    def held(self, props: dict[str, Any], principal: str) -> bool:
        return any(entry.service_principal_name == principal for entry in _direct_entries(props["poolId"]))

    def give(self, props: dict[str, Any], principal: str) -> None:
        with SDK_IMPORT:
            from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel

        entry = AccessControlRequest(service_principal_name=principal, permission_level=PermissionLevel.CAN_ATTACH_TO)
        CONNECTION.client.permissions.update(POOL, props["poolId"], access_control_list=[entry])

    def take(self, props: dict[str, Any], principal: str) -> None:
        """The API takes no single entry away, so all others are written as they are."""
        entries = _direct_entries(props["poolId"])
        others = [entry for entry in entries if entry.service_principal_name != principal]
        if len(others) < len(entries):
            CONNECTION.client.permissions.set(POOL, props["poolId"], access_control_list=others)


def _direct_entries(pool_id: str) -> list[Any]:
    """A pool's own entries, as requests; what it inherits is not written."""
    with SDK_IMPORT:
        from databricks.sdk.service.iam import AccessControlRequest

    found = CONNECTION.client.permissions.get(POOL, pool_id)
    return [
        AccessControlRequest(
            group_name=entry.group_name,
            permission_level=permission.permission_level,
            service_principal_name=entry.service_principal_name,
            user_name=entry.user_name,
        )
        for entry in found.access_control_list or []
        for permission in entry.all_permissions or []
        if not permission.inherited
    ]


class PoolGrant(Resource, module="databricks", name="PoolGrant"):
    """CAN_ATTACH_TO on an instance pool that is not the stack's.

    Args:
        pool_id: its id.
        principal: application id of the service principal that gets it.
    """

    def __init__(
        self, resource_name: str, *, pool_id: str, principal: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"poolId": pool_id, "principal": principal, **dict.fromkeys(("held", "holder", "added"))}
        super().__init__(PoolGrantProvider(), resource_name, props, deleted_first(opts))
