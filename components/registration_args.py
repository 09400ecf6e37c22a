"""The arguments of an orchestrator's registration, from the stack's settings and from its job. Deploys nothing."""

import pulumi

from components.fiftyone_orchestrator import FiftyOneOrchestratorArgs
from components.job import JobOutputs
from components.operators import operator_triggers
from components.plugins import PluginsPlace
from components.registration import credentials, existing_secrets
from components.service_principal import ServicePrincipal
from components.settings import Settings


def registration_args(
    settings: Settings,
    instance_id: str,
    job: JobOutputs,
    plugins: PluginsPlace | None,
    made: ServicePrincipal | None,
) -> FiftyOneOrchestratorArgs:
    """What FiftyOne is told of one orchestrator; what a preview does not know is planned as empty.

    `made` is the service principal whose credential it gets, where the stack makes it itself.
    """
    values: dict[str, pulumi.Input[str]] = {field: value or "" for field, value in credentials(settings).items()}
    return FiftyOneOrchestratorArgs(
        stack=settings.stack,
        instance_id=instance_id,
        orchestrator=settings.orchestrators[instance_id],
        job=job,
        credentials={**values, **(made.credential if made else {})},
        client_secret_id=made.secret_id if made else "",
        existing_secrets=existing_secrets(settings),
        allow_reregister=settings.allow_reregister,
        triggers=operator_triggers(settings, instance_id, plugins),
        protect=settings.protect,
    )
