"""Rules on what clusters and pools are to each other: what a pool preloads, and pools that the stack does not make."""

from collections.abc import Iterator, Sequence
from typing import Final

from rules.clusters import JOB, POOL, REGISTRATION, Cluster, job_clusters, made_pool, setting
from rules.model import Context, Finding, Limit, Resource, StackRule
from rules.parse import ExistingPool, existing_pools
from rules.pools import MAX_CAPACITY, NODE_TYPES, gpu_problem
from rules.values import ABSENT, at, entries, text, texts

EXISTING_POOLS: Final = Limit(
    name="pools",
    default=tuple[ExistingPool, ...](),
    parse=existing_pools,
    why="Pools that the stack may use without making them, with what no preview can see of them.",
)


_NOT_KNOWN: Final = "(its id is not known yet)"


def pool_preload(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """Each pool that the stack makes preloads the runtime and the image of the clusters on it."""
    for job, cluster in job_clusters(resources):
        pool = made_pool(job, cluster)
        if pool is None:
            continue
        runtime, image = text(cluster.properties, "sparkVersion"), text(cluster.properties, "dockerImage", "url")
        images = [text(entry, "url") for entry in entries(pool.properties, "preloadedDockerImages")]
        for found, preloaded in (
            (runtime, texts(pool.properties, "preloadedSparkVersions")),
            (image, images),
        ):
            if found and found not in preloaded:
                yield Finding(
                    what=f"pool {pool.name} preloads {', '.join(preloaded) or 'nothing'}, and cluster {cluster.role} "
                    f"of job {job.name} runs {found}",
                    why="each new instance would download it first, within the 30 minutes that FiftyOne waits for a "
                    "run to start",
                    mend=f"let pool and cluster take the same {setting(job, 'sparkVersion')} or "
                    f"{setting(job, 'containerImage')}",
                    urn=pool.urn,
                )


def existing_pool(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """A pool that the stack uses and does not make is stated in the limits, and keeps to what a made one keeps to."""
    stated = {pool.id: pool for pool in context[EXISTING_POOLS]}
    uses: dict[str, list[tuple[Resource, Cluster]]] = {}
    for job, cluster in job_clusters(resources):
        pool_id = at(cluster.properties, "instancePoolId")
        if made_pool(job, cluster) is None and pool_id is not ABSENT and pool_id != "":
            uses.setdefault(pool_id if isinstance(pool_id, str) else _NOT_KNOWN, []).append((job, cluster))
    for pool_id, used in uses.items():
        keys = " and ".join(dict.fromkeys(_key(job, cluster) for job, cluster in used))
        if pool_id in stated:
            yield from _stated_problems(stated[pool_id], used, keys, context)
            continue
        places = ", ".join(f"{job.name} ({cluster.role})" for job, cluster in used)
        yield Finding(
            what=f"job {places} is on pool {pool_id}, which this stack does not make and existing-pool.pools in "
            f"{context.file} does not state",
            why="no preview sees its capacity and node type, so no other limit could hold",
            mend=f"state id, capacity and node type there, or have the stack make a pool in place of {keys}",
            urn=used[0][0].urn,
        )


def _stated_problems(
    pool: ExistingPool, used: Sequence[tuple[Resource, Cluster]], keys: str, context: Context
) -> Iterator[Finding]:
    if pool.node_type not in context[NODE_TYPES]:
        yield Finding(
            what=f"pool {pool.id} is stated to be of node type {pool.node_type}, which is not in "
            "pool-node-type.nodeTypes",
            why="a node type decides on the price of every run",
            mend=f"name another pool as {keys}, or change the list in {context.file}",
        )
    if pool.capacity > context[MAX_CAPACITY]:
        yield Finding(
            what=f"pool {pool.id} is stated to hold {pool.capacity}, above the limit of {context[MAX_CAPACITY]} "
            f"(pool-capacity.maxCapacity in {context.file})",
            why="a pool that exists is paid for like one that the stack makes",
            mend=f"name another pool as {keys}, or change the limit",
            urn=used[0][0].urn,
        )
    if registering := [_key(job, cluster) for job, cluster in used if cluster.role == REGISTRATION]:
        yield from gpu_problem(pool.node_type, f"pool {pool.id}", " and ".join(registering), context, "")


def _key(job: Resource, cluster: Cluster) -> str:
    return setting(job, "registrationPool" if cluster.role == REGISTRATION else "pool")


RULES: Final = (
    StackRule(
        name="pool-preload",
        says="A pool preloads the runtime and the container image of the clusters on it.",
        types=(POOL,),
        check=pool_preload,
    ),
    StackRule(
        name="existing-pool",
        says="A pool that the stack uses and does not make is stated in the limits.",
        types=(JOB,),
        check=existing_pool,
        limits=(EXISTING_POOLS,),
    ),
)
