"""The whole program against Databricks' own declarative tool, whose figures were measured once, apart from this."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.goals import Goal, table
from benchmarks.report import Section, prose, say
from benchmarks.stacks import Program, Subject, subject
from benchmarks.steps import STEPS, Taken, median_of, take


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A step of theirs: seconds, seconds with each request delayed by 100 ms, requests and writes."""

    seconds: float
    delayed: float
    requests: int
    writes: int


# Bundles, CLI 1.14, direct engine, on Databricks' own test workspace on loopback; medians of 5, on 2 cores.
PEERS: Final[Mapping[str, Peer]] = {
    "preview, nothing deployed": Peer(seconds=0.11, delayed=0.32, requests=3, writes=0),
    "up, first": Peer(seconds=0.70, delayed=2.93, requests=41, writes=26),
    "preview, no change": Peer(seconds=0.11, delayed=0.85, requests=13, writes=0),
    "up, no change": Peer(seconds=0.56, delayed=2.70, requests=33, writes=9),
    "destroy": Peer(seconds=0.15, delayed=1.44, requests=21, writes=6),
}
# Two pools, scope and its access, job, three permissions, folder and files: counted in their favour.
PEER_RESOURCES: Final = 12
# Their smallest command with its three requests, at 100 ms: putting one secret takes no less. A person's time to find
# and paste the value is left out.
BY_HAND_SECONDS: Final = 3 * 0.31
DISCOVERY: Final = ("/.well-known/", "/oidc/")
DELAY: Final = 0.1


def measure(repetitions: int) -> Section:
    """Both delays, each on a new workspace each time."""
    quick: dict[str, list[Taken]] = defaultdict(list)
    slow: dict[str, list[Taken]] = defaultdict(list)
    asked: Counter[str] = Counter()
    resources = 0
    for turn in range(repetitions):
        for delay, found in ((0.0, quick), (DELAY, slow)):
            say(f"the whole program, {delay * 1000:.0f} ms a request, {turn + 1} of {repetitions}")
            with subject(Program.WHOLE, delay=delay) as measured:
                for step in STEPS:
                    before = len(measured.workspace.requests())
                    found[step].append(take(measured, step))
                    if step == "up, first":
                        resources = _resources(measured)
                    if step == "up, no change":
                        asked = _asked(measured.workspace.requests()[before:])
    return Section(
        title="Against Databricks' own tool",
        text=_text(quick, slow, asked, resources),
        goals=_goals(quick, slow, asked, resources),
    )


def _goals(
    quick: Mapping[str, Sequence[Taken]],
    slow: Mapping[str, Sequence[Taken]],
    asked: Counter[str],
    resources: int,
) -> list[Goal]:
    first, unchanged = quick["up, first"], quick["up, no change"]
    theirs = PEERS["up, first"]
    return [
        Goal(what="up, no change: writes", limit=0, found=median_of(unchanged, "writes")),
        Goal(what="up, no change: questions beyond discovery and token", limit=0, found=asked.total()),
        Goal(
            what="up, first: requests a resource",
            limit=theirs.requests / PEER_RESOURCES,
            found=median_of(first, "requests") / resources,
        ),
        Goal(
            what="up, first, whole chain, 100 ms a request: against their part and three secrets by hand",
            limit=theirs.delayed + BY_HAND_SECONDS,
            found=median_of(slow["up, first"], "seconds"),
            unit=" s",
        ),
    ]


def _text(
    quick: Mapping[str, Sequence[Taken]],
    slow: Mapping[str, Sequence[Taken]],
    asked: Counter[str],
    resources: int,
) -> str:
    rows = [
        [
            step,
            f"{peer.requests} ({peer.writes})",
            f"{median_of(quick[step], 'requests'):.0f} ({median_of(quick[step], 'writes'):.0f})",
            f"{peer.seconds:.2f}",
            f"{median_of(quick[step], 'seconds'):.2f}",
            f"{peer.delayed:.2f}",
            f"{median_of(slow[step], 'seconds'):.2f}",
            f"{statistics.median(one.at_once for one in slow[step]):.1f}",
        ]
        for step, peer in PEERS.items()
    ]
    head = [
        "step",
        "theirs: requests (writes)",
        "ours: requests (writes)",
        "theirs, s",
        "ours, s",
        "theirs at 100 ms, s",
        "ours at 100 ms, s",
        "ours at 100 ms: requests at once",
    ]
    return "\n\n".join(
        [
            prose(
                "Theirs is bundles (CLI 1.14), measured apart on another day: job, pools, scope, permissions and "
                "files, at "
                f"most {PEER_RESOURCES} resources. Ours is the whole chain, {resources} resources: beside those the "
                "values of three secrets, and FiftyOne's four secrets, registration and operators. For putting three "
                f"secrets by hand, three of their smallest commands are counted, {BY_HAND_SECONDS:.2f} s, and no "
                "time of "
                "a person's."
            ),
            table(head, rows),
            prose(
                "A run without changes asks, beside what the workspace is: "
                + (", ".join(f"{count} times `{name}`" for name, count in sorted(asked.items())) or "nothing")
                + ". What a failed change has left, the state does not know; the run after one looks, and no other."
            ),
            prose(
                "The seconds are mostly those of the engine, of Python and of loading the two databricks packages: see "
                "[Where time goes](#where-time-goes)."
            ),
        ]
    )


def _asked(requests: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """What was asked beyond discovery and tokens, by the name of the call."""
    paths = [str(request["path"]).partition("?")[0] for request in requests]
    return Counter(path.rpartition("/")[2] for path in paths if not path.startswith(DISCOVERY))


def _resources(measured: Subject) -> int:
    """What the state holds beside components and providers."""
    found: list[dict[str, Any]] = json.loads(measured.stack.state())["deployment"]["resources"]
    return sum(1 for resource in found if resource["custom"] and not resource["type"].startswith("pulumi:"))
