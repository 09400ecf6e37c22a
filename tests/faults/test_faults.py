"""After any fault of a request, one `make up` ends right: nothing double, nothing lost, no secret told."""

from collections.abc import Callable

import pytest

from tests.faults.matrix import ALONE, FaultClass, Matrix, kinds_for
from tests.faults.sample import Sample
from tests.faults.steps import STEPS
from tests.faults.table import note

COLUMNS = list(FaultClass)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", COLUMNS, ids=lambda fault: fault.name.lower())
def test_one_make_up_after_a_fault_ends_right(
    matrix: Matrix, sample: Sample, record_property: Callable[[str, object], None], step: str, fault: FaultClass
) -> None:
    column, stands = COLUMNS.index(fault), STEPS[step]
    kinds = kinds_for(fault, matrix.recording(stands))
    if not kinds:
        pytest.skip("this step makes no request that the class is for")
    if fault in ALONE:
        cells = [cell for kind in sample.of(kinds, column) for cell in matrix.met(stands, fault, [kind])]
    elif sample.whole:
        cells = list(matrix.together(stands, fault))
    else:
        cells = list(matrix.met(stands, fault, kinds))
    note(record_property, cells)
