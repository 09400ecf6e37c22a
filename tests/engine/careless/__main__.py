"""A program that breaks the rules which this repository's own settings cannot break; it is only ever previewed."""

import base64

import pulumi
import pulumi_databricks as databricks

from fiftyone_provider.orchestrator import Orchestrator

RUNTIME = "16.4.x-scala2.13"
REFERENCE = "{{secrets/fiftyone-test/FIFTYONE_PYPI_URL}}"

pool = databricks.InstancePool(
    "gpu-execution",
    instance_pool_name="careless",
    node_type_id="g2-standard-8",
    min_idle_instances=0,
    max_capacity=20,
    idle_instance_autotermination_minutes=15,
    preloaded_spark_versions=["15.4.x-scala2.12"],
)
cluster = {
    "spark_version": RUNTIME,
    "instance_pool_id": pool.id,
    "data_security_mode": "USER_ISOLATION",
    "num_workers": 1,
    "spark_env_vars": {
        "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "4",
        "PIP_EXTRA_INDEX_URL": REFERENCE,
        "POOL": pool.id,
    },
}
job = databricks.Job(
    "gpu",
    name="careless",
    max_concurrent_runs=1,
    job_clusters=[{"job_cluster_key": "execution", "new_cluster": cluster}],
    tasks=[
        {"task_key": "execute_task", "job_cluster_key": "execution", "libraries": [{"pypi": {"package": "fiftyone"}}]},
        {"task_key": "execute_task", "existing_cluster_id": "1123-075537-elsewhere"},
    ],
)
lonely = databricks.Job("lonely", name="lonely", max_concurrent_runs=1, queue={"enabled": True})
databricks.Permissions(
    "gpu-job",
    job_id=job.id,
    access_controls=[{"service_principal_name": "5ad0c0de", "permission_level": "CAN_MANAGE"}],
)
databricks.SecretScope("scope", name="careless", initial_manage_principal="users")
databricks.WorkspaceFile(
    "gpu-requirements.txt",
    path="/Shared/gpu-requirements.txt",
    content_base64=base64.b64encode(b"fiftyone\nopencv-python\n").decode(),
)
Orchestrator(
    "gpu",
    instance_id="gpu",
    description="",
    mark="",
    environment="anyscale",
    config={"jobId": "17", "executionTaskId": "execute_task"},
    secrets={"host": "HOST_GPU", "accountId": "ACCOUNT_ID_GPU", "clientId": "CLIENT_ID_GPU", "clientSecret": "hidden"},
    own_secrets={},
    existing_secrets=[],
    allow_reregister=False,
)
pulumi.export("careless", True)
