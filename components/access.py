"""Who may start a job, and take instances from its pools: the trigger and the identity that the job runs as.

Owns the permissions of job and pools as a whole, which replace what stands there: an entry made by hand is taken away.
Source: guide, "Create Service Creds".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_databricks as databricks


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """Who gets access to what; service principals by their application ids.

    `trigger` is None where FiftyOne's credential is not known here, `run_as` for the deployer, who has more. `pools`
    are the stack's own that the job takes instances from, by name.
    """

    job_id: pulumi.Input[str]
    trigger: pulumi.Input[str] | None
    pools: Mapping[str, pulumi.Input[str]]
    run_as: str | None


class Access(pulumi.ComponentResource):
    """Whoever starts the job as the trigger depends on the component, which is named after the orchestrator."""

    def __init__(self, name: str, args: AccessArgs) -> None:
        super().__init__("fiftyone-databricks:index:Access", name)
        own = pulumi.ResourceOptions(parent=self)
        if args.trigger is not None:
            databricks.Permissions(
                f"{name}-job",
                job_id=args.job_id,
                access_controls=[{"service_principal_name": args.trigger, "permission_level": "CAN_MANAGE_RUN"}],
                opts=own,
            )
        if args.run_as is not None:
            for pool, pool_id in args.pools.items():
                databricks.Permissions(
                    pool,
                    instance_pool_id=pool_id,
                    access_controls=[{"service_principal_name": args.run_as, "permission_level": "CAN_ATTACH_TO"}],
                    opts=own,
                )
        self.register_outputs({})
