"""The job of one orchestrator: the tasks that FiftyOne starts, and the clusters they run on.

Owns the job; pools, secrets and files come as arguments. The job keeps its id through every change, because FiftyOne
is told that id: whatever is set here can be changed in place. Source: guide, "Create Job".
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import pulumi
import pulumi_databricks as databricks

from components.cloud_settings import AwsSettings, AzureSettings, GcpSettings
from components.job_names import EXECUTION_TASK, REGISTRATION_TASK, STACK_TAG
from components.orchestrator_settings import SECRET_REFERENCE, OrchestratorSettings
from components.settings import PROJECT

REGISTRATION_WORKERS = 1


@dataclass(frozen=True, kw_only=True)
class JobArgs:
    """What the job is made from.

    `environment` is what runs find in their environment, secret references included; `image` as in `InstancePoolsArgs`.
    `registration_pool_id` is None where operators register with the execution task.
    """

    stack: str
    instance_id: str
    orchestrator: OrchestratorSettings
    max_concurrent_runs: int
    environment: Mapping[str, str]
    image: Mapping[str, Any] | None
    entrypoint: str
    requirements: str
    execution_pool_id: pulumi.Input[str]
    registration_pool_id: pulumi.Input[str] | None
    run_as: pulumi.Input[Mapping[str, str]]
    protect: bool


class JobOutputs(TypedDict):
    """What others need to know of a job, by the names of the stack's outputs."""

    jobId: pulumi.Output[str]
    jobUrl: pulumi.Output[str]
    executionTaskKey: str
    registrationTaskKey: str | None
    poolId: pulumi.Input[str]
    registrationPoolId: pulumi.Input[str] | None


class Job(pulumi.ComponentResource):
    """The job; `registrationTaskKey` among its outputs is None where operators register with the execution task."""

    outputs: JobOutputs

    def __init__(self, name: str, args: JobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:Job", name, None, opts)
        job = databricks.Job(
            args.instance_id,
            **job_properties(args),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.outputs = {
            "jobId": job.id,
            "jobUrl": job.url,
            "executionTaskKey": EXECUTION_TASK,
            "registrationTaskKey": None if args.registration_pool_id is None else REGISTRATION_TASK,
            "poolId": args.execution_pool_id,
            "registrationPoolId": args.registration_pool_id,
        }
        self.register_outputs(dict(self.outputs))


def job_properties(args: JobArgs) -> dict[str, Any]:
    """The job as the arguments of `databricks.Job`; tasks and clusters sorted by key, or it never converges."""
    clusters = [{"job_cluster_key": "execution", "new_cluster": _execution_cluster(args)}]
    tasks = [_task(args, EXECUTION_TASK, "execution")]
    if args.registration_pool_id is not None:
        clusters.append({"job_cluster_key": "registration", "new_cluster": _registration_cluster(args)})
        tasks.append(_task(args, REGISTRATION_TASK, "registration"))
    timeout = args.orchestrator.timeout_minutes
    return {
        "name": f"fiftyone-{args.stack}-{args.instance_id}",
        "max_concurrent_runs": args.max_concurrent_runs,
        "timeout_seconds": timeout * 60 if timeout else None,
        "queue": {"enabled": True},
        # Left out, whoever it ran as before would stay (`run_as` is computed in the provider).
        "run_as": args.run_as,
        "parameters": [{"name": "command", "default": "fiftyone --version"}],
        "tags": {STACK_TAG: f"{PROJECT}.{args.stack}.{args.instance_id}"},
        "job_clusters": clusters,
        "tasks": tasks,
    }


def shell_values(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment as a cluster takes it: values pass through a shell file of `export NAME=value` lines.

    Literals are quoted for that shell; a secret reference stays bare, because it must be the whole value.
    """
    return {
        name: value if SECRET_REFERENCE.fullmatch(value) else shlex.quote(value)
        for name, value in sorted(environment.items())
    }


def _task(args: JobArgs, task_key: str, cluster_key: str) -> dict[str, Any]:
    return {
        "task_key": task_key,
        "job_cluster_key": cluster_key,
        "spark_python_task": {
            "python_file": args.entrypoint,
            "parameters": ["--command", "{{job.parameters.command}}"],
        },
        "libraries": [{"requirements": args.requirements}],
    }


def _execution_cluster(args: JobArgs) -> dict[str, Any]:
    cluster = _cluster(args, pool_id=args.execution_pool_id, workers=args.orchestrator.workers)
    if args.orchestrator.ml_runtime:
        cluster["use_ml_runtime"] = True
    if args.image is not None:
        cluster["docker_image"] = args.image
    return cluster


def _registration_cluster(args: JobArgs) -> dict[str, Any]:
    return _cluster(args, pool_id=args.registration_pool_id, workers=REGISTRATION_WORKERS)


def _cluster(args: JobArgs, *, pool_id: pulumi.Input[str] | None, workers: int) -> dict[str, Any]:
    cluster: dict[str, Any] = {
        "spark_version": args.orchestrator.spark_version,
        "spark_env_vars": shell_values(args.environment),
        "instance_pool_id": pool_id,
        # Left out, the platform takes the workers' pool as well, and shows the difference as drift (terraform #1718).
        "driver_instance_pool_id": pool_id,
        "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
        "runtime_engine": "STANDARD",
        "kind": "CLASSIC_PREVIEW",
        "num_workers": workers,
    }
    if workers == 0:
        cluster["is_single_node"] = True
    match args.orchestrator.cloud:
        # The provider keeps a block that is left out (suppress_diff): only one that is there loses its identity.
        case AwsSettings(instance_profile_arn=profile):
            cluster["aws_attributes"] = {"instance_profile_arn": profile or ""}
        case GcpSettings(google_service_account=account):
            cluster["gcp_attributes"] = {"google_service_account": account or ""}
        case AzureSettings() | None:
            pass
    return cluster
