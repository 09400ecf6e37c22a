"""A call ends as it ends if it does so in time, and is given up otherwise."""

import threading
from concurrent.futures import Future

import pytest

from fiftyone_provider import deadline
from fiftyone_provider.deadline import DeadlineError, within


def test_a_call_in_time_ends_as_it_ends() -> None:
    error = ValueError()

    def fails() -> None:
        raise error

    assert within(10, lambda: "done") == "done"
    with pytest.raises(ValueError) as caught:
        within(10, fails)
    assert caught.value is error


def test_a_call_that_hangs_is_given_up() -> None:
    over = threading.Event()
    try:
        with pytest.raises(DeadlineError):
            within(0.01, over.wait)
    finally:
        over.set()


def test_a_timeout_of_the_calls_own_is_no_missed_deadline() -> None:
    error = TimeoutError("its own")

    def fails() -> None:
        raise error

    with pytest.raises(TimeoutError) as caught:
        within(10, fails)
    assert caught.value is error


def test_an_answer_that_comes_while_the_call_is_given_up_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class LateFuture(Future[str]):
        def result(self, timeout: float | None = None) -> str:
            found = super().result(10)
            if timeout is not None:
                raise TimeoutError
            return found

    monkeypatch.setattr(deadline, "Future", LateFuture)
    assert within(10, lambda: "done") == "done"
