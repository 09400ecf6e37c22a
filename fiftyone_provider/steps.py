"""How a change in FiftyOne is tried again: as a whole step, which looks at what is there before it acts."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from fiftyone_provider.client import FiftyOneError, UnknownOutcomeError

# Four attempts, some 5 s in all: enough for a load balancer to change its mind, short enough to sit through.
ATTEMPTS = 4
_FIRST_WAIT_SECONDS = 0.5

T = TypeVar("T")


def tried_again(step: Callable[[], T]) -> T:
    """Do a step, again after a lost connection. The step looks first, so that what was done is not done twice.

    Raises:
        UnknownOutcomeError: a change may have happened; nothing later told.
        FiftyOneError: nothing was changed by this step.
    """
    unknown = False

    def attempt() -> T:
        nonlocal unknown
        try:
            return step()
        except UnknownOutcomeError:
            unknown = True
            raise
        except FiftyOneError as error:
            if unknown:
                raise UnknownOutcomeError(str(error), again=error.again) from None
            raise

    retrying = Retrying(
        retry=retry_if_exception(_worth_it),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential_jitter(multiplier=_FIRST_WAIT_SECONDS, max=4, jitter=_FIRST_WAIT_SECONDS),
        reraise=True,
    )
    return retrying(attempt)


def _worth_it(error: BaseException) -> bool:
    return isinstance(error, FiftyOneError) and error.again
