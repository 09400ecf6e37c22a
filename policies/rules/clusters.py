"""The clusters of a job, wherever a job can hold one, and what they have to do with pools.

A job's clusters stand in `jobClusters`, in a task, in the task of a for-each task, or beside the tasks; rules look at
all of them. A cluster's role is the key of a job cluster, and the pool that this stack makes for it is called
`<job>-<role>`: at the first preview ids are unknown, and those names are what there is to go by.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from rules.model import Context, Finding, Resource
from rules.values import ABSENT, UNKNOWN, Properties, at, entries, has_unknown, text, whole_number

JOB: Final = "databricks:index/job:Job"
POOL: Final = "databricks:index/instancePool:InstancePool"
REGISTRATION: Final = "registration"
REGISTRATION_TASK: Final = "register_task"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster of a job; `role` is its job cluster key, or where else it stands."""

    role: str
    properties: Any


def clusters(job: Resource) -> list[Cluster]:
    """All clusters that a job describes."""
    found = [
        Cluster(role=text(entry, "jobClusterKey"), properties=at(entry, "newCluster"))
        for entry in entries(job.properties, "jobClusters")
    ]
    for task in tasks(job):
        found.append(Cluster(role=f"task {text(task, 'taskKey')}", properties=at(task, "newCluster")))
    found.append(Cluster(role="the job itself", properties=at(job.properties, "newCluster")))
    return [cluster for cluster in found if isinstance(cluster.properties, Mapping)]


def unknown_parts(job: Resource) -> list[str]:
    """What of a job's tasks and clusters is unknown as a whole, so that nothing in it could be looked at."""
    found = [name for name in ("tasks", "jobClusters") if has_unknown(job.properties, name)]
    if any(at(task, "forEachTask", "task") is UNKNOWN for task in tasks(job)):
        found.append("forEachTask")
    described = [*entries(job.properties, "jobClusters"), *tasks(job), job.properties]
    return [*found, "newCluster"] if any(at(one, "newCluster") is UNKNOWN for one in described) else found


def tasks(job: Resource) -> list[Properties]:
    """All tasks of a job, those inside for-each tasks as well."""
    found = entries(job.properties, "tasks")
    for task in found:  # grows while it is gone through, so that one within one within one is found as well
        inner = at(task, "forEachTask", "task")
        if isinstance(inner, Mapping):
            found.append(cast("Properties", inner))
    return found


def nodes(cluster: Cluster) -> int | None:
    """How many instances a run of the cluster takes at most, driver included; None where that is not said."""
    fixed = whole_number(at(cluster.properties, "numWorkers"))
    scaled = whole_number(at(cluster.properties, "autoscale", "maxWorkers"))
    found = [workers for workers in (fixed, scaled) if workers is not None]
    return max(found) + 1 if found else None


def made_pool(job: Resource, cluster: Cluster) -> Resource | None:
    """The pool of this stack that a cluster is on; stack rules alone can tell."""
    pools = [pool for pool in job.depends_on.get("jobClusters", ()) if pool.type == POOL]
    pool_id = at(cluster.properties, "instancePoolId")
    for pool in pools:
        if pool_id is UNKNOWN and pool.name == f"{job.name}-{cluster.role}":
            return pool
        if isinstance(pool_id, str) and at(pool.properties, "id") == pool_id:
            return pool
    return None


def job_clusters(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Cluster]]:
    """All clusters of all jobs."""
    for job in resources:
        if job.type == JOB:
            yield from ((job, cluster) for cluster in clusters(job))


def each_cluster(
    job: Resource, context: Context, check: Callable[[Cluster, Context], Iterator[Finding]]
) -> Iterator[Finding]:
    """What a check finds in a job's clusters; the same in several clusters is one finding that names them all."""
    found: dict[Finding, list[str]] = {}
    for cluster in clusters(job):
        for finding in check(cluster, context):
            found.setdefault(finding, []).append(cluster.role or "without a key")
    for finding, roles in found.items():
        where = f"job {job.name} ({', '.join(roles)})"
        yield Finding(
            what=f"{where}: {finding.what}", why=finding.why, mend=finding.mend, urn=job.urn, later=finding.later
        )


def setting(job: Resource, name: str) -> str:
    """The setting of the stack that a property of a job comes from."""
    return f"`orchestrators.{job.name}.{name}`"


def is_absent(value: Any) -> bool:
    """Whether nothing stands there, known or not."""
    return value is ABSENT or value == ""
