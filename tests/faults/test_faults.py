"""After any fault of a request, one `make up` ends right: nothing double, nothing lost, no secret told."""

from collections.abc import Callable

import pytest

from tests.faults.matrix import FaultClass, Matrix, kinds_for, may_leave
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
    leaving = [kind for kind in kinds if may_leave(fault, kind)]
    others = [kind for kind in kinds if kind not in leaving]
    cells = list(matrix.apart(stands, fault, sample.of(leaving, column)))
    if others:
        cells += (matrix.together if sample.whole else matrix.met)(stands, fault, others)
    note(record_property, cells)
