"""Wires the stack: settings in, components together, outputs out. What is deployed is in components/."""

import os

import pulumi
from pulumi.runtime.config import get_config_env, get_config_secret_keys_env

from components.access import Access
from components.fiftyone_orchestrator import FiftyOneOrchestrator
from components.instance_pools import InstancePools, InstancePoolsArgs
from components.job import Job
from components.job_args import job_args
from components.job_files import job_files
from components.plugins import Plugins, plugins_place, retire_archives
from components.registration import missing
from components.registration_args import registration_args
from components.run_environment import container_image, stack_secrets
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
        previewing=pulumi.runtime.is_dry_run(),
    )
    plugins_at = plugins_place(settings)
except SettingsError as error:
    pulumi.log.error(str(error))
    os._exit(32)  # tells the language host that all there is to say has been said
for problem in missing(settings):
    pulumi.log.info(f"{problem.key} is missing: this can be previewed and not deployed. {problem.mend}")

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
needed_by_runs = [scope, files, *([plugins] if plugins else [])]

jobs: dict[str, Job] = {}
outputs: dict[str, object] = {}
for instance_id, orchestrator in settings.orchestrators.items():
    image = container_image(settings, orchestrator)
    pools = InstancePools(
        instance_id,
        InstancePoolsArgs(stack=settings.stack, instance_id=instance_id, orchestrator=orchestrator, image=image),
        pulumi.ResourceOptions(depends_on=[scope] if image else []),  # which holds what pulls the image
    )
    job = jobs[instance_id] = Job(
        instance_id,
        job_args(settings, instance_id, pools, plugins_at),
        pulumi.ResourceOptions(depends_on=needed_by_runs),
    )
    trigger = settings.service_principal
    access = Access(instance_id, job_id=job.outputs["jobId"], client_id=trigger.client_id) if trigger else None
    registered = FiftyOneOrchestrator(
        instance_id,
        registration_args(settings, instance_id, job.outputs, plugins_at),
        pulumi.ResourceOptions(depends_on=[job, *([access] if access else [])]),
    )
    outputs[instance_id] = {**job.outputs, "fiftyoneSecrets": registered.secrets}
retire_archives(plugins_at, list(jobs.values()))

pulumi.export("orchestrators", outputs)
pulumi.export("secretScope", scope.scope_name)
pulumi.export("workspaceDir", files.directory)
pulumi.export("pluginsDir", plugins.location if plugins else None)
