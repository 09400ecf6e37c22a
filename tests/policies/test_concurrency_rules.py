"""Rules on what happens at once, at, below and above each limit, with the value missing and unknown."""

from components.job_names import REGISTRATION_TASK as PROGRAM_TASK
from rules.clusters import POOL, REGISTRATION_TASK
from rules.concurrency import CAPACITY
from rules.model import Resource
from rules.parse import ExistingPool
from rules.pool_use import EXISTING_POOLS
from rules.values import UNKNOWN
from tests.policies.cases import REMOVED, accepts, job, leaves, pool, refuses, task


def test_runs_are_within_the_licence() -> None:
    for runs in (1.0, 2.0, 3.0):
        assert accepts("concurrent-runs", job(maxConcurrentRuns=runs))
    message = refuses("concurrent-runs", job(maxConcurrentRuns=4.0))
    assert "is 4, above the limit of 3 (the stack's `fiftyone:delegatedOperationCapacity`)" in message
    assert accepts("concurrent-runs", job(maxConcurrentRuns=4.0), delegated_operation_capacity=4)
    assert "below the limit of 1" in refuses("concurrent-runs", job(maxConcurrentRuns=0.0))
    assert "not set" in refuses("concurrent-runs", job(maxConcurrentRuns=REMOVED))
    assert leaves("concurrent-runs", job(maxConcurrentRuns=UNKNOWN))


def test_the_licence_that_a_stack_claims_has_a_ceiling() -> None:
    for runs in (4.0, 5.0):
        assert accepts("concurrent-runs", job(maxConcurrentRuns=runs), delegated_operation_capacity=900)
    message = refuses("concurrent-runs", job(maxConcurrentRuns=6.0), delegated_operation_capacity=900)
    assert "limit of 5 (concurrent-runs.delegatedOperationCapacity in policies/limits/dev.json)" in message
    more = {CAPACITY: 6}
    assert accepts("concurrent-runs", job(maxConcurrentRuns=6.0), delegated_operation_capacity=900, limits=more)


def test_runs_wait_in_a_queue() -> None:
    assert accepts("job-queue", job())
    for queue in ({"enabled": False}, {}, REMOVED):
        assert "job gpu has no queue" in refuses("job-queue", job(queue=queue))
    assert leaves("job-queue", job(queue={"enabled": UNKNOWN}))
    assert leaves("job-queue", job(queue=UNKNOWN))


def test_keys_are_unique() -> None:
    assert accepts("unique-keys", job())
    assert "several tasks with the key execute_task" in refuses("unique-keys", job(tasks=[task(), task()]))
    twice = [{"jobClusterKey": "execution"}, {"jobClusterKey": "execution"}]
    assert "several job clusters with the key execution" in refuses("unique-keys", job(jobClusters=twice))
    assert leaves("unique-keys", job(tasks=[task(taskKey=UNKNOWN), task(taskKey=UNKNOWN)]))
    assert accepts("unique-keys", job(tasks=REMOVED))


def sized(capacity: object, **changes: object) -> Resource:
    return job(pools=[pool(maxCapacity=capacity), pool("registration")], **changes)  # type: ignore[arg-type]


def test_all_runs_of_a_job_fit_in_its_pool() -> None:
    assert accepts("run-capacity", sized(6.0))
    assert accepts("run-capacity", sized(7.0))
    message = refuses("run-capacity", sized(5.0))
    assert "may take 6 instances of pool gpu-execution at once (job gpu 6:" in message
    assert "it holds 5" in message
    assert "or raise `maxCapacity`" in message
    assert accepts("run-capacity", sized(3.0, execution={"numWorkers": 0.0}))
    scaled = {"numWorkers": REMOVED, "autoscale": {"maxWorkers": 3.0}}
    assert "may take 12" in refuses("run-capacity", sized(11.0, execution=scaled))


def test_what_is_missing_or_unknown_is_another_rules() -> None:
    for missing in (REMOVED, UNKNOWN):
        assert accepts("run-capacity", sized(missing))
        assert accepts("run-capacity", sized(1.0, maxConcurrentRuns=missing))
        assert accepts("run-capacity", sized(1.0, execution={"numWorkers": missing}))


def test_runs_of_all_jobs_that_share_a_pool_fit_in_it_together() -> None:
    stated = {EXISTING_POOLS: (ExistingPool(id="pool-9", capacity=12, node_type="g2-standard-8"),)}
    on = {"instancePoolId": "pool-9"}
    jobs = [job(name=name, execution=on) for name in ("a", "b")]
    made = [pool(), pool("registration")]
    assert accepts("run-capacity", *jobs, *made, limits=stated)
    third = job(name="c", execution={**on, "numWorkers": 0.0}, maxConcurrentRuns=1.0)
    message = refuses("run-capacity", *jobs, third, *made, limits=stated)
    assert "may take 13 instances of pool pool-9 at once (job a 6, job b 6, job c 1:" in message
    assert "or raise its capacity in existing-pool.pools in policies/limits/dev.json" in message


def test_one_run_fits_in_a_registration_pool() -> None:
    def registering(capacity: float) -> Resource:
        return job(pools=[pool(), pool("registration", maxCapacity=capacity)])

    assert accepts("run-capacity", registering(2.0))
    assert accepts("run-capacity", registering(3.0))
    message = refuses("run-capacity", registering(1.0))
    assert "takes 2 instances, and pool gpu-registration holds 1" in message
    assert "`orchestrators.gpu.registrationMaxCapacity`" in message


def test_what_executes_on_a_registration_pool_counts_as_often_as_it_may_run() -> None:
    both_on_it = [task("execute_task", "registration"), task("register_task", "registration")]
    message = refuses("run-capacity", job(tasks=both_on_it, pools=[pool(), pool("registration")]))
    assert "may take 6 instances of pool gpu-registration at once" in message


def test_the_task_that_registers_is_called_as_the_program_calls_it() -> None:
    assert REGISTRATION_TASK == PROGRAM_TASK


def test_a_driver_is_on_the_pool_of_its_workers_as_far_as_a_preview_can_tell() -> None:
    def referring(to: Resource, **execution: object) -> Resource:
        return job(execution=execution, pools=[pool(), pool("registration"), to])

    third = Resource(type=POOL, name="gpu-third", urn="pool-third", properties={"maxCapacity": 2.0, "id": UNKNOWN})
    message = refuses("run-capacity", referring(third))
    assert "job gpu has no workers on pool gpu-third, which its clusters refer to" in message
    known = {"instancePoolId": "pool-9", "driverInstancePoolId": "pool-9"}
    assert accepts("run-capacity", job(execution=known, pools=[pool("registration")]))
    assert accepts("run-capacity", job(registration=known, pools=[pool()]))
