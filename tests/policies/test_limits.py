"""A stack's limits file: what it may say, and what keeps the pack from starting, in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from pack.limits import LIMITS, read_limits
from pack.refusal import PackRefusedError
from rules.catalogue import RULES
from rules.parse import ExistingPool
from rules.pool_use import EXISTING_POOLS
from rules.pools import MAX_CAPACITY, NODE_TYPES
from tests.policies.cases import accepts, pool

POOL = {"id": "pool-9", "capacity": 20, "nodeType": "c3-standard-4-lssd"}


def read(folder: Path, content: Any) -> dict[Any, Any]:
    (folder / "dev.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return read_limits("dev", RULES, folder)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_limits("any-stack.of_mine", RULES, tmp_path) == {}
    assert read(tmp_path, {}) == {}


def test_a_file_sets_what_it_names_and_no_more(tmp_path: Path) -> None:
    stated = {"id": "pool-9", "capacity": 10, "nodeType": "g2-standard-8"}
    content = {
        "pool-capacity": {"maxCapacity": 21},
        "pool-node-type": {"nodeTypes": ["m5.large"]},
        "existing-pool": {"pools": [stated]},
    }
    found = read(tmp_path, content)
    assert found == {
        MAX_CAPACITY: 21,
        NODE_TYPES: ("m5.large",),
        EXISTING_POOLS: (ExistingPool(id="pool-9", capacity=10, node_type="g2-standard-8"),),
    }
    assert accepts("pool-capacity", pool(maxCapacity=21.0), limits=found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"pool-capacty": {"maxCapacity": 1}}, "names pool-capacty, which is no rule; did you mean pool-capacity?"),
        (
            {"pool-capacity": {"maxCapacty": 1}},
            "pool-capacity.maxCapacty, which is no limit; did you mean maxCapacity?",
        ),
        ({"job-queue": {"enabled": False}}, "job-queue.enabled, which is no limit; there are none"),
        ({"pool-capacity": {"maxCapacity": "40"}}, "pool-capacity.maxCapacity must be a whole number, zero or more"),
        ({"pool-capacity": {"maxCapacity": 40.5}}, "must be a whole number"),
        ({"pool-capacity": {"maxCapacity": -1}}, "must be a whole number"),
        ({"pool-capacity": {"maxCapacity": True}}, "must be a whole number"),
        ({"pool-capacity": {"maxCapacity": None}}, "must be a whole number"),
        ({"pool-node-type": {"nodeTypes": "m5.large"}}, "pool-node-type.nodeTypes must be a list of texts"),
        ({"pool-node-type": {"nodeTypes": [1]}}, "must be a list of texts"),
        ({"requirements": {"opencvBelow": 4.13}}, "requirements.opencvBelow must be a version in quotes"),
        ({"requirements": {"opencvBelow": "none"}}, "must be a version in quotes"),
        ({"existing-pool": {"pools": [{"id": "pool-9"}]}}, "existing-pool.pools must be a list of pools"),
        ({"existing-pool": {"pools": POOL}}, "must be a list of pools"),
        ({"existing-pool": {"pools": [{**POOL, "capacity": 0}]}}, "must be a list of pools"),
        ({"existing-pool": {"pools": [{**POOL, "nodeType": ""}]}}, "must be a list of pools"),
        ({"existing-pool": {"pools": [POOL, {**POOL, "capacity": 9}]}}, "must be a list of pools, each of them once"),
        ("[" * 100_000, "nested too deep"),
        ({"pool-capacity": "advisory"}, "sets pool-capacity to a level, and every rule is mandatory"),
        (
            {"pool-capacity": {"enforcementLevel": "advisory"}},
            "pool-capacity.enforcementLevel, and every rule is manda",
        ),
        ({"all": "disabled"}, "sets all to a level, and every rule is mandatory"),
        ({"all": {"enforcementLevel": "advisory"}}, "sets all to a level"),
        ({"checked-at-update": {}}, "names checked-at-update, which is no rule"),
        ({"pool-capacity": 40}, "pool-capacity must be an object"),
        ([], "the file must be an object"),
        ("{", "is not readable JSON"),
        ('{"job-queue": {}, "job-queue": {}}', "a name stands twice in one object"),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, content: Any, expected: str) -> None:
    with pytest.raises(PackRefusedError) as refused:
        read(tmp_path, content)
    assert expected in str(refused.value)
    assert "dev.json" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_stands_in_the_files_place_and_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    for stack in ("folder", "link", "../limits/prod", "a/b"):
        with pytest.raises(PackRefusedError):
            read_limits(stack, RULES, tmp_path)


@pytest.mark.parametrize("file", sorted(LIMITS.glob("*.json")), ids=lambda file: file.stem)
def test_each_limits_file_belongs_to_a_stack_file(file: Path) -> None:
    assert (LIMITS.parent.parent / f"Pulumi.{file.stem}.yaml").is_file()


@pytest.mark.parametrize("file", sorted(LIMITS.glob("*.json")), ids=lambda file: file.stem)
def test_the_files_of_this_repository_are_read(file: Path) -> None:
    assert read_limits(file.stem, RULES)
