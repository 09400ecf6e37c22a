"""The set-up guide followed by hand, to the letter, with databricks-sdk and the management SDK's stand-in.

What the letter leaves to its reader is decided here: the scope is made, paths are those of the workspace that the guide
uploads to (the embedded one has no DBFS), and API_URL is not left empty. The runtime's own nest_asyncio, which the
guide's entrypoint imports and this machine has not, lies beside it. Source: guide, the sections named below.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.workspace import ImportFormat

from emulator import fiftyone_management as fom
from emulator.identity import ACCOUNT_ID
from tests.engine.fiftyone import INSTANCE
from tests.engine.workspace import Workspace

FOLDER: Final = "/Workspace/Shared/by-hand"
SCOPE: Final = "your-scope"
JOB: Final = "demonstration-task-processor"
DESCRIPTION: Final = "Your orchestrator description"
EXISTING: Final = {
    "host": "EXISTING_HOST_SECRET",
    "accountId": "EXISTING_ACCOUNT_ID_SECRET",
    "clientId": "EXISTING_CLIENT_ID_SECRET",
    "clientSecret": "EXISTING_CLIENT_SECRET_SECRET",
}
REQUIREMENTS: Final = ("fiftyone==2.13.1", "ultralytics", "torch", "transformers", "timm", "umap-learn")
ENTRYPOINT: Final = """\
import subprocess
import nest_asyncio
import argparse
import shlex


parser = argparse.ArgumentParser(description="Run a command via subprocess.")
parser.add_argument(
    "--command",
    type=str,
    help="The full command string to execute."
)
args = parser.parse_args()


cmd = shlex.split(args.command)


print(f"Executing command: {' '.join(cmd)}")
nest_asyncio.apply()


result = subprocess.run(
    cmd,
    check=True,
    text=True,
)
print("\\nProcess completed successfully!")
"""


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What a person has noted down on the way, for the next step and for a stack file."""

    pool: str
    registration_pool: str
    job_id: int
    client_id: str
    client_secret: str


def files(workspace: Workspace, *requirements: str) -> None:
    """Create requirements.txt; Create Job Entrypoint; and plugins, as one may put them there."""
    w = workspace.client
    plugin = "name: '@example/hello'\noperators: [first]\n"
    w.workspace.mkdirs(f"{FOLDER}/plugins/hello")
    for name, text in {
        "requirements.txt": "\n".join([*REQUIREMENTS, *requirements]),
        "entrypoint.py": ENTRYPOINT,
        "nest_asyncio.py": "def apply(): pass\n",
        "plugins/hello/fiftyone.yml": plugin,
    }.items():
        w.workspace.upload(path=f"{FOLDER}/{name}", content=text.encode(), overwrite=True, format=ImportFormat.RAW)


def secrets(workspace: Workspace, values: dict[str, str]) -> None:
    """Create Databricks secrets, in a scope that the guide takes for granted."""
    w = workspace.client
    w.secrets.create_scope(SCOPE)
    for key, value in values.items():
        w.secrets.put_secret(scope=SCOPE, key=key, string_value=value)


def pool(workspace: Workspace, name: str, node_type: str) -> str:
    """Create Instance Pool."""
    config: dict[str, Any] = {
        "instance_pool_name": name,
        "node_type_id": node_type,
        "min_idle_instances": 0,
        "max_capacity": 20,
        "enable_elastic_disk": True,
        "idle_instance_autotermination_minutes": 15,
        "preloaded_spark_versions": ["16.4.x-scala2.13"],
    }
    return workspace.client.instance_pools.create(**config).instance_pool_id or ""


def job(workspace: Workspace, execution_pool: str, registration_pool: str, **env: str) -> int:
    """Create Job."""
    env_vars = {
        "FIFTYONE_DATABASE_NAME": '"fiftyone"',
        "FIFTYONE_INTERNAL_SERVICE": "1",
        "FIFTYONE_DATABASE_URI": f"{{{{secrets/{SCOPE}/FIFTYONE_DATABASE_URI}}}}",
        "FIFTYONE_ENCRYPTION_KEY": f"{{{{secrets/{SCOPE}/FIFTYONE_ENCRYPTION_KEY}}}}",
        "API_URL": f"{workspace.address}/fiftyone",
        "PIP_EXTRA_INDEX_URL": f"{{{{secrets/{SCOPE}/FIFTYONE_PYPI_URL}}}}",
        "FIFTYONE_PLUGINS_DIR": f'"{FOLDER}/plugins"',
        "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",
        "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "4",
        **env,
    }
    tasks = [
        {
            "task_key": task,
            "spark_python_task": {
                "python_file": f"{FOLDER}/entrypoint.py",
                "parameters": ["--command", "{{job.parameters.command}}"],
            },
            "job_cluster_key": cluster,
            "libraries": [{"requirements": f"{FOLDER}/requirements.txt"}],
        }
        for task, cluster in (("execute_task", "gpu_cluster"), ("register_task", "cpu_cluster"))
    ]
    cluster = {
        "spark_version": "16.4.x-scala2.13",
        "spark_env_vars": env_vars,
        "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
        "runtime_engine": "STANDARD",
        "kind": "CLASSIC_PREVIEW",
        "is_single_node": False,
        "num_workers": 1,
    }
    demo_job = JobSettings.from_dict(
        {
            "name": JOB,
            "max_concurrent_runs": 5,
            "tasks": tasks,
            "job_clusters": [
                {
                    "job_cluster_key": "gpu_cluster",
                    "new_cluster": {**cluster, "use_ml_runtime": True, "instance_pool_id": execution_pool},
                },
                {"job_cluster_key": "cpu_cluster", "new_cluster": {**cluster, "instance_pool_id": registration_pool}},
            ],
            "queue": {"enabled": True},
            "parameters": [{"name": "command", "default": "fiftyone --version"}],
        }
    )
    return workspace.client.jobs.create(**demo_job.as_shallow_dict()).job_id or 0


def service_creds(workspace: Workspace, job_id: int) -> tuple[str, str]:
    """Create Service Creds: a service principal that may run the job, and an OAuth secret of it."""
    w = workspace.client
    made = w.service_principals.create(display_name="fiftyone by hand")
    client_id = made.application_id or ""
    give = AccessControlRequest(service_principal_name=client_id, permission_level=PermissionLevel.CAN_MANAGE_RUN)
    w.permissions.update("jobs", str(job_id), access_control_list=[give])
    return client_id, w.service_principal_secrets_proxy.create(made.id or "").secret or ""


@contextmanager
def connected(workspace: Workspace) -> Iterator[None]:
    """The management SDK, configured for this workspace's FiftyOne as the guide says."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIFTYONE_API_URI", f"{workspace.address}/fiftyone")
        environment.setenv("FIFTYONE_API_KEY", workspace.credential("fiftyone-api-key"))
        fom.reload_api_connection()
        yield
    fom.reload_api_connection()


def register(workspace: Workspace, job_id: int, **credentials: str) -> None:
    """Register Orchestrator in FiftyOne; a credential is a value, or the name of a secret that exists."""
    with connected(workspace):
        fom.register_orchestrator(
            instance_id=INSTANCE,
            description=DESCRIPTION,
            environment=fom.OrchestratorEnvironment.DATABRICKS,
            config={
                fom.OrchestratorEnvironment.DATABRICKS: {
                    "jobId": str(job_id),
                    "executionTaskId": "execute_task",
                    "registrationTaskId": "register_task",
                }
            },
            secrets={fom.OrchestratorEnvironment.DATABRICKS: credentials},
        )


def follow_the_guide(workspace: Workspace, values: dict[str, str], *, existing_secrets: bool = False) -> ByHand:
    """All of it, from the first step to the refresh of operators, which an admin clicks.

    FiftyOne gets the credentials as values, or, in the guide's second example, as names of secrets that exist already.
    """
    files(workspace)
    secrets(workspace, values)
    execution = pool(workspace, "your-actual-pool-name", "g2-standard-8")
    registration = pool(workspace, "your-cheap-pool-name", "c3-standard-4-lssd")
    job_id = job(workspace, execution, registration)
    client_id, client_secret = service_creds(workspace, job_id)
    credentials = {
        "host": workspace.address,
        "accountId": ACCOUNT_ID,
        "clientId": client_id,
        "clientSecret": client_secret,
    }
    if existing_secrets:
        with connected(workspace):
            for name, value in credentials.items():
                fom.add_secret(key=EXISTING[name], value=value)
    register(workspace, job_id, **(EXISTING if existing_secrets else credentials))
    assert workspace.ended(workspace.fiftyone.refresh()) == "SUCCESS"
    assert workspace.fiftyone.orchestrator()["available_operators"] == ["@example/hello/first"]
    return ByHand(
        pool=execution,
        registration_pool=registration,
        job_id=job_id,
        client_id=client_id,
        client_secret=client_secret,
    )
