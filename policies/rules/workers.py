"""Rules on workers: what tasks run on, on how many nodes, and how many processes a run starts there.

Sources: guide, "Create Job" and "Additional Considerations".
"""

from collections.abc import Iterator
from typing import Any, Final

from rules.bounds import within
from rules.clusters import (
    JOB,
    REGISTRATION,
    Cluster,
    clusters,
    each_cluster,
    is_absent,
    setting,
    tasks,
    unknown_parts,
)
from rules.model import Context, Finding, Limit, Resource, ResourceRule
from rules.parse import number
from rules.values import ABSENT, UNKNOWN, at, entries, text

INTERACTIVE_CLUSTER: Final = "databricks:index/cluster:Cluster"
PROCESSES: Final = "FIFTYONE_MAX_PROCESS_POOL_WORKERS"
ATLAS_PROCESSES: Final = 4
_MOST_DIGITS: Final = 9  # far beyond any limit, and within what int() reads

MAX_WORKERS: Final = Limit(
    name="maxWorkers",
    default=3,
    parse=number,
    why="Workers of a run beside its driver: with 3, the guide's 5 runs fill its pool of 20.",
)
MAX_PROCESSES: Final = Limit(
    name="maxProcesses",
    default=ATLAS_PROCESSES,
    parse=number,
    why="Processes of a run; with MongoDB Atlas never more than the 4 that the guide allows, whatever is set here.",
)

# How a task or a cluster gets nodes that are not a pool's.
_PAST_POOLS: Final = ("nodeTypeId", "driverNodeTypeId", "policyId")
_WHY_POOL: Final = "nodes that are not a pool's are bounded by no pool's capacity"


def workers_on_pools(resource: Resource, _context: Context) -> Iterator[Finding]:
    """Every task runs on a job cluster, and every cluster on a pool; there is no other way to get nodes."""
    if resource.type == INTERACTIVE_CLUSTER:
        yield Finding(
            what=f"{resource.name} is a cluster of its own",
            why=_WHY_POOL,
            mend="have a job's task run on a job cluster",
            urn=resource.urn,
        )
        return
    for part in unknown_parts(resource):
        yield Finding(what=f"{part} of job {resource.name}", urn=resource.urn, later=True)
    described = entries(resource.properties, "jobClusters")
    keys = {text(entry, "jobClusterKey") for entry in described}
    wrong: dict[str, list[str]] = {}
    for task in tasks(resource):
        if at(task, "jobClusterKey") is UNKNOWN:
            what = f"the cluster of task {text(task, 'taskKey')} of job {resource.name}"
            yield Finding(what=what, urn=resource.urn, later=True)
        if problem := _task_problem(task, keys):
            wrong.setdefault(problem, []).append(text(task, "taskKey"))
    for problem, found in wrong.items():
        yield Finding(
            what=f"task {', '.join(found)} of job {resource.name} {problem}",
            why=_WHY_POOL,
            mend="give the task the key of a job cluster that names a pool, and nothing else to run on",
            urn=resource.urn,
        )
    for name in ("newCluster", "existingClusterId"):
        if not is_absent(at(resource.properties, name)):
            yield Finding(
                what=f"job {resource.name} sets {name} beside its tasks",
                why=_WHY_POOL,
                mend="describe the cluster among `jobClusters`, on a pool",
                urn=resource.urn,
            )
    empty = [text(entry, "jobClusterKey") for entry in described if is_absent(at(entry, "newCluster"))]
    yield from _cluster_findings(resource, empty)


def _task_problem(task: Any, keys: set[str]) -> str | None:
    nested = not is_absent(at(task, "forEachTask"))
    key = at(task, "jobClusterKey")
    for name in ("existingClusterId", "newCluster", "environmentKey"):
        if not is_absent(at(task, name)):
            return f"sets {name}, so it runs elsewhere than on a job cluster"
    if nested:  # it runs nothing itself; the task inside is looked at like any other
        return "repeats no task" if is_absent(at(task, "forEachTask", "task")) else None
    if is_absent(key):
        return "names no job cluster"
    return None if key in keys or key is UNKNOWN else f"runs on job cluster {key}, which the job does not have"


def _cluster_findings(job: Resource, empty: list[str]) -> Iterator[Finding]:
    """What is wrong with a job's clusters, each problem once; `empty` are the keys of those that describe none."""
    found = {"describes no cluster": empty} if empty else dict[str, list[str]]()
    for cluster in clusters(job):
        for problem in _cluster_problems(cluster):
            found.setdefault(problem, []).append(cluster.role)
    for problem, roles in found.items():
        yield Finding(
            what=f"cluster {', '.join(roles)} of job {job.name} {problem}",
            why=_WHY_POOL,
            mend=f"name the pool alone, as {setting(job, 'nodeType')} does",
            urn=job.urn,
        )


def _cluster_problems(cluster: Cluster) -> list[str]:
    pool, driver = (at(cluster.properties, name) for name in ("instancePoolId", "driverInstancePoolId"))
    problems = [f"sets {name}" for name in _PAST_POOLS if not is_absent(at(cluster.properties, name))]
    if is_absent(pool):
        problems.append("is on no pool")
    elif not is_absent(driver) and driver != pool:
        # Two that are both unknown count as one here: run-capacity tells them apart as far as a preview can.
        problems.append("has its driver on another pool than its workers")
    return problems


def worker_count(job: Resource, context: Context) -> Iterator[Finding]:
    """How many workers a run takes is set and within the limit, fixed or scaled."""

    def check(cluster: Cluster, context: Context) -> Iterator[Finding]:
        fixed = at(cluster.properties, "numWorkers")
        scaled = at(cluster.properties, "autoscale", "maxWorkers")
        # The program gives a cluster to register operators one worker, and no setting changes that.
        most = max(context[MAX_WORKERS], 1 if cluster.role == REGISTRATION else 0)
        for name, value in (("numWorkers", fixed), ("autoscale.maxWorkers", scaled)):
            other = scaled if name == "numWorkers" else fixed
            if value is ABSENT and (other is not ABSENT or name != "numWorkers"):
                continue
            yield from within(
                value,
                name=name,
                most=most,
                limit=f"worker-count.maxWorkers in {context.file}",
                why="each run takes that many instances of the pool, beside its driver's",
                mend=f"set {setting(job, 'workers')} within it",
            )

    yield from each_cluster(job, context, check)


def process_pool(job: Resource, context: Context) -> Iterator[Finding]:
    """How many processes a run may start is set, as a whole number, and within what the database takes."""
    atlas = context.settings.mongodb_atlas
    most = min(context[MAX_PROCESSES], ATLAS_PROCESSES) if atlas else context[MAX_PROCESSES]

    def check(cluster: Cluster, context: Context) -> Iterator[Finding]:
        value = at(cluster.properties, "sparkEnvVars", PROCESSES)
        digits = value.strip("'\"") if isinstance(value, str) else ""
        why = "beyond 4 processes MongoDB Atlas loses connections (guide, Additional Considerations)"
        yield from within(
            int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else value,
            name=PROCESSES,
            most=most,
            limit="MongoDB Atlas"
            if atlas and most == ATLAS_PROCESSES
            else f"process-pool.maxProcesses in {context.file}",
            why=why if atlas else "each process of a run is a client of the database",
            mend=f"set {setting(job, 'processPoolWorkers')} from 0 to {most}",
        )

    yield from each_cluster(job, context, check)


RULES: Final = (
    ResourceRule(
        name="workers-on-pools",
        says="Every task runs on a job cluster that is on a pool.",
        types=(JOB, INTERACTIVE_CLUSTER),
        check=workers_on_pools,
    ),
    ResourceRule(
        name="worker-count",
        says="The number of a run's workers is set and within the limit.",
        types=(JOB,),
        check=worker_count,
        limits=(MAX_WORKERS,),
    ),
    ResourceRule(
        name="process-pool",
        says="The number of processes that a run may start is set and within what the database takes.",
        types=(JOB,),
        check=process_pool,
        limits=(MAX_PROCESSES,),
    ),
)
