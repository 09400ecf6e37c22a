"""The identity that the stack's jobs run as: the deployer, or a service principal with what its runs need to read.

Owns that principal's access to what all jobs share: scope, folder and pools that exist already, and the role that lets
the deployer name it. Pools of the stack's own belong to `access`; what runs need in cloud storage lies with the cloud
(docs/access.md).
"""

from collections.abc import Collection
from dataclasses import dataclass

import pulumi
import pulumi_databricks as databricks

from databricks_provider.deployer import Deployer, is_service_principal
from databricks_provider.pool_grant import PoolGrant
from databricks_provider.role_grant import RoleGrant
from databricks_provider.scope_grant import ScopeGrant


@dataclass(frozen=True, kw_only=True)
class RunAsArgs:
    """Whose access, and to what; `folder` as the workspace API writes it, `existing_pools` by id.

    Without a service principal there is nothing to grant.
    """

    service_principal: str | None
    account_id: str
    scope: pulumi.Input[str]
    existing_scope: bool
    folder: pulumi.Input[str]
    existing_pools: Collection[str]


class RunAs(pulumi.ComponentResource):
    """Output: `identity`, as a job takes it. Jobs, and whoever runs them, depend on the component.

    `service_principal` is its application id, where it is not the deployer.
    """

    identity: pulumi.Output[dict[str, str]]
    service_principal: str | None

    def __init__(self, name: str, args: RunAsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:RunAs", name, None, opts)
        own, self.service_principal = pulumi.ResourceOptions(parent=self), args.service_principal
        if args.service_principal is None:
            self.identity = Deployer("deployer", opts=own).userName.apply(_named)
        else:
            self.identity = pulumi.Output.from_input({"service_principal_name": args.service_principal})
            self._grant(args, args.service_principal, own)
        self.register_outputs({"identity": self.identity})

    def _grant(self, args: RunAsArgs, principal: str, own: pulumi.ResourceOptions) -> None:
        role = RoleGrant("run-as-role", account_id=args.account_id, service_principal=principal, opts=own)
        # First the role: a principal that is not there, or not to be named, leaves the access of the one before alone.
        own = pulumi.ResourceOptions(parent=self, depends_on=[role])
        ScopeGrant("run-as-scope", scope=args.scope, principal=principal, exclusive=not args.existing_scope, opts=own)
        databricks.Permissions(
            "run-as-folder",
            directory_path=args.folder,
            access_controls=[{"service_principal_name": principal, "permission_level": "CAN_READ"}],
            opts=own,
        )
        for pool_id in sorted(args.existing_pools):
            PoolGrant(f"run-as-pool-{pool_id}", pool_id=pool_id, principal=principal, opts=own)


def _named(user_name: str | None) -> dict[str, str]:
    """Whoever deploys, as a job takes it; a destroy that goes on after a failed one does not know it any more."""
    name = user_name or ""
    return {"service_principal_name" if is_service_principal(name) else "user_name": name}
