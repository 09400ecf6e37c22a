"""The page that the benchmarks leave, docs/benchmarks.md, and what they say while they run."""

import os
import platform
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.goals import Goal, table
from toolchain.build import PLUGIN_VERSION, VERSION


@dataclass(frozen=True, kw_only=True)
class Section:
    """One subject of the page: its tables as Markdown, and the goals that belong to it."""

    title: str
    text: str
    goals: Sequence[Goal] = ()


def say(line: str) -> None:
    """Show what is measured now."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def prose(text: str) -> str:
    """A paragraph in lines of the length that the other pages have."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def page(sections: Sequence[Section], *, repetitions: int, load_before: float, left_out: Sequence[str] = ()) -> str:
    """The page: what was missed first, then each subject with its goals; `left_out` was not measured."""
    goals = [goal for section in sections for goal in section.goals]
    missed = [goal for goal in goals if not goal.met]
    parts = [
        "# Benchmarks",
        prose(
            "Written by `make bench`, which measures on the embedded workspace; do not edit. Times are one "
            "machine's, so "
            "the ratios count."
        ),
        _machine(repetitions, load_before),
        f"**{len(goals) - len(missed)} of {len(goals)} goals are met**{', and these are not:' if missed else '.'}",
        *([_goals(missed)] if missed else []),
        *([f"**Not measured this time: {', '.join(left_out)}.**"] if left_out else []),
    ]
    return "\n\n".join([*parts, *map(shown, sections)]) + "\n"


def shown(section: Section) -> str:
    """One subject of the page."""
    return "\n\n".join([f"## {section.title}", section.text, _goals(section.goals)])


def _goals(goals: Sequence[Goal]) -> str:
    return table(["goal", "limit", "measured", ""], [goal.row() for goal in goals])


def _machine(repetitions: int, load_before: float) -> str:
    load = os.getloadavg()[0]
    busy = max(load_before, 0.0) > 0.5 * (os.cpu_count() or 1)
    caveat = " **The machine was busy with other work, so single times are worth little.**" if busy else ""
    return prose(
        f"Measured on {os.cpu_count()} cores ({platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}), engine {VERSION}, databricks plugin {PLUGIN_VERSION}; medians of "
        f"{repetitions}. Load average {load_before:.1f} before the first measurement, {load:.1f} after the "
        f"last.{caveat}"
    )
