"""A step is tried again only where that may help, and what may have happened is never reported as not done."""

import time
from collections.abc import Callable

import pytest

from fiftyone_provider.client import FiftyOneError, UnknownOutcomeError, UnreachableError
from fiftyone_provider.steps import ATTEMPTS, tried_again


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been waited, in seconds."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


class Step:
    """Ends as it is told, one attempt after the other; a text is what it returns."""

    def __init__(self, *ends: Exception | str) -> None:
        self.ends, self.attempts = ends, 0

    def __call__(self) -> str:
        end = self.ends[min(self.attempts, len(self.ends) - 1)]
        self.attempts += 1
        if isinstance(end, Exception):
            raise end
        return end


def test_what_succeeds_is_done_once() -> None:
    step = Step("done")
    assert tried_again(step) == "done"
    assert step.attempts == 1


@pytest.mark.parametrize("kind", [UnreachableError, UnknownOutcomeError, FiftyOneError])
def test_what_is_worth_another_try_is_tried_again(kind: type[FiftyOneError]) -> None:
    step = Step(kind("lost", again=True), kind("lost", again=True), "done")
    assert tried_again(step) == "done"
    assert step.attempts == 3


@pytest.mark.parametrize(
    "error",
    [
        FiftyOneError("refused"),
        UnreachableError("took long"),
        UnknownOutcomeError("took long"),
        RuntimeError("a mistake"),
        TimeoutError("another's"),
    ],
    ids=repr,
)
def test_what_is_not_worth_another_try_ends_at_once_as_it_is(error: Exception, waits: list[float]) -> None:
    step = Step(error, "done")
    with pytest.raises(type(error)) as caught:
        tried_again(step)
    assert caught.value is error
    assert step.attempts == 1
    assert waits == []


@pytest.mark.parametrize("kind", [UnreachableError, UnknownOutcomeError])
def test_no_step_is_tried_forever_and_the_last_failure_is_the_answer(
    kind: type[FiftyOneError], waits: list[float]
) -> None:
    errors = [kind(f"lost {number}", again=True) for number in range(ATTEMPTS + 1)]
    step = Step(*errors)
    with pytest.raises(kind) as caught:
        tried_again(step)
    assert caught.value is errors[ATTEMPTS - 1]
    assert step.attempts == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1


def test_a_person_waits_some_seconds_and_longer_each_time(waits: list[float]) -> None:
    with pytest.raises(UnreachableError):
        tried_again(Step(UnreachableError("lost", again=True)))
    assert waits == sorted(waits)
    assert waits[0] > 0
    assert sum(waits) < 10


LOST = UnknownOutcomeError("the answer got lost", again=True)


@pytest.mark.parametrize(
    "later", [FiftyOneError("refused"), UnreachableError("took long"), UnknownOutcomeError("took")]
)
def test_after_a_lost_answer_no_failure_tells_that_nothing_was_done(later: FiftyOneError) -> None:
    with pytest.raises(UnknownOutcomeError) as caught:
        tried_again(Step(LOST, later))
    assert str(caught.value) == str(later)
    assert not caught.value.again
    assert caught.value.__cause__ is None


def test_a_lost_answer_stays_lost_while_it_cannot_be_looked_at() -> None:
    step = Step(LOST, UnreachableError("unreachable", again=True))
    with pytest.raises(UnknownOutcomeError, match="unreachable"):
        tried_again(step)
    assert step.attempts == ATTEMPTS


def test_a_lost_answer_that_another_attempt_settles_is_a_success() -> None:
    assert tried_again(Step(LOST, UnreachableError("unreachable", again=True), "done")) == "done"


def test_one_step_knows_nothing_of_anothers_lost_answer() -> None:
    assert tried_again(Step(LOST, "done")) == "done"
    with pytest.raises(FiftyOneError) as caught:
        tried_again(Step(FiftyOneError("refused")))
    assert type(caught.value) is FiftyOneError


def test_before_a_lost_answer_a_failure_tells_that_nothing_was_done() -> None:
    step: Callable[[], str] = Step(UnreachableError("lost", again=True), FiftyOneError("refused"))
    with pytest.raises(FiftyOneError) as caught:
        tried_again(step)
    assert type(caught.value) is FiftyOneError
