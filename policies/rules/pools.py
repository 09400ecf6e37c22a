"""Rules on the instance pools that the stack makes: how large, how long idle, and of which node types.

Numbers come from the guide, "Create Instance Pool"; where it gives none, the limit says what it was derived from.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from rules.bounds import within
from rules.clusters import POOL, REGISTRATION
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import names, number
from rules.values import ABSENT, UNKNOWN, at, whole_number

MAX_CAPACITY: Final = Limit(
    name="maxCapacity", default=20, parse=number, why="Instances of one pool; the guide's pool holds 20."
)
STACK_CAPACITY: Final = Limit(
    name="maxCapacity",
    default=40,
    parse=number,
    why="Instances of all pools that the stack makes, together: twice the guide's one pool.",
)
MIN_IDLE: Final = Limit(
    name="minIdleInstances",
    default=0,
    parse=number,
    why="Instances that are paid for day and night; the guide keeps none.",
)
IDLE_LEAST: Final = Limit(
    name="minIdleMinutes",
    default=5,
    parse=number,
    why="Minutes an idle instance is kept at least, so that the next run finds it; a third of the guide's 15.",
)
IDLE_MOST: Final = Limit(
    name="maxIdleMinutes",
    default=30,
    parse=number,
    why="Minutes an idle instance is paid for at most; twice the guide's 15.",
)
NODE_TYPES: Final = Limit(
    name="nodeTypes",
    default=("c3-standard-4-lssd", "c3-standard-8-lssd", "g2-standard-8"),
    parse=names,
    why="Node types that may be bought: the guide's, the next size of it, and its smallest kind with a GPU.",
)
GPU_AWS: Final = Limit(
    name="gpuAws",
    default=(
        *("g3.", "g3s.", "g4ad.", "g4dn.", "g5.", "g6.", "g6e.", "gr6."),
        *("p2.", "p3.", "p3dn.", "p4d.", "p4de.", "p5.", "p5e.", "p5en.", "p6-"),
    ),
    parse=names,
    why="How AWS' node types with a GPU begin; what is named here comes beside the default.",
)
GPU_AZURE: Final = Limit(
    name="gpuAzure",
    default=("Standard_NC", "Standard_ND", "Standard_NV"),
    parse=names,
    why="How Azure's node types with a GPU begin; what is named here comes beside the default.",
)
GPU_GCP: Final = Limit(
    name="gpuGcp",
    default=("a2-", "a3-", "a4-", "g2-", "g4-"),
    parse=names,
    why="How Google Cloud's node types with a GPU begin; what is named here comes beside the default.",
)
_PAID = "a pool's instances are paid for whether or not a run needs them"


def pool_capacity(pool: Resource, context: Context) -> Iterator[Finding]:
    """One pool: a capacity, within the limit."""
    name = "registrationMaxCapacity" if _registers(pool) else "maxCapacity"
    yield from within(
        at(pool.properties, "maxCapacity"),
        name=f"maxCapacity of pool {pool.name}",
        least=1,
        most=context[MAX_CAPACITY],
        limit=f"pool-capacity.maxCapacity in {context.file}",
        why="without a ceiling a pool grows with every run that is started",
        mend=f"set {_setting(pool, name)} within it",
        urn=pool.urn,
    )


def pool_idle(pool: Resource, context: Context) -> Iterator[Finding]:
    """One pool: few instances kept while idle, and for how long."""
    yield from within(
        at(pool.properties, "minIdleInstances"),
        name=f"minIdleInstances of pool {pool.name}",
        most=context[MIN_IDLE],
        limit=f"pool-idle.minIdleInstances in {context.file}",
        why=_PAID,
        mend=f"lower {_setting(pool, 'minIdleInstances')}",
        urn=pool.urn,
    )
    yield from within(
        at(pool.properties, "idleInstanceAutoterminationMinutes"),
        name=f"idleInstanceAutoterminationMinutes of pool {pool.name}",
        least=context[IDLE_LEAST],
        most=context[IDLE_MOST],
        limit=f"pool-idle.minIdleMinutes and maxIdleMinutes in {context.file}",
        why=f"{_PAID}; let go at once, they make each run wait for new ones",
        mend=f"set {_setting(pool, 'idleMinutes')} between the two",
        urn=pool.urn,
    )


def pool_node_type(pool: Resource, context: Context) -> Iterator[Finding]:
    """One pool: its node type is on the list, and has no GPU where operators are registered."""
    node_type, name = (
        at(pool.properties, "nodeTypeId"),
        "registrationNodeType" if _registers(pool) else "nodeType",
    )
    if node_type is UNKNOWN:
        yield Finding(what=f"the node type of pool {pool.name}", urn=pool.urn, later=True)
        return
    if node_type is ABSENT:
        what = f"pool {pool.name} names no node type"
    elif node_type not in context[NODE_TYPES]:
        what = f"pool {pool.name} is of node type {node_type}, which is not in pool-node-type.nodeTypes"
    else:
        what = ""
    if what:
        allowed = ", ".join(context[NODE_TYPES])
        yield Finding(
            what=what,
            why=f"a node type decides on the price of every run; allowed are {allowed}",
            mend=f"change {_setting(pool, name)}, or the list in {context.file}",
            urn=pool.urn,
        )
    if _registers(pool) and isinstance(node_type, str):
        yield from gpu_problem(node_type, f"registration pool {pool.name}", _setting(pool, name), context, pool.urn)


def stack_capacity(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """All pools that the stack makes: their capacities together; one that is absent is pool-capacity's to say."""
    pools = of_type(resources, POOL)
    # By urn: a name is unique among the resources of one parent type alone.
    capacities = {pool.urn: whole_number(at(pool.properties, "maxCapacity")) or 0 for pool in pools}
    if sum(capacities.values()) > context[STACK_CAPACITY]:
        called = {pool.urn: pool.name for pool in pools}
        parts = ", ".join(sorted(f"{called[urn]} {capacity}" for urn, capacity in capacities.items()))
        yield Finding(
            what=f"the stack's pools may hold {sum(capacities.values())} instances together ({parts}), above the limit "
            f"of {context[STACK_CAPACITY]} (stack-capacity.maxCapacity in {context.file})",
            why="it is the sum that is paid for when all orchestrators are busy",
            mend="lower `maxCapacity` or `registrationMaxCapacity` of an orchestrator",
        )


def gpu_problem(node_type: str, where: str, key: str, context: Context, urn: str) -> Iterator[Finding]:
    """What is wrong with a node type to register operators on."""
    # A limits file adds to these: a list that is empty, or forgets a kind, must not switch the rule off.
    kinds = [prefix for limit in (GPU_AWS, GPU_AZURE, GPU_GCP) for prefix in (*limit.default, *context[limit])]
    if node_type.startswith(tuple(kinds)):
        yield Finding(
            what=f"{where} is of node type {node_type}, which has a GPU",
            why="registering operators needs none, and a second pool is there to save it (guide, Optional "
            "Registration Instance Pool)",
            mend=f"name a cheap node type by {key}",
            urn=urn,
        )


def _registers(pool: Resource) -> bool:
    return pool.name.endswith(f"-{REGISTRATION}")


def _setting(pool: Resource, name: str) -> str:
    return f"`orchestrators.{pool.name.rpartition('-')[0]}.{name}`"


RULES: Final = (
    ResourceRule(
        name="pool-capacity",
        says="A pool's capacity is set and within the limit.",
        types=(POOL,),
        check=pool_capacity,
        limits=(MAX_CAPACITY,),
    ),
    ResourceRule(
        name="pool-idle",
        says="A pool keeps few instances while idle, and lets the others go in time.",
        types=(POOL,),
        check=pool_idle,
        limits=(MIN_IDLE, IDLE_LEAST, IDLE_MOST),
    ),
    ResourceRule(
        name="pool-node-type",
        says="A pool's node type is on the list, and has no GPU where operators are registered.",
        types=(POOL,),
        check=pool_node_type,
        limits=(NODE_TYPES, GPU_AWS, GPU_AZURE, GPU_GCP),
    ),
    StackRule(
        name="stack-capacity",
        says="The capacities of all pools that the stack makes are within a ceiling together.",
        types=(POOL,),
        check=stack_capacity,
        limits=(STACK_CAPACITY,),
    ),
)
