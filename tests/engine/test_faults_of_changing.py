"""FiftyOne goes out of reach at each call of a change: the next `up` ends right, kept or taken back."""

from collections.abc import Callable

import pytest

from tests.engine.fault_proxy import Fault
from tests.engine.registration_faults import Aim, check_every_fault, faulty_stack
from tests.engine.stack import Stack

BEFORE = Aim()
ROTATED, OTHERS = Aim(secret="hidden-two"), Aim(description="Others")


@pytest.mark.parametrize("kept", [True, False])
def test_a_rotation_that_was_cut_off_ends_right(new_stack: Callable[..., Stack], kept: bool) -> None:
    with faulty_stack(new_stack) as faulty:
        assert check_every_fault(faulty, BEFORE, ROTATED, kept=kept) >= 4


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("deleting", ["keeps_secrets", "deletes_secrets"])
def test_a_new_registration_that_was_cut_off_ends_right(
    new_stack: Callable[..., Stack], kept: bool, deleting: str
) -> None:
    with faulty_stack(new_stack) as faulty:
        faulty.stack.workspace.fiftyone.choose(delete_orchestrator=deleting)
        assert check_every_fault(faulty, BEFORE, OTHERS, kept=kept) >= 9


@pytest.mark.parametrize("call", ["delete_orchestrator gpu", "register_orchestrator gpu"])
@pytest.mark.parametrize("aim", [OTHERS, BEFORE])
def test_a_change_that_is_not_answered_is_given_up_and_the_next_up_ends_right(
    new_stack: Callable[..., Stack], call: str, aim: Aim
) -> None:
    with faulty_stack(new_stack) as faulty:
        faulty.settles(BEFORE)
        faulty.stack.settings = {**faulty.stack.settings, "fiftyone:timeoutSeconds": 1}
        faulty.proxy.at(call, Fault.SILENT)
        run = faulty.up(OTHERS)
        assert run.code != 0
        assert "took more than 1 s" in run.output
        faulty.settles(aim)
