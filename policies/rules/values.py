"""A resource's properties as plain data, and what a rule can meet in the place of a value.

Owns reading them: nested dictionaries, lists, texts and numbers, where a value may be absent, or unknown until the
update. Nothing here knows where they come from (pack/properties.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, cast


class Gap(Enum):
    """What stands where a value should."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Gap.ABSENT
UNKNOWN: Final = Gap.UNKNOWN

Properties = Mapping[str, Any]


def at(properties: Any, *path: str) -> Any:
    """The value at a path of names; a gap on the way is the answer."""
    value = properties
    for name in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = cast("Properties", value).get(name, ABSENT) if isinstance(value, Mapping) else ABSENT
    return ABSENT if value is None else value


def entries(properties: Any, *path: str) -> list[Properties]:
    """The entries of a list of objects; one that is absent or unknown has none."""
    return [cast("Properties", entry) for entry in _listed(properties, path) if isinstance(entry, Mapping)]


def texts(properties: Any, *path: str) -> list[str]:
    """The texts of a list of them."""
    return [entry for entry in _listed(properties, path) if isinstance(entry, str)]


def text(properties: Any, *path: str) -> str:
    """The text at a path of names; "" where there is none, or none yet."""
    found = at(properties, *path)
    return found if isinstance(found, str) else ""


def has_unknown(properties: Any, *path: str) -> bool:
    """Whether a list is unknown, or one of its entries."""
    return at(properties, *path) is UNKNOWN or UNKNOWN in _listed(properties, path)


def whole_number(value: Any) -> int | None:
    """The value as a whole number that is not below zero, or None; the engine's numbers are floats."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value % 1 != 0:
        return None
    return int(value)


def _listed(properties: Any, path: Sequence[str]) -> Iterator[Any]:
    found = at(properties, *path)
    if isinstance(found, Sequence) and not isinstance(found, str):
        yield from cast("Sequence[Any]", found)
