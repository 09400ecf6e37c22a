"""The matrix can fail: where plain `pulumi up` follows a fault, and no recovery, it is red."""

from dataclasses import replace

import pytest

from tests.faults.engine_ends import EngineEnd, ended_at
from tests.faults.matrix import FaultClass, Matrix
from tests.faults.requests import Kind
from tests.faults.steps import STEPS

CREATE = STEPS["create"]


@pytest.fixture
def without_recovery(matrix: Matrix) -> Matrix:
    return replace(matrix, recovery=False)


def first_write(matrix: Matrix, resource: str) -> Kind:
    return next(kind for kind in matrix.recording(CREATE).kinds if kind.writes and kind.resource == resource)


@pytest.mark.parametrize(("resource", "why"), [("InstancePool", "make up is red"), ("Job", "double")])
def test_an_answer_that_was_lost_is_red_without_recovery(without_recovery: Matrix, resource: str, why: str) -> None:
    (cell,) = without_recovery.met(CREATE, FaultClass.CUT, [first_write(without_recovery, resource)])
    assert any(wrong.startswith(why) for wrong in cell.wrong), cell


def test_a_killed_engine_is_red_without_recovery(without_recovery: Matrix) -> None:
    kind = first_write(without_recovery, "Job")
    (wrong,) = ended_at(without_recovery, CREATE, EngineEnd.KILLED_AFTER, kind).wrong
    assert "locked" in wrong
