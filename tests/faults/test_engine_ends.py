"""After an engine was killed or interrupted at any type of resource, one `make up` ends right."""

from collections.abc import Callable

import pytest

from tests.faults.engine_ends import EngineEnd, ended_at
from tests.faults.matrix import Matrix, writes
from tests.faults.sample import Sample
from tests.faults.steps import STEPS
from tests.faults.table import note

COLUMNS = list(EngineEnd)
# Of the others, `read` writes nothing, and neither does whoever is asked for in `name`.
STEPS_THAT_WRITE = ["create", "update", "move", "register", "delete"]


@pytest.mark.parametrize("step", STEPS_THAT_WRITE)
@pytest.mark.parametrize("end", COLUMNS, ids=lambda end: end.name.lower())
def test_one_make_up_after_an_engine_that_ended_ends_right(
    matrix: Matrix, sample: Sample, record_property: Callable[[str, object], None], step: str, end: EngineEnd
) -> None:
    column, stands = COLUMNS.index(end), STEPS[step]
    # After the act is where something may be left; an engine that ends otherwise has fewer places.
    kinds = sorted(writes(matrix.recording(stands)))
    kinds = kinds if end is EngineEnd.KILLED_AFTER else kinds[column % len(kinds) :: 6]
    note(record_property, [ended_at(matrix, stands, end, kind) for kind in sample.of(kinds, column)])
