"""The job is the guide's, field for field, and its environment survives the shell file that it passes through."""

import subprocess
from typing import Any

import pytest

from components.job import JobArgs, job_properties, shell_values
from components.run_environment import container_image, run_environment, stack_secrets
from tests.unit.settings_cases import configuration, settings

AWKWARD = """ it's "quoted" $HOME `date` $(date) \\ ! # & ; | * ? ~ {} [] <> é % """


def job(*, registration: bool = True, **entries: Any) -> dict[str, Any]:
    found = settings(configuration(orchestrators={"gpu": {"nodeType": "g2-standard-8", **entries}}))
    orchestrator = found.orchestrators["gpu"]
    return job_properties(
        JobArgs(
            stack="dev",
            instance_id="gpu",
            orchestrator=orchestrator,
            max_concurrent_runs=orchestrator.max_concurrent_runs or found.fiftyone.delegated_operation_capacity,
            environment=run_environment(found, orchestrator, None),
            image=container_image(found, orchestrator),
            entrypoint="/Workspace/Shared/fiftyone-dev/entrypoint.py",
            requirements="/Workspace/Shared/fiftyone-dev/gpu-requirements.txt",
            execution_pool_id="pool-1",
            registration_pool_id="pool-2" if registration else None,
            run_as={"user_name": "deployer@example.com"},
            protect=False,
        )
    )


def cluster(properties: dict[str, Any], key: str = "execution") -> dict[str, Any]:
    return next(c["new_cluster"] for c in properties["job_clusters"] if c["job_cluster_key"] == key)


def test_the_job_is_the_guides() -> None:
    found = job()
    environment = {
        "API_URL": "https://fiftyone.example.com/api",
        "ENTRYPOINT_COMMANDS": "fiftyone",
        "FIFTYONE_DATABASE_NAME": "fiftyone",
        "FIFTYONE_DATABASE_URI": "{{secrets/fiftyone-dev/FIFTYONE_DATABASE_URI}}",
        "FIFTYONE_ENCRYPTION_KEY": "{{secrets/fiftyone-dev/FIFTYONE_ENCRYPTION_KEY}}",
        "FIFTYONE_INTERNAL_SERVICE": "1",
        "FIFTYONE_MAX_PROCESS_POOL_WORKERS": "4",
        "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",
        "PIP_EXTRA_INDEX_URL": "{{secrets/fiftyone-dev/FIFTYONE_PYPI_URL}}",
    }
    common = {
        "spark_version": "16.4.x-scala2.13",
        "spark_env_vars": environment,
        "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
        "runtime_engine": "STANDARD",
        "kind": "CLASSIC_PREVIEW",
        "num_workers": 1,
    }
    pools = {key: {"instance_pool_id": key, "driver_instance_pool_id": key} for key in ("pool-1", "pool-2")}
    task = {
        "spark_python_task": {
            "python_file": "/Workspace/Shared/fiftyone-dev/entrypoint.py",
            "parameters": ["--command", "{{job.parameters.command}}"],
        },
        "libraries": [{"requirements": "/Workspace/Shared/fiftyone-dev/gpu-requirements.txt"}],
    }
    assert found == {
        "name": "fiftyone-dev-gpu",
        "max_concurrent_runs": 3,
        "timeout_seconds": None,
        "queue": {"enabled": True},
        "run_as": {"user_name": "deployer@example.com"},
        "parameters": [{"name": "command", "default": "fiftyone --version"}],
        "tags": {"pulumi-stack": "fiftyone-databricks.dev.gpu"},
        "job_clusters": [
            {"job_cluster_key": "execution", "new_cluster": {**common, **pools["pool-1"], "use_ml_runtime": True}},
            {"job_cluster_key": "registration", "new_cluster": {**common, **pools["pool-2"]}},
        ],
        "tasks": [
            {"task_key": "execute_task", "job_cluster_key": "execution", **task},
            {"task_key": "register_task", "job_cluster_key": "registration", **task},
        ],
    }


def test_without_a_registration_pool_there_is_one_task_and_one_cluster() -> None:
    found = job(registration=False)
    assert [task["task_key"] for task in found["tasks"]] == ["execute_task"]
    assert [entry["job_cluster_key"] for entry in found["job_clusters"]] == ["execution"]


def test_no_workers_is_a_single_node_and_more_are_not() -> None:
    single, one = cluster(job(workers=0)), cluster(job(workers=1))
    assert (single["num_workers"], single["is_single_node"]) == (0, True)
    assert "is_single_node" not in one


def test_settings_of_runs_reach_the_job() -> None:
    found = job(maxConcurrentRuns=7, timeoutMinutes=90, processPoolWorkers=0, mlRuntime=False)
    assert (found["max_concurrent_runs"], found["timeout_seconds"]) == (7, 5400)
    assert cluster(found)["spark_env_vars"]["FIFTYONE_MAX_PROCESS_POOL_WORKERS"] == "0"
    assert "use_ml_runtime" not in cluster(found)


@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        (
            {"provider": "aws", "instanceProfileArn": "arn:aws:iam::123456789012:instance-profile/workers"},
            {"aws_attributes": {"instance_profile_arn": "arn:aws:iam::123456789012:instance-profile/workers"}},
        ),
        (
            {"provider": "gcp", "googleServiceAccount": "workers@example.iam.gserviceaccount.com"},
            {"gcp_attributes": {"google_service_account": "workers@example.iam.gserviceaccount.com"}},
        ),
        ({"provider": "azure"}, {}),
    ],
)
def test_clusters_take_the_clouds_identity_and_no_more_of_it(cloud: dict[str, Any], expected: dict[str, Any]) -> None:
    for key in ("execution", "registration"):
        found = cluster(job(cloud=cloud), key)
        assert {name: found[name] for name in found if name.endswith("_attributes")} == expected


def test_a_private_image_is_pulled_with_credentials_by_reference() -> None:
    config = configuration(
        orchestrators={"gpu": {"nodeType": "x", "mlRuntime": False, "containerImage": "registry.example.com/a/b:1"}},
        containerRegistryUsername="hidden-user",
        containerRegistryPassword="hidden-password",
    )
    names = frozenset({"containerRegistryUsername", "containerRegistryPassword"})
    found = settings(config, secret_keys=names)
    assert container_image(found, found.orchestrators["gpu"]) == {
        "url": "registry.example.com/a/b:1",
        "basic_auth": {
            "username": "{{secrets/fiftyone-dev/CONTAINER_REGISTRY_USERNAME}}",
            "password": "{{secrets/fiftyone-dev/CONTAINER_REGISTRY_PASSWORD}}",
        },
    }
    assert stack_secrets(found)["CONTAINER_REGISTRY_PASSWORD"] == "hidden-password"


def test_secret_variables_are_keys_of_the_scope_and_references_in_the_environment() -> None:
    key = "fiftyone-databricks:secretEnv.MODEL_TOKEN"
    found = settings({**configuration(), key: "hidden"}, secret_keys=frozenset({key}))
    assert stack_secrets(found)["MODEL_TOKEN"] == "hidden"
    environment = run_environment(found, found.orchestrators["gpu"], None)
    assert environment["MODEL_TOKEN"] == "{{secrets/fiftyone-dev/MODEL_TOKEN}}"
    assert "hidden" not in str(environment)


@pytest.mark.parametrize("value", [AWKWARD, "", "plain", "a b", "'", '"', "$", "x=y", "{{job.id}}", "-n"])
def test_literals_arrive_from_the_shell_file_as_they_stand_in_the_settings(value: str) -> None:
    script = f'export NAME={shell_values({"NAME": value})["NAME"]}\nprintf %s "$NAME"\n'
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout == value


def test_references_stay_bare_and_the_whole_value() -> None:
    reference = "{{secrets/my-scope/MY_KEY}}"
    assert shell_values({"A": reference, "B": "text"}) == {"A": reference, "B": "text"}
