"""The steps that are measured, and what one of them takes."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.delay_proxy import side_by_side
from benchmarks.processes import Usage, Watch
from benchmarks.stacks import Subject

# As `make up` and its like give them; `--skip-preview` where a preview is measured by itself.
STEPS: Mapping[str, tuple[str, ...]] = {
    "preview, nothing deployed": ("preview",),
    "up, first": ("up", "--yes", "--skip-preview"),
    "preview, no change": ("preview", "--expect-no-changes"),
    "up, no change": ("up", "--yes", "--skip-preview", "--expect-no-changes"),
    "destroy": ("destroy", "--yes", "--skip-preview", "--run-program"),
}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a step took: time, requests to Databricks and FiftyOne, how many of them went at once, and its processes."""

    seconds: float
    requests: int
    writes: int
    at_once: float
    processes: Mapping[str, Usage]

    @property
    def processor_seconds(self) -> float:
        """Of all its processes."""
        return sum(usage.seconds for usage in self.processes.values())


def take(subject: Subject, step: str, *flags: str) -> Taken:
    """Take one step; the benchmark ends where the engine fails."""
    arguments = STEPS[step]
    asked, passed = len(subject.workspace.requests()), len(subject.proxy.passed)
    with Watch().running() as watch:
        began = time.perf_counter()
        subject.stack.succeeds(*arguments, *flags)
        seconds = time.perf_counter() - began
    return Taken(
        seconds=seconds,
        requests=len(subject.workspace.requests()) - asked,
        writes=len(subject.workspace.writes(since=asked)),
        at_once=side_by_side(subject.proxy.passed[passed:]),
        processes=watch.usage(),
    )


def median_of(taken: Sequence[Taken], value: str) -> float:
    """The median of one of the numbers."""
    return statistics.median(getattr(one, value) for one in taken)
