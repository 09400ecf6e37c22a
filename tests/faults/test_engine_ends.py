"""After an engine was killed or interrupted between any two steps, one `make up` ends right."""

from collections.abc import Callable

import pytest

from tests.faults.engine_ends import EngineEnd, ended_at
from tests.faults.matrix import Matrix
from tests.faults.sample import Sample
from tests.faults.steps import STEPS
from tests.faults.table import note

COLUMNS = list(EngineEnd)
STEPS_THAT_WRITE = [name for name, step in STEPS.items() if step.verb != "read"]


@pytest.mark.parametrize("step", STEPS_THAT_WRITE)
@pytest.mark.parametrize("end", COLUMNS, ids=lambda end: end.name.lower())
def test_one_make_up_after_an_engine_that_ended_ends_right(
    matrix: Matrix, sample: Sample, record_property: Callable[[str, object], None], step: str, end: EngineEnd
) -> None:
    column, stands = COLUMNS.index(end), STEPS[step]
    writes = [kind for kind in matrix.recording(stands).kinds if kind.writes]
    if not writes:
        pytest.skip("this step writes nothing of its own")
    note(record_property, [ended_at(matrix, stands, end, kind) for kind in sample.of(writes, column)])
