"""Wires the stack: settings in, components together, outputs out. What is deployed is in components/."""

import os

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from components.instance_pools import InstancePools, InstancePoolsArgs
from components.job import Job, JobArgs
from components.job_files import entrypoint_path, job_files, requirements_path
from components.plugins import Plugins, plugins_place, retire_archives
from components.run_environment import container_image, run_environment, stack_secrets
from components.secret_scope import SecretScope, SecretScopeArgs
from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from components.workspace_files import WorkspaceFiles, WorkspaceFilesArgs

try:
    settings = load_settings(
        stack=pulumi.get_stack(),
        config=get_config_env(),
        secret_keys=get_config_secret_keys_env(),
        environ=os.environ,
    )
    plugins_at = plugins_place(settings)
except SettingsError as error:
    pulumi.log.error(str(error))
    os._exit(32)  # tells the language host that all there is to say has been said

scope = SecretScope(
    "secrets",
    SecretScopeArgs(
        name=settings.secret_scope.name,
        existing=settings.secret_scope.existing,
        secrets={key: pulumi.Output.secret(value) for key, value in stack_secrets(settings).items()},
        protect=settings.protect,
    ),
)
files = WorkspaceFiles("files", WorkspaceFilesArgs(directory=settings.workspace_dir, files=job_files(settings)))
plugins = Plugins("plugins", plugins_at, pulumi.ResourceOptions(depends_on=[files])) if plugins_at else None

jobs: dict[str, Job] = {}
for instance_id, orchestrator in settings.orchestrators.items():
    image = container_image(settings, orchestrator)
    pools = InstancePools(
        instance_id,
        InstancePoolsArgs(stack=settings.stack, instance_id=instance_id, orchestrator=orchestrator, image=image),
        pulumi.ResourceOptions(depends_on=[scope] if image else []),  # which holds what pulls the image
    )
    jobs[instance_id] = Job(
        instance_id,
        JobArgs(
            stack=settings.stack,
            instance_id=instance_id,
            orchestrator=orchestrator,
            max_concurrent_runs=orchestrator.max_concurrent_runs or settings.fiftyone.delegated_operation_capacity,
            environment=run_environment(settings, orchestrator, plugins_at),
            image=image,
            entrypoint=entrypoint_path(settings),
            requirements=requirements_path(settings, instance_id),
            execution_pool_id=pools.execution_id,
            registration_pool_id=pools.registration_id,
            protect=settings.protect,
        ),
        pulumi.ResourceOptions(depends_on=[scope, files, *([plugins] if plugins else [])]),
    )
retire_archives(plugins_at, list(jobs.values()))

pulumi.export("orchestrators", {instance_id: job.outputs for instance_id, job in jobs.items()})
pulumi.export("secretScope", scope.scope_name)
pulumi.export("workspaceDir", files.directory)
pulumi.export("pluginsDir", plugins.location if plugins else None)
