"""A registration went wrong and FiftyOne stayed away, and the change is taken back in the settings: as it was before.

In Databricks what was begun for a change that was taken back is found only where settings still lead to it
(docs/recovery.md).
"""

from collections.abc import Callable

import pytest

from tests.faults.matrix import FaultClass, Matrix, cell, kinds_for
from tests.faults.steps import DEPLOYED, TAKEN_BACK
from tests.faults.table import note


@pytest.mark.parametrize("step", TAKEN_BACK)
@pytest.mark.parametrize("fault", [FaultClass.RESET, FaultClass.GONE], ids=lambda fault: fault.name.lower())
def test_a_change_that_went_wrong_and_is_taken_back_ends_where_it_began(
    matrix: Matrix, record_property: Callable[[str, object], None], step: str, fault: FaultClass
) -> None:
    stands, cells = TAKEN_BACK[step], []
    for kind in kinds_for(FaultClass.GONE, matrix.recording(stands)):
        stands.begin(matrix.world)
        run, reached = matrix.fault(stands, fault, [kind])
        matrix.world.aim(DEPLOYED)
        wrong = matrix.wrong_after(stands, run, wanted=matrix.start_of(stands))
        wrong += [] if reached else ["the request was not made again"]
        cells.append(cell(stands, kind, f"{fault.value}, taken back", wrong))
    note(record_property, cells)
