"""Measures everything, prints the page and keeps it: `python -m benchmarks [--repetitions N]`.

The exit code is 0 whether or not goals are met: the page says which are not.
"""

import argparse
import os
from collections.abc import Callable

from benchmarks import against_bare, against_peers, anatomy, growth
from benchmarks.report import Section, page, shown
from tests.engine.workspace import REPO

PAGE = REPO / "docs" / "benchmarks.md"
# On two quiet cores some 15 minutes.
REPETITIONS = 3
PARTS: tuple[str, ...] = ("bare", "peers", "growth", "anatomy")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write docs/benchmarks.md.")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help=f"of what is compared ({REPETITIONS})")
    sizes = growth.ORCHESTRATORS
    parser.add_argument(
        "--orchestrators",
        type=int,
        nargs=3,
        default=sizes,
        metavar="N",
        help="sizes of stacks that growth is told from",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure these alone; the page says what is left out")
    given = parser.parse_args()
    repetitions = max(given.repetitions, 1)
    load_before = os.getloadavg()[0]
    measures: tuple[Callable[[], Section], ...] = (
        lambda: against_bare.measure(repetitions),
        lambda: against_peers.measure(repetitions),
        lambda: growth.measure(tuple(given.orchestrators)),
        lambda: anatomy.measure(repetitions),
    )
    parts = dict(zip(PARTS, measures, strict=True))
    sections: list[Section] = []
    wanted = [name for name in parts if name in (given.only or parts)]
    for name in wanted:
        sections.append(parts[name]())
        print(shown(sections[-1]), end="\n\n", flush=True)
    left_out = [name for name in parts if name not in wanted]
    PAGE.write_text(page(sections, repetitions=repetitions, load_before=load_before, left_out=left_out))
    print(f"kept in {PAGE.relative_to(REPO)}")


if __name__ == "__main__":
    main()
