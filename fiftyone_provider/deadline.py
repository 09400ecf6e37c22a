"""A deadline for calls that have none."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """A call was given up; it goes on in a thread that nothing waits for, and may still have its effect."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """What the call returns or raises, if it does so in time. Raises DeadlineError."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        # The call's own, or its answer came at the last moment.
        if outcome.done():
            return outcome.result()
        raise DeadlineError from None
