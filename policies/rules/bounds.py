"""A number held against its bounds: absent is a violation, unknown is left to the update."""

from collections.abc import Iterator
from typing import Any

from rules.model import Finding
from rules.values import ABSENT, UNKNOWN, whole_number


def within(
    value: Any, *, name: str, most: int, least: int = 0, limit: str, why: str, mend: str, urn: str = ""
) -> Iterator[Finding]:
    """What is wrong with a number.

    Args:
        value: the number, or a gap.
        name: what it is, for people.
        most: the highest that is allowed.
        least: the lowest.
        limit: where the bound that is broken comes from.
        why: why there is one.
        mend: which setting to change.
        urn: the resource.
    """
    if value is UNKNOWN:
        yield Finding(what=name, urn=urn, later=True)
        return
    found = whole_number(value)
    if value is ABSENT:
        what = f"{name} is not set"
    elif found is None:
        what = f"{name} is no whole number"
    elif found > most:
        what = f"{name} is {found}, above the limit of {most} ({limit})"
    elif found < least:
        what = f"{name} is {found}, below the limit of {least} ({limit})"
    else:
        return
    yield Finding(what=what, why=why, mend=mend, urn=urn)
