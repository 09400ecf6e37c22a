"""Rules on pools, at, below and above each limit, with the value missing and unknown."""

from typing import Any

import pytest

from rules.model import Limit, Resource
from rules.parse import ExistingPool
from rules.pool_use import EXISTING_POOLS
from rules.pools import (
    GPU_AWS,
    GPU_AZURE,
    GPU_GCP,
    IDLE_LEAST,
    IDLE_MOST,
    MAX_CAPACITY,
    MIN_IDLE,
    NODE_TYPES,
    STACK_CAPACITY,
)
from rules.values import UNKNOWN
from tests.policies.cases import REMOVED, accepts, cluster, job, leaves, pool, refuses

STATED = {EXISTING_POOLS: (ExistingPool(id="pool-9", capacity=10, node_type="g2-standard-8"),)}
CHEAP = {EXISTING_POOLS: (ExistingPool(id="pool-9", capacity=10, node_type="c3-standard-4-lssd"),)}


def test_a_capacity_is_within_its_limit() -> None:
    assert accepts("pool-capacity", pool(maxCapacity=20.0))
    assert accepts("pool-capacity", pool(maxCapacity=19.0))
    message = refuses("pool-capacity", pool(maxCapacity=21.0))
    assert "gpu-execution is 21, above the limit of 20 (pool-capacity.maxCapacity in policies/limits/dev" in message
    assert "`orchestrators.gpu.maxCapacity`" in message
    assert "registrationMaxCapacity" in refuses("pool-capacity", pool("registration", maxCapacity=21.0))
    assert accepts("pool-capacity", pool(maxCapacity=21.0), limits={MAX_CAPACITY: 21})


def test_a_capacity_is_there_and_a_number() -> None:
    assert "is not set" in refuses("pool-capacity", pool(maxCapacity=REMOVED))
    assert "below the limit of 1" in refuses("pool-capacity", pool(maxCapacity=0.0))
    assert "no whole number" in refuses("pool-capacity", pool(maxCapacity="many"))
    assert "checked at update" in leaves("pool-capacity", pool(maxCapacity=UNKNOWN))


def test_few_instances_are_kept_idle() -> None:
    assert accepts("pool-idle", pool(minIdleInstances=0.0))
    assert "is 1, above the limit of 0" in refuses("pool-idle", pool(minIdleInstances=1.0))
    assert accepts("pool-idle", pool(minIdleInstances=2.0), limits={MIN_IDLE: 2})
    assert "is 3," in refuses("pool-idle", pool(minIdleInstances=3.0), limits={MIN_IDLE: 2})
    assert "not set" in refuses("pool-idle", pool(minIdleInstances=REMOVED))
    assert leaves("pool-idle", pool(minIdleInstances=UNKNOWN))


def kept(minutes: Any) -> Resource:
    return pool(idleInstanceAutoterminationMinutes=minutes)


def test_idle_instances_are_let_go_in_time() -> None:
    for minutes in (5.0, 6.0, 29.0, 30.0):
        assert accepts("pool-idle", kept(minutes))
    assert "is 31, above" in refuses("pool-idle", kept(31.0))
    assert "is 4, below" in refuses("pool-idle", kept(4.0))
    assert accepts("pool-idle", kept(60.0), limits={IDLE_MOST: 60})
    assert accepts("pool-idle", kept(0.0), limits={IDLE_LEAST: 0})
    assert "`orchestrators.gpu.idleMinutes`" in refuses("pool-idle", kept(REMOVED))
    assert leaves("pool-idle", kept(UNKNOWN))


def test_a_node_type_is_on_the_list() -> None:
    assert accepts("pool-node-type", pool(nodeTypeId="g2-standard-8"))
    message = refuses("pool-node-type", pool(nodeTypeId="g2-standard-96"))
    assert "g2-standard-96, which is not in pool-node-type.nodeTypes" in message
    assert accepts("pool-node-type", pool(nodeTypeId="g2-standard-96"), limits={NODE_TYPES: ("g2-standard-96",)})
    assert "names no node type" in refuses("pool-node-type", pool(nodeTypeId=REMOVED))
    assert leaves("pool-node-type", pool(nodeTypeId=UNKNOWN))


@pytest.mark.parametrize(
    "node_type",
    [
        *("g2-standard-8", "g5.xlarge", "Standard_NC4as_T4_v3", "a2-highgpu-1g", "p4d.24x"),
        *("p2.xlarge", "g3.4xlarge", "g3s.xlarge", "g4ad.xlarge", "gr6.4xlarge", "p5en.48xlarge", "p6-b200.48xlarge"),
    ],
)
def test_no_gpu_registers_operators(node_type: str) -> None:
    limits = {NODE_TYPES: (node_type,)}
    assert accepts("pool-node-type", pool(nodeTypeId=node_type), limits=limits)
    none: dict[Limit[Any], Any] = {GPU_AWS: (), GPU_AZURE: (), GPU_GCP: ()}  # a limits file takes no default away
    assert refuses("pool-node-type", pool("registration", nodeTypeId=node_type), limits={**limits, **none})
    message = refuses("pool-node-type", pool("registration", nodeTypeId=node_type), limits=limits)
    assert "which has a GPU" in message
    assert "`orchestrators.gpu.registrationNodeType`" in message


def test_a_stack_may_name_more_kinds_with_a_gpu() -> None:
    limits: dict[Limit[Any], Any] = {NODE_TYPES: ("x9.large",), GPU_AWS: ("x9.",)}
    assert "has a GPU" in refuses("pool-node-type", pool("registration", nodeTypeId="x9.large"), limits=limits)


def test_the_capacities_of_a_stack_are_within_their_ceiling() -> None:
    pools = [pool(maxCapacity=20.0), pool("registration", maxCapacity=20.0)]
    assert accepts("stack-capacity", *pools)
    assert accepts("stack-capacity", *pools, limits={STACK_CAPACITY: 41})
    message = refuses("stack-capacity", *pools, limits={STACK_CAPACITY: 39})
    assert "40 instances together (gpu-execution 20, gpu-registration 20), above the limit of 39" in message
    assert accepts("stack-capacity", pool(maxCapacity=REMOVED), pool(maxCapacity=UNKNOWN))
    alike = [Resource(type=one.type, name="same", urn=one.urn, properties=one.properties) for one in pools]
    assert "(same 20, same 20)" in refuses("stack-capacity", *alike, limits={STACK_CAPACITY: 39})


def test_a_pool_preloads_what_its_clusters_run() -> None:
    assert accepts("pool-preload", job())
    other = pool(preloadedSparkVersions=["15.4.x-scala2.12"])
    message = refuses("pool-preload", job(pools=[other, pool("registration")]))
    assert "preloads 15.4.x-scala2.12" in message
    assert "runs 16.4.x-scala2.13" in message
    none = pool(preloadedSparkVersions=REMOVED)
    assert "preloads nothing" in refuses("pool-preload", job(pools=[none, pool("registration")]))


def test_a_pool_preloads_the_image_of_its_clusters() -> None:
    image = {"dockerImage": {"url": "registry.example.com/a/b:1"}}
    with_image = pool(preloadedDockerImages=[image["dockerImage"]])
    assert accepts("pool-preload", job(execution=image, pools=[with_image, pool("registration")]))
    assert "runs registry.example.com/a/b:1" in refuses("pool-preload", job(execution=image))


def test_a_pool_that_exists_is_stated_in_the_limits() -> None:
    on = {"instancePoolId": "pool-9", "driverInstancePoolId": "pool-9"}
    used = job(execution=on, pools=[pool("registration")])
    message = refuses("existing-pool", used)
    assert "is on pool pool-9, which this stack does not make" in message
    assert "`orchestrators.gpu.pool`" in message
    assert accepts("existing-pool", used, limits=STATED)
    assert "not in pool-node-type" in refuses("existing-pool", used, limits={**STATED, NODE_TYPES: ("m5.large",)})
    assert accepts("existing-pool", used, limits={**STATED, MAX_CAPACITY: 10})
    message = refuses("existing-pool", used, limits={**STATED, MAX_CAPACITY: 9})
    assert "stated to hold 10, above the limit of 9 (pool-capacity.maxCapacity in policies/limits/dev.json)" in message


def test_a_pool_that_exists_registers_without_a_gpu() -> None:
    used = job(registration={"instancePoolId": "pool-9"}, pools=[pool()])
    assert accepts("existing-pool", used, limits=CHEAP)
    message = refuses("existing-pool", used, limits=STATED)
    assert "which has a GPU" in message
    assert "`orchestrators.gpu.registrationPool`" in message


def test_a_pool_of_the_stacks_own_needs_no_statement_known_or_unknown() -> None:
    assert accepts("existing-pool", job())
    made = [pool(id="pool-1"), pool("registration", id="pool-2")]
    known = job(execution={"instancePoolId": "pool-1"}, registration={"instancePoolId": "pool-2"}, pools=made)
    assert accepts("existing-pool", known)
    foreign = job(execution={"instancePoolId": "pool-3"}, registration={"instancePoolId": "pool-2"}, pools=made)
    assert "pool pool-3" in refuses("existing-pool", foreign)


def test_a_pool_that_cannot_be_told_is_refused_at_the_first_preview() -> None:
    assert "its id is not known yet" in refuses("existing-pool", job(pools=[pool("registration")]))
    elsewhere = job(jobClusters=[{"jobClusterKey": "other", "newCluster": cluster()}])
    assert "gpu (other)" in refuses("existing-pool", elsewhere)
