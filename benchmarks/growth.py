"""How time, requests, memory and state grow: with orchestrators in a stack, and with files of plugins."""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.goals import Goal, table
from benchmarks.report import Section, prose, say
from benchmarks.stacks import Program, subject
from benchmarks.steps import Taken, take
from components.plugin_archive import plugin_archive
from tests.engine.fiftyone import write_operators

ORCHESTRATORS: Final = (1, 10, 50)
FILES: Final = (10, 100, 1000)
STEPS: Final = ("up, first", "up, no change", "destroy")
# Linear growth is 1. Counts are exact, but for what a stack has once; times waver.
EXACT, WAVERING = 1.05, 1.25
UNWRITTEN: Final = "up, first, without the backend's writes, s"
# How often a step packs the plugins: the program once, and an upload once more.
PACKED: Final = {"up, first, s": 2, "up, no change, s": 1, "destroy, s": 1}

Grown = Mapping[str, float]


def measure(orchestrators: tuple[int, ...] = ORCHESTRATORS, files: tuple[int, ...] = FILES) -> Section:
    """One stack a size."""
    by_number = {
        number: _measured(f"{number} orchestrators", orchestrators=_orchestrators(number)) for number in orchestrators
    }
    by_number = {number: {**grown, UNWRITTEN: _without_backend(number)} for number, grown in by_number.items()}
    by_files: dict[int, Grown] = {}
    packing: dict[int, float] = {}
    for number in files:
        with TemporaryDirectory() as scratch:
            _write_plugins(Path(scratch), number)
            began = time.perf_counter()
            plugin_archive(Path(scratch)).measure()
            packing[number] = time.perf_counter() - began
            by_files[number] = _measured(f"{number} files of plugins", plugins={"source": scratch})
    text = "\n\n".join(
        [
            prose(
                "A folder as backend is written to, whole, at each step of the engine, so the time of changing a large "
                "stack grows with the square of its state. What remains is shown by a first `up` that writes nothing "
                "before its end (`PULUMI_SKIP_CHECKPOINTS`, which loses what was made where it is cut off): there it "
                "is Pulumi's Python SDK, which goes through all outputs that are not known yet each time one is "
                "(`wait_for_rpcs`). Orchestrators have two pools, a job with two tasks and a registration each. "
                "Memory is the most that the program's process held."
            ),
            _table("orchestrators", by_number),
            "Plugins are small files in one plugin; packing them is measured by itself.",
            _table("files", by_files, {"packing, s": packing}),
        ]
    )
    return Section(title="Growth", text=text, goals=[*linear(by_number), *flat(by_files, packing)])


def linear(found: Mapping[int, Grown]) -> list[Goal]:
    """What each further orchestrator costs among many, over what it costs among few."""
    (low, few), (middle, some), (high, many) = found.items()
    goals: list[Goal] = []
    for column in few:
        early = (some[column] - few[column]) / (middle - low)
        late = (many[column] - some[column]) / (high - middle)
        # What did not grow at first may not grow later either.
        ratio = late / early if early > 0 else float("inf") if late > 0 else 0.0
        goals.append(
            Goal(
                what=f"{column}: each orchestrator beyond {middle}, over each below",
                limit=EXACT if column.endswith(("requests", "kB")) else WAVERING,
                found=ratio,
                unit=" times",
            )
        )
    return goals


def flat(found: Mapping[int, Grown], packing: Mapping[int, float]) -> list[Goal]:
    """What most files of plugins cost over what few do, beyond packing them."""
    (least, few), *_, (most, many) = found.items()
    goals: list[Goal] = []
    for column in few:
        extra = PACKED.get(column, 0) * (packing[most] - packing[least])
        goals.append(
            Goal(
                what=f"{column}: {most} files of plugins over {least}, beyond packing",
                limit=WAVERING if column.endswith(" s") else EXACT,
                found=(many[column] - extra) / few[column],
                unit=" times",
            )
        )
    return goals


def _measured(what: str, **settings: Any) -> Grown:
    say(f"growth: {what}")
    found: dict[str, float] = {}
    with subject(Program.WHOLE, **settings) as measured:
        for step in STEPS:
            found |= _columns(step, take(measured, step))
            if step == "up, first":
                found["state, kB"] = len(measured.stack.state()) / 1000
    return found


def _without_backend(number: int) -> float:
    say(f"growth: {number} orchestrators, without the backend's writes")
    with subject(Program.WHOLE, orchestrators=_orchestrators(number)) as measured:
        measured.stack.environ |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        return take(measured, "up, first").seconds


def _columns(step: str, taken: Taken) -> Grown:
    values: dict[str, float] = {f"{step}, s": taken.seconds, f"{step}, requests": taken.requests}
    if step == "up, first":
        values["memory, MB"] = taken.processes["program"].megabytes
    return values


def _table(head: str, found: Mapping[int, Grown], beside: Mapping[str, Mapping[int, float]] | None = None) -> str:
    columns = list(next(iter(found.values())))
    more = beside or {}
    rows = [
        [
            str(size),
            *(f"{values[column]:.{1 if column.endswith(', s') else 0}f}" for column in columns),
            *(f"{column[size]:.2f}" for column in more.values()),
        ]
        for size, values in found.items()
    ]
    return table([head, *columns, *more], rows)


def _orchestrators(number: int) -> dict[str, Any]:
    each = {"nodeType": "g2-standard-8", "registrationNodeType": "c3-standard-4-lssd"}
    return {f"gpu-{n}": each for n in range(number)}


def _write_plugins(folder: Path, files: int) -> None:
    write_operators(folder, "first")
    for number in range(files - 1):
        (folder / "hello" / f"module_{number:04}.py").write_text(f'"""Module {number}."""\n' * 20)
