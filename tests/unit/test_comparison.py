"""What differs from what was asked for is named by its path, and nothing else is, and never a value."""

from typing import Any

import pytest

from preflight.chain.comparison import differences

ASKED: dict[str, Any] = {
    "name": "fiftyone-dev-gpu",
    "maxConcurrentRuns": 3,
    "queue": {"enabled": True},
    "tags": {"pulumi-stack": "fiftyone-databricks.dev.gpu"},
    "jobClusters": [
        {"jobClusterKey": "execution", "newCluster": {"numWorkers": 0, "sparkEnvVars": {"A": "1", "camelCase": "x"}}}
    ],
    "tasks": [
        {"taskKey": "execute_task", "jobClusterKey": "execution", "libraries": [{"requirements": "/a"}]},
        {"taskKey": "register_task", "jobClusterKey": "execution", "libraries": [{"requirements": "/a"}]},
    ],
}


def found(**changes: Any) -> dict[str, Any]:
    """The same as the API gives it back, with what the platform adds."""
    return {
        "name": "fiftyone-dev-gpu",
        "max_concurrent_runs": 3,
        "timeout_seconds": 0,
        "email_notifications": {},
        "queue": {"enabled": True},
        "tags": {"pulumi-stack": "fiftyone-databricks.dev.gpu"},
        "job_clusters": [
            {
                "job_cluster_key": "execution",
                "new_cluster": {"spark_env_vars": {"A": "1", "camelCase": "x"}, "data_security_mode": "SINGLE_USER"},
            }
        ],
        "tasks": [
            {"task_key": name, "job_cluster_key": "execution", "libraries": [{"requirements": "/a"}], "run_if": "X"}
            for name in ("register_task", "execute_task")
        ],
        **changes,
    }


def test_what_the_platform_adds_leaves_out_or_sorts_otherwise_is_no_difference() -> None:
    assert list(differences({**ASKED, "dataSecurityMode": "DATA_SECURITY_MODE_DEDICATED"}, found())) == []


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"max_concurrent_runs": 1}, ["max_concurrent_runs"]),
        ({"queue": {}}, ["queue.enabled"]),
        ({"queue": None}, ["queue"]),
        ({"tags": {"team": "hidden"}}, ["tags.pulumi-stack", "tags.team"]),
        ({"tasks": found()["tasks"][:1]}, ["tasks.execute_task"]),
        ({"tasks": [*found()["tasks"], {"task_key": "another"}]}, ["tasks.another"]),
        (
            {"job_clusters": [{"job_cluster_key": "execution", "new_cluster": {"spark_env_vars": {"A": "hidden"}}}]},
            [f"job_clusters.execution.new_cluster.spark_env_vars.{name}" for name in ("A", "camelCase")],
        ),
    ],
)
def test_what_was_changed_is_named_by_its_path(changes: dict[str, Any], paths: list[str]) -> None:
    assert list(differences(ASKED, found(**changes))) == paths


def test_of_two_tasks_on_one_cluster_each_is_compared() -> None:
    tasks = found()["tasks"]
    tasks[1] = {**tasks[1], "libraries": [{"requirements": "/b"}]}
    assert list(differences(ASKED, found(tasks=tasks))) == ["tasks.execute_task.libraries.000.requirements"]
