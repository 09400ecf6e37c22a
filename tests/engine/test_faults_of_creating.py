"""FiftyOne goes out of reach at each call of a create and of a delete: the next `up` ends right, kept or taken back."""

from collections.abc import Callable

import pytest

from tests.engine.registration_faults import Aim, check_every_fault, faulty_stack
from tests.engine.stack import Stack

WITHOUT, WITH = Aim(gpu=False), Aim()


@pytest.mark.parametrize("kept", [True, False])
def test_a_create_that_was_cut_off_ends_right(new_stack: Callable[..., Stack], kept: bool) -> None:
    with faulty_stack(new_stack) as faulty:
        assert check_every_fault(faulty, WITHOUT, WITH, kept=kept) >= 7


@pytest.mark.parametrize("kept", [True, False])
def test_a_delete_that_was_cut_off_ends_right(new_stack: Callable[..., Stack], kept: bool) -> None:
    with faulty_stack(new_stack) as faulty:
        assert check_every_fault(faulty, WITH, WITHOUT, kept=kept) >= 6
