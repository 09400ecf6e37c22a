"""Who may start a job: the service principal whose credential FiftyOne holds, and nobody else beside its owner.

Owns the permissions of the job as a whole, which replace what stands there: an entry made by hand is taken away.
Source: guide, "Create Service Creds".
"""

import pulumi
import pulumi_databricks as databricks


class Access(pulumi.ComponentResource):
    """Whoever starts the job as the trigger depends on the component.

    Args:
        name: of the orchestrator whose job it is.
        job_id: the job.
        trigger: application id of the service principal that FiftyOne starts it as; None where FiftyOne's credential
            is not known here, and then nothing is granted.
    """

    def __init__(self, name: str, *, job_id: pulumi.Input[str], trigger: pulumi.Input[str] | None) -> None:
        super().__init__("fiftyone-databricks:index:Access", name)
        if trigger is not None:
            databricks.Permissions(
                f"{name}-job",
                job_id=job_id,
                access_controls=[{"service_principal_name": trigger, "permission_level": "CAN_MANAGE_RUN"}],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"jobId": job_id, "trigger": trigger})
