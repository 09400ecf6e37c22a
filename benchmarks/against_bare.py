"""The program against a bare one: the same things deployed on Databricks, step by step, in turns."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from benchmarks.goals import Goal, table
from benchmarks.report import Section, say
from benchmarks.stacks import Program, subject
from benchmarks.steps import STEPS, Taken, median_of, take

DELAYS = (0.0, 0.1)
AT_MOST = 1.1
JUDGED = ("up, first", "up, no change", "preview, no change", "destroy")
OURS, BARE, SAME_TYPES = Program.WITHOUT_FIFTYONE, Program.BARE, Program.BARE_WITH_OWN_TYPES
ORDER = (BARE, OURS, SAME_TYPES)

Results = Mapping[tuple[Program, str], Sequence[Taken]]

ABOUT = f"""\
Each stack deploys the Databricks side of one orchestrator: secret scope with three secrets, folder, entrypoint and
requirements, two instance pools, the job and its permissions, for a service principal that exists.

- **bare** is [one file](../benchmarks/bare/__main__.py) with the databricks provider's own types.
- **same types** is that file with this program's own types for the folder and the secrets, in place of those of the
  databricks provider, which lose a changed secret and take over anybody's folder.
- **program** is `__main__.py` as it stands but for its last component, FiftyOne's part, which a bare program cannot
  have ([how](../benchmarks/without_fiftyone/__main__.py)). It asks who deploys beside.

They take turns, without the policy pack; times are medians in seconds, "processor" is that of all processes together,
which other load on the machine changes less. The goal is {AT_MOST} of what has the same types; what those types cost
stands beside it: databricks-sdk, which a run that changes something has to load."""


def measure(repetitions: int) -> Section:
    """The tables and goals of both delays."""
    goals: list[Goal] = []
    text = [ABOUT]
    for delay in DELAYS:
        found = _take_turns(delay, repetitions)
        text += [f"### {_named(delay)}", _table(found)]
        for step in JUDGED:
            for other, name in ((SAME_TYPES, "the same types"), (BARE, "the provider's types alone")):
                ratio = _ratio(found, step, other, "seconds")
                goals.append(
                    Goal(what=f"{step}, {_named(delay)}: against {name}", limit=AT_MOST, found=ratio, unit=" times")
                )
    return Section(title="Against a bare Pulumi program", text="\n\n".join(text), goals=goals)


def _take_turns(delay: float, repetitions: int) -> Results:
    found: dict[tuple[Program, str], list[Taken]] = defaultdict(list)
    for turn in range(repetitions):
        for program in ORDER:
            say(f"{program.name}, {_named(delay)}, {turn + 1} of {repetitions}")
            with subject(program, delay=delay) as measured:
                for step in STEPS:
                    found[program, step].append(take(measured, step))
    return found


def _table(found: Results) -> str:
    rows: list[list[str]] = []
    for step in STEPS:
        bare, same, ours = (found[program, step] for program in (BARE, SAME_TYPES, OURS))
        rows.append(
            [
                step,
                *(f"{median_of(taken, 'seconds'):.2f}" for taken in (bare, same, ours)),
                f"{_ratio(found, step, SAME_TYPES, 'seconds'):.2f}",
                f"{_ratio(found, step, BARE, 'seconds'):.2f}",
                *(f"{median_of(taken, 'processor_seconds'):.2f}" for taken in (bare, same, ours)),
                *(f"{median_of(taken, 'requests'):.0f}" for taken in (bare, same, ours)),
            ]
        )
    names = ("bare", "same types", "program")
    return table(
        [
            "step",
            *names,
            "program : same types",
            "program : bare",
            *(f"processor, {name}" for name in names),
            *(f"requests, {name}" for name in names),
        ],
        rows,
    )


def _ratio(found: Results, step: str, other: Program, value: str) -> float:
    return median_of(found[OURS, step], value) / median_of(found[other, step], value)


def _named(delay: float) -> str:
    return f"{delay * 1000:.0f} ms a request"
