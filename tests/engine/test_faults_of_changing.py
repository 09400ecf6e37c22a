"""FiftyOne goes out of reach at each call of a change: the next `up` ends right, kept or taken back."""

from collections.abc import Callable

import pytest

from tests.engine.registration_faults import Aim, check_every_fault, faulty_stack
from tests.engine.stack import Stack

BEFORE = Aim()
ROTATED, OTHERS = Aim(secret="hidden-two"), Aim(description="Others")


@pytest.mark.parametrize("kept", [True, False])
def test_a_rotation_that_was_cut_off_ends_right(new_stack: Callable[..., Stack], kept: bool) -> None:
    with faulty_stack(new_stack) as faulty:
        assert check_every_fault(faulty, BEFORE, ROTATED, kept=kept) >= 4


# Where FiftyOne keeps the secrets there is less to mend; tests/unit/test_registration_recovery.py has both.
@pytest.mark.parametrize("kept", [True, False])
def test_a_new_registration_that_was_cut_off_ends_right(new_stack: Callable[..., Stack], kept: bool) -> None:
    with faulty_stack(new_stack) as faulty:
        faulty.stack.workspace.fiftyone.choose(delete_orchestrator="deletes_secrets")
        assert check_every_fault(faulty, BEFORE, OTHERS, kept=kept) >= 9
