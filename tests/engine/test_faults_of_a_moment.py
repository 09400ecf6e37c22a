"""FiftyOne falters for a moment, refuses, or does not answer in time: `up` gets over it, or says so and ends right."""

from collections.abc import Callable

import pytest

from tests.engine.fault_proxy import Fault
from tests.engine.registration_faults import Aim, faulty_stack
from tests.engine.stack import Stack

WITHOUT, WITH, CHANGED = Aim(gpu=False), Aim(), Aim(description="Others")


@pytest.mark.parametrize("call", ["add_secret CLIENT_SECRET_GPU", "register_orchestrator gpu"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED, Fault.UNAVAILABLE, Fault.TOO_MANY])
def test_a_moments_fault_is_got_over_in_the_same_up(new_stack: Callable[..., Stack], call: str, fault: Fault) -> None:
    with faulty_stack(new_stack) as faulty:
        faulty.proxy.at(call, fault)
        faulty.settles(WITH)
        assert faulty.proxy.calls.count(call) == (1 if fault is Fault.UNANSWERED else 2)


@pytest.mark.parametrize("call", ["add_secret CLIENT_SECRET_GPU", "register_orchestrator gpu"])
def test_a_refusal_stops_and_says_what_to_do(new_stack: Callable[..., Stack], call: str) -> None:
    with faulty_stack(new_stack) as faulty:
        faulty.proxy.at(call, Fault.FORBIDDEN)
        run = faulty.up(WITH)
        assert run.code != 0
        assert "registering takes the Admin role" in run.output
        assert "Traceback" not in run.output
        faulty.settles(WITH)


@pytest.mark.parametrize("call", ["add_secret CLIENT_SECRET_GPU", "register_orchestrator gpu"])
@pytest.mark.parametrize("aim", [WITH, WITHOUT])
def test_a_call_that_is_not_answered_is_given_up_and_the_next_up_ends_right(
    new_stack: Callable[..., Stack], call: str, aim: Aim
) -> None:
    with faulty_stack(new_stack) as faulty:
        run = faulty.up_without_an_answer(WITH, call)
        assert "took more than 2 s" in run.output
        assert run.code != 0 or faulty.is_right(WITH)
        faulty.settles(aim)


@pytest.mark.parametrize("call", ["delete_orchestrator gpu", "register_orchestrator gpu"])
@pytest.mark.parametrize("aim", [CHANGED, WITH])
def test_a_change_that_is_not_answered_is_given_up_and_the_next_up_ends_right(
    new_stack: Callable[..., Stack], call: str, aim: Aim
) -> None:
    with faulty_stack(new_stack) as faulty:
        faulty.settles(WITH)
        run = faulty.up_without_an_answer(CHANGED, call)
        assert run.code != 0
        assert "took more than 2 s" in run.output
        faulty.settles(aim)
