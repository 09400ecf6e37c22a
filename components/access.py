"""Who may start a job: the service principal whose credential FiftyOne holds, and nobody else beside its owner.

Owns the permissions of the job as a whole, which replace what stands there: an entry made by hand is taken away.
Source: guide, "Create Service Creds".
"""

import pulumi
import pulumi_databricks as databricks


class Access(pulumi.ComponentResource):
    """Whoever starts the job as the service principal depends on the component.

    Args:
        name: of the orchestrator whose job it is.
        job_id: the job.
        client_id: application id of the service principal.
    """

    def __init__(self, name: str, *, job_id: pulumi.Input[str], client_id: str) -> None:
        super().__init__("fiftyone-databricks:index:Access", name)
        databricks.Permissions(
            f"{name}-job",
            job_id=job_id,
            access_controls=[{"service_principal_name": client_id, "permission_level": "CAN_MANAGE_RUN"}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"clientId": client_id})
