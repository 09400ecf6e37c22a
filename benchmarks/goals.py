"""What was aimed at, and whether it was reached; a goal knows its limit before anything is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

MET, MISSED = "✓", "**not met**"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One number against its limit; at the limit, it is met. `unit` stands behind both in the table."""

    what: str
    limit: float
    found: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it was reached; what is no number was not."""
        return self.found <= self.limit

    def row(self) -> tuple[str, str, str, str]:
        """The goal's line of a table."""
        return self.what, f"≤ {_shown(self.limit)}{self.unit}", f"{_shown(self.found)}{self.unit}", self.mark

    @property
    def mark(self) -> str:
        """What the table says of it."""
        return MET if self.met else MISSED


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all but the first column are right-aligned numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(number: float) -> str:
    """Two decimals where they tell something."""
    return f"{number:.0f}" if number % 1 == 0 and abs(number) != 1 else f"{number:.2f}"
