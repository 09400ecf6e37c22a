"""How much of the matrix is run: all of it, or the cut that `make test` has room for.

The cut is the same each time. Each class of fault meets one step, 503 `read` too, and there as many requests as one run
can meet: one where each needs a run of its own, taken further on for each class, so that between them they go through
the resources.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.faults.engine_ends import EngineEnd
from tests.faults.matrix import FaultClass
from tests.faults.requests import Kind

# The steps that have something of all resources, which take turns; the others are about one or a few.
WRITING = ("create", "update", "delete")
READING = (FaultClass.UNAVAILABLE,)
# How much further on the next class is put.
STRIDE = 3


@dataclass(frozen=True)
class Sample:
    whole: bool

    def takes(self, test: pytest.Function) -> bool:
        """Whether a test is in it; those of a class in a step have both as parameters."""
        given = test.callspec.params if hasattr(test, "callspec") else {}
        fault, step = given.get("fault") or given.get("end"), given.get("step")
        if self.whole or not isinstance(fault, FaultClass | EngineEnd):
            return True
        column = list(type(fault)).index(fault)
        return step == WRITING[column % len(WRITING)] or (step == "read" and fault in READING)

    def of(self, items: Sequence[Kind], column: int) -> list[Kind]:
        """Those that have a run of their own."""
        return list(items) if self.whole or not items else [sorted(items)[column * STRIDE % len(items)]]
