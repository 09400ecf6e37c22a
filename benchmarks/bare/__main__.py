"""What somebody writes who has Pulumi and the guide: the Databricks side of one orchestrator, in one file.

The same resources as the program deploys there for the stack file of benchmarks/stacks.py, with the databricks
provider's own types; tests/engine/test_benchmarks.py holds the two against each other. FiftyOne's side is left out,
because a plain program has nothing for it.
"""

import base64
import os
from pathlib import Path

import pulumi
import pulumi_databricks as databricks

REPO = Path(__file__).parents[2]
STACK = pulumi.get_stack()
SCOPE = f"fiftyone-{STACK}"
FOLDER = f"/Shared/fiftyone-{STACK}"
TRIGGER = os.environ["TRIGGER"]
SECRETS = ["FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_PYPI_URL"]
REQUIREMENTS = """\
fiftyone==2.13.1
ultralytics
torch
transformers
timm
umap-learn
opencv-python<4.13.0.90
opencv-python-headless<4.13.0.90
"""

scope = databricks.SecretScope("scope", name=SCOPE)
secrets = [
    databricks.Secret(key, scope=scope.name, key=key, string_value=pulumi.Output.secret(os.environ[key]))
    for key in SECRETS
]

folder = databricks.Directory("folder", path=FOLDER)
entrypoint = databricks.WorkspaceFile(
    "entrypoint.py",
    path=folder.path.apply(lambda path: f"{path}/entrypoint.py"),
    content_base64=base64.b64encode((REPO / "job" / "entrypoint.py").read_bytes()).decode(),
)
requirements = databricks.WorkspaceFile(
    "requirements.txt",
    path=folder.path.apply(lambda path: f"{path}/gpu-requirements.txt"),
    content_base64=base64.b64encode(REQUIREMENTS.encode()).decode(),
)

pools = {
    role: databricks.InstancePool(
        role,
        instance_pool_name=f"fiftyone-{STACK}-gpu-{role}",
        node_type_id=node_type,
        max_capacity=capacity,
        min_idle_instances=0,
        idle_instance_autotermination_minutes=15,
        enable_elastic_disk=True,
        preloaded_spark_versions=["16.4.x-scala2.13"],
    )
    for role, node_type, capacity in (
        ("execution", "g2-standard-8", 20),
        ("registration", "c3-standard-4-lssd", 2),
    )
}

environment = {
    "API_URL": os.environ["FIFTYONE_API_URI"],
    "ENTRYPOINT_COMMANDS": "fiftyone",
    "FIFTYONE_DATABASE_NAME": "fiftyone",
    "FIFTYONE_DATABASE_URI": f"{{{{secrets/{SCOPE}/FIFTYONE_DATABASE_URI}}}}",
    "FIFTYONE_ENCRYPTION_KEY": f"{{{{secrets/{SCOPE}/FIFTYONE_ENCRYPTION_KEY}}}}",
    "FIFTYONE_INTERNAL_SERVICE": "1",
    "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "4",
    "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",
    "PIP_EXTRA_INDEX_URL": f"{{{{secrets/{SCOPE}/FIFTYONE_PYPI_URL}}}}",
}
job = databricks.Job(
    "gpu",
    name=f"fiftyone-{STACK}-gpu",
    max_concurrent_runs=3,
    queue={"enabled": True},
    parameters=[{"name": "command", "default": "fiftyone --version"}],
    tags={"pulumi-stack": f"fiftyone-databricks.{STACK}.gpu"},
    job_clusters=[
        {
            "job_cluster_key": role,
            "new_cluster": {
                "spark_version": "16.4.x-scala2.13",
                "spark_env_vars": environment,
                "instance_pool_id": pool.id,
                "driver_instance_pool_id": pool.id,
                "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
                "runtime_engine": "STANDARD",
                "kind": "CLASSIC_PREVIEW",
                "num_workers": 1,
                **({"use_ml_runtime": True} if role == "execution" else {}),
            },
        }
        for role, pool in pools.items()
    ],
    tasks=[
        {
            "task_key": task_key,
            "job_cluster_key": role,
            "spark_python_task": {
                "python_file": entrypoint.workspace_path,
                "parameters": ["--command", "{{job.parameters.command}}"],
            },
            "libraries": [{"requirements": requirements.workspace_path}],
        }
        for task_key, role in (("execute_task", "execution"), ("register_task", "registration"))
    ],
    opts=pulumi.ResourceOptions(depends_on=secrets),
)
databricks.Permissions(
    "gpu-job",
    job_id=job.id,
    access_controls=[{"service_principal_name": TRIGGER, "permission_level": "CAN_MANAGE_RUN"}],
)

pulumi.export("jobId", job.id)
pulumi.export("jobUrl", job.url)
