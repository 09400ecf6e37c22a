"""The chain as checks that need each other: what one of them found broken, those that need it do not find again.

Owns the order of printing and the words for what was not checked; what a check looks at is its own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from preflight.result import Result, not_checked, right, wrong


class BrokenError(Exception):
    """A link does not hold: what is wrong and why that matters, and the command that mends it."""

    def __init__(self, found: str, mend: str) -> None:
        super().__init__(found)
        self.found, self.mend = found, mend


class NotLookedError(Exception):
    """A link could not be looked at; the text completes "not checked because"."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that is to hold. `subject` is what a person calls it, `key` what others need it by.

    `look` tells what it saw, or nothing where the subject says all. Raises BrokenError, NotLookedError.
    """

    subject: str
    key: str
    look: Callable[[], str | None]
    needs: frozenset[str] = frozenset()


@dataclass
class Chain:
    """What was found so far: `closed` has the keys of what does not hold or was not looked at, and why others stop."""

    closed: dict[str, str] = field(default_factory=dict[str, str])

    def link(self, name: str, checks: Iterable[Check]) -> Iterator[Result]:
        """Look, one after the other: what is wrong as it is found, then what holds in one line, then the rest."""
        held: list[str] = []
        left: dict[str, list[str]] = {}
        for check in checks:
            because = next((self.closed[need] for need in sorted(check.needs) if need in self.closed), "")
            if not because:
                try:
                    held.append(check.look() or check.subject)
                except BrokenError as broken:
                    self.closed[check.key] = f"{check.subject} is not right"
                    yield wrong(name, f"{check.subject}: {broken.found}", broken.mend)
                except NotLookedError as reason:
                    because = str(reason)
                # All that databricks-sdk raises of a call is one: refusals, lost connections, the end of its retries.
                except OSError as error:
                    because = f"it could not be looked at: {' '.join(str(error).split())}"
            if because:
                self.closed[check.key] = because
                left.setdefault(because, []).append(check.subject)
        if held:
            yield right(name, ", ".join(held))
        for because, subjects in left.items():
            yield not_checked(f"{name} ({', '.join(subjects)})", because)
