"""Rules on workers, at, below and above each limit, with the value missing and unknown."""

from typing import Any

import pytest

from rules.clusters import JOB
from rules.model import Resource
from rules.values import UNKNOWN
from rules.workers import INTERACTIVE_CLUSTER, MAX_PROCESSES, MAX_WORKERS
from tests.policies.cases import REMOVED, accepts, both, cluster, environment, job, leaves, refuses, task


def test_tasks_run_on_job_clusters_that_are_on_pools() -> None:
    assert accepts("workers-on-pools", job())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"existingClusterId": "1123-abc"}, "sets existingClusterId"),
        ({"existingClusterId": UNKNOWN}, "sets existingClusterId"),
        ({"environmentKey": "serverless"}, "sets environmentKey"),
        ({"jobClusterKey": REMOVED}, "names no job cluster"),
        ({"jobClusterKey": "other"}, "runs on job cluster other, which the job does not have"),
        ({"jobClusterKey": REMOVED, "newCluster": cluster()}, "sets newCluster"),
        (
            {"jobClusterKey": REMOVED, "forEachTask": {"task": task("inner", jobClusterKey=REMOVED)}},
            "task inner of job gpu names no job cluster",
        ),
        (
            {"forEachTask": {"task": {"forEachTask": {"task": task("inner", jobClusterKey=REMOVED)}}}},
            "task inner of job gpu names no job cluster",
        ),
        ({"jobClusterKey": REMOVED, "forEachTask": {"inputs": "[1]"}}, "task execute_task of job gpu repeats no task"),
    ],
)
def test_a_task_that_runs_elsewhere_is_refused(change: dict[str, Any], expected: str) -> None:
    assert expected in refuses("workers-on-pools", job(tasks=[task(**change)]))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"instancePoolId": REMOVED, "driverInstancePoolId": REMOVED}, "is on no pool"),
        ({"nodeTypeId": "g2-standard-96"}, "sets nodeTypeId"),
        ({"policyId": UNKNOWN}, "sets policyId"),
        ({"driverNodeTypeId": "x"}, "sets driverNodeTypeId"),
        ({"driverInstancePoolId": "pool-9"}, "has its driver on another pool"),
    ],
)
def test_a_cluster_that_is_not_on_a_pool_alone_is_refused(change: dict[str, Any], expected: str) -> None:
    assert expected in refuses("workers-on-pools", job(execution=change))


def test_clusters_beside_the_jobs_are_refused() -> None:
    assert "existingClusterId beside its tasks" in refuses("workers-on-pools", job(existingClusterId="1123-abc"))
    alone = Resource(type=INTERACTIVE_CLUSTER, name="notebooks", properties=cluster())
    assert "a cluster of its own" in refuses("workers-on-pools", alone)
    old = Resource(type=JOB, name="old", properties={"newCluster": cluster(), "tasks": []})
    assert "newCluster beside its tasks" in refuses("workers-on-pools", old)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tasks": UNKNOWN}, "tasks of job gpu"),
        ({"tasks": [task(), UNKNOWN]}, "tasks of job gpu"),
        ({"jobClusters": UNKNOWN, "tasks": []}, "jobClusters of job gpu"),
        ({"jobClusters": [{"jobClusterKey": "execution", "newCluster": UNKNOWN}], "tasks": []}, "newCluster of job"),
        ({"tasks": [task(forEachTask=UNKNOWN)]}, "forEachTask of job gpu"),
        ({"tasks": [task(forEachTask={"task": UNKNOWN})]}, "forEachTask of job gpu"),
        ({"tasks": [task(jobClusterKey=UNKNOWN)]}, "the cluster of task execute_task"),
    ],
)
def test_what_nothing_can_be_said_of_yet_is_left_to_the_update(change: dict[str, Any], expected: str) -> None:
    assert leaves("workers-on-pools", job(**change)).startswith(expected)


def test_workers_are_within_the_limit() -> None:
    for workers in (0.0, 2.0, 3.0):
        assert accepts("worker-count", job(execution={"numWorkers": workers}))
    message = refuses("worker-count", job(execution={"numWorkers": 9999.0}))
    assert "job gpu (execution): numWorkers is 9999, above the limit of 3" in message
    assert "`orchestrators.gpu.workers`" in message
    assert accepts("worker-count", job(execution={"numWorkers": 4.0}), limits={MAX_WORKERS: 4})
    assert "not set" in refuses("worker-count", job(execution={"numWorkers": REMOVED}))
    assert leaves("worker-count", job(execution={"numWorkers": UNKNOWN}))


def test_scaled_workers_are_within_the_limit() -> None:
    def scaled(most: Any) -> Resource:
        return job(execution={"numWorkers": REMOVED, "autoscale": {"minWorkers": 1.0, "maxWorkers": most}})

    assert accepts("worker-count", scaled(3.0))
    assert "autoscale.maxWorkers is 4" in refuses("worker-count", scaled(4.0))
    assert leaves("worker-count", scaled(UNKNOWN))


def test_clusters_of_tasks_count_too() -> None:
    hidden = task(newCluster=cluster(numWorkers=9999.0))
    assert "(task execute_task)" in refuses("worker-count", job(tasks=[hidden]))
    nested = task(forEachTask={"task": task("inner", newCluster=cluster(numWorkers=9999.0))})
    assert "(task inner)" in refuses("worker-count", job(tasks=[nested]))


def test_a_job_cluster_describes_one() -> None:
    empty = [{"jobClusterKey": "execution"}, {"jobClusterKey": "registration", "newCluster": cluster()}]
    assert "cluster execution of job gpu describes no cluster" in refuses("workers-on-pools", job(jobClusters=empty))


def test_registering_operators_may_take_the_worker_that_it_always_takes() -> None:
    limits = {MAX_WORKERS: 0}
    assert accepts("worker-count", job(execution={"numWorkers": 0.0}), limits=limits)
    assert "(execution): numWorkers is 1" in refuses("worker-count", job(), limits=limits)
    more = job(execution={"numWorkers": 0.0}, registration={"numWorkers": 2.0})
    assert "(registration): numWorkers is 2" in refuses("worker-count", more, limits=limits)


def test_one_cause_is_one_message() -> None:
    policy = refuses("workers-on-pools", both(policyId="hidden"))
    assert "cluster execution, registration of job gpu sets policyId" in policy
    elsewhere = [task(name, existingClusterId="hidden") for name in ("one", "two")]
    assert "task one, two of job gpu sets existingClusterId" in refuses("workers-on-pools", job(tasks=elsewhere))
    assert "(execution, registration): numWorkers is 4" in refuses("worker-count", both(numWorkers=4.0))


def processes(value: Any) -> Resource:
    return both(sparkEnvVars=environment(FIFTYONE_MAX_PROCESS_POOL_WORKERS=value))


def test_processes_are_0_to_4_with_atlas() -> None:
    for value in ("0", "3", "4", "'4'"):
        assert accepts("process-pool", processes(value))
    message = refuses("process-pool", processes("5"))
    assert "is 5, above the limit of 4 (MongoDB Atlas)" in message
    assert "`orchestrators.gpu.processPoolWorkers` from 0 to 4" in message
    assert refuses("process-pool", processes("5"), limits={MAX_PROCESSES: 16})
    assert "limit of 2 (process-pool.maxProcesses" in refuses("process-pool", processes("3"), limits={MAX_PROCESSES: 2})


def test_processes_are_within_the_limit_without_atlas() -> None:
    limits = {MAX_PROCESSES: 16}
    for value in ("15", "16"):
        assert accepts("process-pool", processes(value), limits=limits, mongodb_atlas=False)
    assert "is 17, above" in refuses("process-pool", processes("17"), limits=limits, mongodb_atlas=False)


def test_processes_are_there_and_a_whole_number_that_is_not_shown_otherwise() -> None:
    assert "is not set" in refuses("process-pool", processes(REMOVED))
    for value in ("9" * 5000, "-1", "4.5", "", "hidden-password", "٤"):
        assert "no whole number" in refuses("process-pool", processes(value))
    assert "not set" in refuses("process-pool", both(sparkEnvVars=REMOVED))
    assert "(execution, registration)" in leaves("process-pool", processes(UNKNOWN))
