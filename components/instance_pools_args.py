"""The arguments of an orchestrator's pools, from the stack's settings and from who its job runs as. Deploys nothing."""

from components.instance_pools import InstancePoolsArgs
from components.run_as import RunAs
from components.run_environment import container_image
from components.settings import Settings


def instance_pools_args(settings: Settings, instance_id: str, run_as: RunAs) -> InstancePoolsArgs:
    """The pools of one orchestrator; what pulls a container image comes from the secret scope."""
    orchestrator = settings.orchestrators[instance_id]
    return InstancePoolsArgs(
        stack=settings.stack,
        instance_id=instance_id,
        orchestrator=orchestrator,
        image=container_image(settings, orchestrator),
        run_as=run_as.service_principal,
    )
