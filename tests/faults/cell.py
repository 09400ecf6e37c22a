"""One case of the matrix and its result."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One fault at one kind of request, and what was wrong after it; nothing is green.

    `step` tells steps of one verb apart, `request` is the kind of request by its name.
    """

    resource: str
    verb: str
    step: str
    request: str
    fault: str
    wrong: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.resource} / {self.step} / {self.fault} at {self.request}"
