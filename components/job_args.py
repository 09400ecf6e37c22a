"""The arguments of an orchestrator's job, from the stack's settings and from what the job runs on. Deploys nothing."""

from components.instance_pools import InstancePools
from components.job import JobArgs
from components.job_files import entrypoint_path, requirements_path
from components.plugins import PluginsPlace
from components.run_as import RunAs
from components.run_environment import container_image, run_environment
from components.settings import Settings


def job_args(
    settings: Settings, instance_id: str, pools: InstancePools, plugins: PluginsPlace | None, run_as: RunAs
) -> JobArgs:
    """The job of one orchestrator; where settings name no number of runs, it is the licence's."""
    orchestrator = settings.orchestrators[instance_id]
    return JobArgs(
        stack=settings.stack,
        instance_id=instance_id,
        orchestrator=orchestrator,
        max_concurrent_runs=orchestrator.max_concurrent_runs or settings.fiftyone.delegated_operation_capacity,
        environment=run_environment(settings, orchestrator, plugins),
        image=container_image(settings, orchestrator),
        entrypoint=entrypoint_path(settings),
        requirements=requirements_path(settings, instance_id),
        execution_pool_id=pools.execution_id,
        registration_pool_id=pools.registration_id,
        run_as=run_as.identity,
        protect=settings.protect,
    )
