"""Who may start a job: the service principal whose credential FiftyOne holds, and nobody else beside its owner.

Owns the permissions of the job as a whole, which replace what stands there: an entry made by hand is taken away.
Source: guide, "Create Service Creds".
"""

import pulumi
import pulumi_databricks as databricks


class Access(pulumi.ComponentResource):
    """Output: `client_id`. Whoever starts the job as that principal depends on the component.

    Args:
        name: of the orchestrator whose job it is.
        job_id: the job.
        client_id: application id of the service principal.
    """

    client_id: pulumi.Output[str]

    def __init__(
        self, name: str, *, job_id: pulumi.Input[str], client_id: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("fiftyone-databricks:index:Access", name, None, opts)
        databricks.Permissions(
            f"{name}-job",
            job_id=job_id,
            access_controls=[{"service_principal_name": client_id, "permission_level": "CAN_MANAGE_RUN"}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.client_id = pulumi.Output.from_input(client_id)
        self.register_outputs({"clientId": self.client_id})
