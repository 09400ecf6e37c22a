"""What a check says, and how a person reads it: one line a result, the mend below it, and a last line that counts.

Owns the words and the exit code; what is checked lies in the modules beside this one. There is no colour, so that the
list reads the same in a terminal, in a pipe and in CI.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a check ended, with the mark that a person sees."""

    RIGHT = "✓"
    WRONG = "✗"
    # What would be wrong if something that stood in for the real thing is like it.
    LIKELY = "!"
    NOT_CHECKED = "–"
    # What cannot be seen from here at all.
    YOURSELF = "– check yourself"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one check found. `mend` belongs to what is wrong; no secret's value is in either."""

    name: str
    outcome: Outcome
    found: str
    mend: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """The result as it is printed."""
        match self.outcome:
            case Outcome.NOT_CHECKED:
                yield f"– {self.name}: not checked because {self.found}"
            case Outcome.YOURSELF:
                yield f"– check yourself: {self.found}"
            case _:
                yield f"{self.outcome.value} {self.name}: {self.found}"
        if self.mend:
            yield f"    mend: {self.mend}"


def right(name: str, found: str) -> Result:
    """A check that holds."""
    return Result(name=name, outcome=Outcome.RIGHT, found=found)


def wrong(name: str, found: str, mend: str) -> Result:
    """A check that does not hold: what is wrong and why that matters, and how to mend it."""
    return Result(name=name, outcome=Outcome.WRONG, found=found, mend=mend)


def likely(name: str, found: str, mend: str) -> Result:
    """A check that does not hold with a stand-in of what could not be had."""
    return Result(name=name, outcome=Outcome.LIKELY, found=found, mend=mend)


def not_checked(name: str, because: str) -> Result:
    """A check that could not be made; the reason completes "not checked because"."""
    return Result(name=name, outcome=Outcome.NOT_CHECKED, found=because)


def yourself(what: str) -> Result:
    """Something that nothing here can see."""
    return Result(name="", outcome=Outcome.YOURSELF, found=what)


def report(results: Iterable[Result], stack: str) -> int:
    """Print each result as it comes, and then how many there are of each outcome; the exit code."""
    seen: list[Result] = []
    for result in results:
        seen.append(result)
        print("\n".join(result.lines), flush=True)
    print(f"\n{stack}: {summary(seen)}")
    return exit_code(seen)


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    count = Counter(result.outcome for result in results)
    return (
        f"{count[Outcome.RIGHT]} ✓, {count[Outcome.WRONG]} ✗, {count[Outcome.LIKELY]} !, "
        f"{count[Outcome.NOT_CHECKED]} not checked, {count[Outcome.YOURSELF]} to check yourself"
    )


def exit_code(results: Iterable[Result]) -> int:
    """1 where anything is wrong."""
    return int(any(result.outcome is Outcome.WRONG for result in results))
