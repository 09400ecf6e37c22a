"""Two `up` at once: one of them is refused, and after both everything is as after one."""

from collections.abc import Callable

import pytest

from recovery.dead_runs import end_processes
from tests.engine.stack import Run
from tests.faults.engine_ends import Held
from tests.faults.matrix import Matrix, cell
from tests.faults.sample import Sample
from tests.faults.steps import STEPS
from tests.faults.table import note


@pytest.mark.parametrize("step", ["create", "update"])
def test_one_make_up_after_two_at_once_ends_right(
    matrix: Matrix, sample: Sample, record_property: Callable[[str, object], None], step: str
) -> None:
    stands, cells = STEPS[step], []
    writes = [kind for kind in matrix.recording(stands).kinds if kind.writes]
    # The second is refused wherever the first one is, so that a few places tell.
    for kind in writes[:: len(writes) // (3 if sample.whole else 1)]:
        stands.begin(matrix.world)
        held = Held(matrix.world.proxy, stands, kind, acts=False, lost=False)
        matrix.world.proxy.plan = held.plan
        first = matrix.world.stack.start(*stands.command, **stands.environ)
        try:
            wrong = ["the request was not made again"]
            if held.wait():
                second = stands.run(matrix.world)
                held.over.set()
                printed, _ = first.communicate()
                wrong = matrix.wrong_after(stands, Run(code=first.returncode, output=printed + second.output))
                wrong += [] if second.code else ["neither of them was refused"]
        finally:
            held.over.set()
            first.kill()
            first.wait()
            end_processes(matrix.world.stack.name)
        cells.append(cell(stands, kind, "two at once", wrong))
    note(record_property, cells)
