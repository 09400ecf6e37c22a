"""The arguments of an orchestrator's pools, from the stack's settings and from who its job runs as. Deploys nothing."""

import pulumi

from components.pool_properties import InstancePoolsArgs
from components.run_as import RunAs
from components.run_environment import container_image
from components.secret_scope import SecretScope
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


def needed_by_pools(settings: Settings, instance_id: str, scope: SecretScope, run_as: RunAs) -> list[pulumi.Resource]:
    """What has to be there before the pools: the role of whoever takes instances, the secrets that pull an image.

    Where the settings ask for neither, pools are made while all else is.
    """
    image = container_image(settings, settings.orchestrators[instance_id])
    return [*([run_as] if run_as.service_principal else []), *([scope] if image else [])]
