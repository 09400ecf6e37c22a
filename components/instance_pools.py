"""The instance pools of one orchestrator: one to execute on and, where asked for, a cheap one to register operators.

Owns pools that the settings describe, and who takes instances from them; a pool that exists already is passed on by
its id and not touched. Source: guide, "Create Instance Pool" and "Optional Registration Instance Pool".
"""

import pulumi
import pulumi_databricks as databricks

from components.pool_properties import InstancePoolsArgs, pool_properties


class InstancePools(pulumi.ComponentResource):
    """Outputs: `execution_id` and `registration_id`, the latter None where operators register on the former.

    A job that takes instances depends on the component, which lets it.
    """

    execution_id: pulumi.Output[str]
    registration_id: pulumi.Output[str] | None

    def __init__(self, name: str, args: InstancePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:InstancePools", name, None, opts)
        orchestrator = args.orchestrator
        self.execution_id = self._pool(args, "execution") if orchestrator.node_type else _existing(orchestrator.pool)
        self.registration_id = None
        if orchestrator.registration_node_type:
            self.registration_id = self._pool(args, "registration")
        elif orchestrator.registration_pool:
            self.registration_id = _existing(orchestrator.registration_pool)
        self.register_outputs({"executionId": self.execution_id, "registrationId": self.registration_id})

    def _pool(self, args: InstancePoolsArgs, role: str) -> pulumi.Output[str]:
        name = f"{args.instance_id}-{role}"
        pool = databricks.InstancePool(
            name,
            **pool_properties(args, role),
            # The provider does not see every fixed property go (suppress_diff); the name tells of all of them.
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["instancePoolName"]),
        )
        if args.run_as is not None:
            databricks.Permissions(
                name,
                instance_pool_id=pool.id,
                access_controls=[{"service_principal_name": args.run_as, "permission_level": "CAN_ATTACH_TO"}],
                opts=pulumi.ResourceOptions(parent=self),
            )
        return pool.id


def _existing(pool_id: str | None) -> pulumi.Output[str]:
    if pool_id is None:
        raise ValueError("an orchestrator without a node type names its pool; its settings refuse anything else")
    return pulumi.Output.from_input(pool_id)
