"""Wires the stack: settings in, components together, outputs out. What is deployed is in components/."""

import gc

gc.disable()  # pulumi_databricks loads half a million objects that all stay: half a second to search for garbage
# ruff: noqa: E402
import pulumi

from components.access import Access
from components.fiftyone_orchestrator import FiftyOneOrchestrator
from components.instance_pools import InstancePools
from components.instance_pools_args import instance_pools_args, needed_by_pools
from components.job import Job
from components.job_args import job_args
from components.job_files import job_file_names, job_files
from components.plugins import Plugins, retire_archives
from components.registration_args import registration_args
from components.run_as import RunAs
from components.run_as_args import run_as_args
from components.run_environment import stack_secrets
from components.secret_scope import SecretScope, SecretScopeArgs
from components.service_principal import service_principal
from components.stack_inputs import stack_inputs
from components.workspace_files import WorkspaceFiles, WorkspaceFilesArgs
from fiftyone_provider.secret import Secret

gc.freeze()
gc.enable()

settings, plugins_at = stack_inputs()
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
run_as = RunAs("run-as", run_as_args(settings, scope, files))
made = service_principal(settings)
trigger = made.client_id if made else settings.existing_trigger
plugins = Plugins("plugins", plugins_at, pulumi.ResourceOptions(depends_on=[files])) if plugins_at else None
needed_by_runs = [scope, run_as, *([plugins] if plugins else [])]

outputs: dict[str, object] = {}
jobs: list[pulumi.Resource] = []
client_secrets: list[Secret | None] = []
for instance_id in settings.orchestrators:
    pools = InstancePools(
        instance_id,
        instance_pools_args(settings, instance_id, run_as),
        pulumi.ResourceOptions(depends_on=needed_by_pools(settings, instance_id, scope, run_as)),
    )
    job = Job(
        instance_id,
        job_args(settings, instance_id, pools, plugins_at, run_as),
        pulumi.ResourceOptions(depends_on=[pools, *needed_by_runs, *files.named(job_file_names(instance_id))]),
    )
    access = Access(instance_id, job_id=job.outputs["jobId"], trigger=trigger)
    registered = FiftyOneOrchestrator(
        instance_id,
        registration_args(settings, instance_id, job.outputs, plugins_at, made),
        pulumi.ResourceOptions(depends_on=[job, access]),
    )
    outputs[instance_id] = {**job.outputs, "fiftyoneSecrets": registered.secrets}
    jobs.append(job)
    client_secrets.append(registered.client_secret)
retire_archives(plugins_at, jobs)
if made:
    made.retire_secrets(client_secrets)

pulumi.export("orchestrators", outputs)
pulumi.export("secretScope", scope.scope_name)
pulumi.export("workspaceDir", files.directory)
pulumi.export("pluginsDir", plugins.location if plugins else None)
pulumi.export("servicePrincipalClientId", trigger)
pulumi.export("credentialExpires", made.credential_expires if made else None)
