"""Rules on what happens at once: how many runs, whether they fit in their pool, and whether the rest may wait.

Sources: guide, "Create Job": runs "should likely match the deployment's delegated operations capacity", and a queue.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rules.bounds import within
from rules.clusters import (
    JOB,
    POOL,
    REGISTRATION,
    REGISTRATION_TASK,
    Cluster,
    clusters,
    job_clusters,
    made_pool,
    nodes,
    setting,
    tasks,
)
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import number
from rules.pool_use import EXISTING_POOLS
from rules.values import UNKNOWN, at, entries, text, whole_number

CAPACITY: Final = Limit(
    name="delegatedOperationCapacity",
    default=5,
    parse=number,
    why="Highest capacity that a stack may claim to be licensed for; the guide's job runs 5 at once.",
)


def concurrent_runs(job: Resource, context: Context) -> Iterator[Finding]:
    """A job runs no more at once than FiftyOne delegates."""
    licensed = context.settings.delegated_operation_capacity
    ceiling = context[CAPACITY]
    limit, key = ("the stack's `fiftyone:delegatedOperationCapacity`", setting(job, "maxConcurrentRuns"))
    if ceiling < licensed:
        limit = f"concurrent-runs.delegatedOperationCapacity in {context.file}"
        key += " and `fiftyone:delegatedOperationCapacity`"
    yield from within(
        at(job.properties, "maxConcurrentRuns"),
        name=f"maxConcurrentRuns of job {job.name}",
        least=1,
        most=min(licensed, ceiling),
        limit=limit,
        why="FiftyOne runs no more at once than it is licensed for",
        mend=f"set {key} within it",
        urn=job.urn,
    )


def job_queue(job: Resource, _context: Context) -> Iterator[Finding]:
    """Runs that cannot start yet wait."""
    enabled = at(job.properties, "queue", "enabled")
    if enabled is UNKNOWN:
        yield Finding(what=f"the queue of job {job.name}", urn=job.urn, later=True)
    elif enabled is not True:
        yield Finding(
            what=f"job {job.name} has no queue",
            why="a run beyond maxConcurrentRuns would be skipped, and FiftyOne's operation with it",
            mend="set `queue.enabled` of the job to true",
            urn=job.urn,
        )


def unique_keys(job: Resource, _context: Context) -> Iterator[Finding]:
    """No two tasks, and no two job clusters, have one key."""
    for what, keys in (
        ("tasks", [at(task, "taskKey") for task in tasks(job)]),
        ("job clusters", [at(entry, "jobClusterKey") for entry in entries(job.properties, "jobClusters")]),
    ):
        if UNKNOWN in keys:
            yield Finding(what=f"a key of the {what} of job {job.name}", urn=job.urn, later=True)
        for key in (key for key, count in Counter(keys).items() if count > 1 and isinstance(key, str)):
            yield Finding(
                what=f"job {job.name} has several {what} with the key {key}",
                why="they are merged into one without a word, and which of them counts is chance",
                mend="give each a key of its own",
                urn=job.urn,
            )


def run_capacity(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """All runs that may execute at once fit in their pool, and one run fits in a registration pool."""
    stated = {pool.id: pool.capacity for pool in context[EXISTING_POOLS]}
    needed: dict[str, dict[str, int]] = {}
    capacities: dict[str, int] = {}
    for job, cluster in job_clusters(resources):
        found = _capacity(job, cluster, stated)
        instances = nodes(cluster)
        runs = whole_number(at(job.properties, "maxConcurrentRuns"))
        if found is None or instances is None or runs is None:
            continue  # another rule says what is missing
        pool, capacity = found
        if not _registers(job, cluster):
            capacities[pool] = capacity
            jobs = needed.setdefault(pool, {})
            jobs[job.name] = jobs.get(job.name, 0) + runs * instances
        elif instances > capacity:
            yield Finding(
                what=f"a run of cluster {cluster.role} of job {job.name} takes {instances} instances, and pool {pool} "
                f"holds {capacity}",
                why="it would never start",
                mend=f"raise {setting(job, 'registrationMaxCapacity')}",
                urn=job.urn,
            )
    for job in of_type(resources, JOB):
        yield from _drivers_elsewhere(job)
    for pool, jobs in needed.items():
        total, parts = sum(jobs.values()), ", ".join(f"job {name} {count}" for name, count in sorted(jobs.items()))
        if total > capacities[pool]:
            # A pool that exists has the capacity that the limits file states.
            capacity = f"its capacity in existing-pool.pools in {context.file}" if pool in stated else "`maxCapacity`"
            yield Finding(
                what=f"runs may take {total} instances of pool {pool} at once ({parts}: maxConcurrentRuns times "
                f"workers and driver), and it holds {capacities[pool]}",
                why="what finds no instance waits, and FiftyOne gives an operation that has not started in 30 minutes "
                "to be run again",
                mend=f"lower `maxConcurrentRuns` or `workers` of these orchestrators, or raise {capacity}",
            )


def _drivers_elsewhere(job: Resource) -> Iterator[Finding]:
    """Pools that a job's clusters depend on without having their workers there, while no id tells which driver does."""
    unknown = [
        cluster
        for cluster in clusters(job)
        if all(at(cluster.properties, name) is UNKNOWN for name in ("instancePoolId", "driverInstancePoolId"))
    ]
    if not unknown or not all(made_pool(job, cluster) for cluster in unknown):
        return  # existing-pool refuses a cluster whose own pool cannot be told
    used = {pool.urn for cluster in clusters(job) if (pool := made_pool(job, cluster))}
    for pool in of_type(job.depends_on.get("jobClusters", ()), POOL):
        if pool.urn not in used:
            yield Finding(
                what=f"job {job.name} has no workers on pool {pool.name}, which its clusters refer to",
                why="a driver there would be counted on its workers' pool, where it is not",
                mend="name one pool as `instance_pool_id` and `driver_instance_pool_id` of a cluster",
                urn=job.urn,
            )


def _registers(job: Resource, cluster: Cluster) -> bool:
    """Whether a cluster only registers operators, one run at a time; what it is called is not what runs on it."""
    used = [text(task, "taskKey") for task in tasks(job) if at(task, "jobClusterKey") == cluster.role]
    return cluster.role == REGISTRATION and all(key == REGISTRATION_TASK for key in used)


def _capacity(job: Resource, cluster: Cluster, stated: dict[str, int]) -> tuple[str, int] | None:
    """Name and capacity of the pool that a cluster is on, where both are known."""
    made = made_pool(job, cluster)
    if made is not None:
        capacity = whole_number(at(made.properties, "maxCapacity"))
        return (made.name, capacity) if capacity else None
    pool_id = text(cluster.properties, "instancePoolId")
    return (pool_id, stated[pool_id]) if pool_id in stated else None


RULES: Final = (
    ResourceRule(
        name="concurrent-runs",
        says="A job runs no more at once than FiftyOne is licensed to delegate.",
        types=(JOB,),
        check=concurrent_runs,
        limits=(CAPACITY,),
    ),
    ResourceRule(name="job-queue", says="Runs that cannot start yet wait in a queue.", types=(JOB,), check=job_queue),
    ResourceRule(
        name="unique-keys",
        says="No two tasks, and no two job clusters, have one key.",
        types=(JOB,),
        check=unique_keys,
    ),
    StackRule(
        name="run-capacity",
        says="All runs that may execute at once fit in their pool, and one run fits in a registration pool.",
        types=(JOB, POOL),
        check=run_capacity,
    ),
)
