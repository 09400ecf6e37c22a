"""How much of the matrix is run: all of it, or the cut that `make test` has room for.

The cut is the same each time. Each class of fault meets one step, and there one run's worth of requests: all that one
run can meet together, or two where each needs a run of its own, taken further on for each class, so that between them
the classes go through the resources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import pytest

from tests.faults.matrix import FaultClass

T = TypeVar("T")
# The steps that have something of all resources, which take turns; the others are about one or a few.
WRITING = ("create", "update", "delete")
READING = (FaultClass.UNAVAILABLE,)
AT_MOST = 2


@dataclass(frozen=True)
class Sample:
    whole: bool

    def takes(self, test: pytest.Function) -> bool:
        """Whether a test is in it; those of a class in a step have both as parameters."""
        given = test.callspec.params if hasattr(test, "callspec") else {}
        fault, step = given.get("fault") or given.get("end"), given.get("step")
        if self.whole or not isinstance(fault, Enum):
            return True
        column = list(type(fault)).index(fault)
        return step == WRITING[column % len(WRITING)] or (step == "read" and fault in READING)

    def of(self, items: Sequence[T], column: int) -> list[T]:
        """Those that have a run of their own."""
        if self.whole or len(items) <= AT_MOST:
            return list(items)
        start = column * AT_MOST * 3
        return [items[(start + place * len(items) // AT_MOST) % len(items)] for place in range(AT_MOST)]
