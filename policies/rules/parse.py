"""What a limits file may hold, kind by kind: each function returns the limit, or raises ValueError.

The text of the error ends a sentence: "pool-capacity.maxCapacity must be …".
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from packaging.version import InvalidVersion, Version

_POOLS = 'a list of pools, each as {"id": "…", "capacity": 20, "nodeType": "…"}'


@dataclass(frozen=True, kw_only=True)
class ExistingPool:
    """An instance pool that the stack uses and does not make."""

    id: str
    capacity: int
    node_type: str


def number(value: object) -> int:
    """A whole number, zero or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number, zero or more")
    return value


def names(value: object) -> tuple[str, ...]:
    """A list of texts."""
    found = cast("list[Any]", value) if isinstance(value, list) else list[Any]()
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in found):
        raise ValueError("a list of texts")
    return tuple(found)


def version(value: object) -> str:
    """A version, as pip reads it."""
    try:
        return str(Version(value)) if isinstance(value, str) else str(Version(""))
    except InvalidVersion:
        raise ValueError('a version in quotes, such as "4.13.0.90"') from None


def existing_pools(value: object) -> tuple[ExistingPool, ...]:
    """A list of pools, each with id, capacity and node type, and each once."""
    if not isinstance(value, list):
        raise ValueError(_POOLS)
    pools = tuple(_pool(entry) for entry in cast("list[Any]", value))
    if len({pool.id for pool in pools}) < len(pools):
        raise ValueError("a list of pools, each of them once")
    return pools


def _pool(entry: Any) -> ExistingPool:
    match entry:
        case {"id": str(found), "capacity": int(capacity), "nodeType": str(node_type), **rest} if (
            not rest
            and not isinstance(capacity, bool)
            and capacity > 0
            and all(re.fullmatch(r"\S+", text) for text in (found, node_type))
        ):
            return ExistingPool(id=found, capacity=capacity, node_type=node_type)
        case _:
            raise ValueError(_POOLS)
