"""The matrix: each class of fault at requests of each type of resource in a step, and what is wrong after a `make up`.

Owns where faults are put, all of it by the recording, and the judgement. Faults that did nothing but fail their own
request follow one another: the step is run again and again, and each time others of its requests meet the fault, until
all have; one `make up` comes after the last. Faults after which something may be left that the state does not know
have a `make up` after each run. If that does not end right, each of them has a case of its own, which tells whose fault
it is.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from tests.engine.api_call import Call
from tests.engine.fault_proxy import Fault
from tests.engine.stack import SECRETS, Run
from tests.faults.cell import Cell
from tests.faults.picture import Picture
from tests.faults.requests import Kind, Recording, kind_of, record
from tests.faults.steps import Step, prepare
from tests.faults.world import World


class FaultClass(Enum):
    """What goes wrong, by its column in the table."""

    REFUSED = "connection refused"
    RESET = "reset before the act, and out of reach from then on"
    CUT = "cut after the act"
    GONE = "cut after the act, and out of reach from then on"
    SLOW = "slow beyond the timeout"
    TOO_MANY = "429 with Retry-After"
    FAILED = "500"
    UNAVAILABLE = "503"
    CONFLICT = "409"
    STALE = "stale read after a write"
    RESTARTED = "the workspace restarts"


FAULTS = {
    FaultClass.REFUSED: Fault.REFUSED,
    FaultClass.RESET: Fault.RESET,
    FaultClass.CUT: Fault.UNANSWERED,
    FaultClass.GONE: Fault.UNANSWERED,
    FaultClass.SLOW: Fault.SILENT,
    FaultClass.TOO_MANY: Fault.TOO_MANY,
    FaultClass.FAILED: Fault.FAILED,
    FaultClass.UNAVAILABLE: Fault.UNAVAILABLE,
    FaultClass.CONFLICT: Fault.CONFLICT,
    FaultClass.STALE: Fault.STALE,
    FaultClass.RESTARTED: Fault.LOST,
}
LASTING = (FaultClass.RESET, FaultClass.GONE)
# What all requests meet, because clients mostly try again by themselves, so that one run meets many.
OF_ALL = (FaultClass.REFUSED, FaultClass.TOO_MANY, FaultClass.UNAVAILABLE)


def kinds_for(fault: FaultClass, recording: Recording) -> list[Kind]:
    """The kinds of requests that meet a class: the rules of the matrix.

    - What clients try again by themselves is met by all requests; the others by one of each type of resource, the last
      kind of request that writes or, where none does, the last one.
    - Cut after the act and 409 take a write: what only asks has no act, and conflicts with nothing.
    - Reset and then out of reach takes a write as well, or one request of each API where nothing is written.
    - Cut and then out of reach is FiftyOne's: its clients look again at once at what has become of a call, so that only
      an API that stays away keeps it from them; Databricks' have forgotten it by then either way.
    - A stale read takes a read that comes after a write of the same type of resource.
    """
    match fault:
        case _ if fault in OF_ALL:
            return list(recording.kinds)
        case FaultClass.CUT | FaultClass.CONFLICT:
            return writes(recording)
        case FaultClass.RESET:
            return writes(recording) or list({kind.is_fiftyone: kind for kind in recording.kinds}.values())
        case FaultClass.GONE:
            return [kind for kind in recording.kinds if kind.writes and kind.is_fiftyone]
        case FaultClass.STALE:
            return _last_of_each(recording.read_back)
        case _:
            return _last_of_each(sorted(recording.kinds, key=lambda kind: kind.writes))


def may_leave(fault: FaultClass, kind: Kind) -> bool:
    """Whether it may leave what the state does not know, so that `make up` has to come before the next run."""
    match fault:
        case FaultClass.CUT | FaultClass.GONE | FaultClass.STALE:
            return True
        case FaultClass.SLOW:
            return kind.writes
        case _:
            return False


def writes(recording: Recording) -> list[Kind]:
    """Of each type of resource the last kind of request that writes."""
    return _last_of_each([kind for kind in recording.kinds if kind.writes])


def _last_of_each(kinds: Iterable[Kind]) -> list[Kind]:
    return list({kind.resource: kind for kind in kinds}.values())


def cell(step: Step, kind: Kind, fault: str, wrong: list[str]) -> Cell:
    """The result of a fault at a kind of request."""
    return Cell(
        resource=kind.resource, verb=step.verb, step=step.name, request=kind.name, fault=fault, wrong=tuple(wrong)
    )


@dataclass
class Matrix:
    """Cases on one world, one after the other. Without `recovery`, plain `pulumi up` follows a fault."""

    world: World
    recovery: bool = True
    _recordings: dict[str, Recording] = field(default_factory=dict[str, Recording])
    _starts: dict[str, Picture] = field(default_factory=dict[str, Picture])

    def recording(self, step: Step) -> Recording:
        if not self._starts:
            prepare(self.world)
        if step.name not in self._recordings:
            self._recordings[step.name] = record(self.world, step)
            step.begin(self.world)
            self._starts[step.start] = self.world.picture()
        return self._recordings[step.name]

    def together(self, step: Step, fault: FaultClass, kinds: list[Kind]) -> Iterator[Cell]:
        """All these requests meet the fault, one run after the other, and `make up` comes after the last.

        What is asked no more in a run that has come so far has another such series.
        """
        left = kinds
        while left:
            met, runs = list[Kind](), list[Run]()
            step.begin(self.world)
            while left:
                run, reached = self.fault(step, fault, left, again=bool(runs))
                left = [kind for kind in left if kind not in reached]
                met, runs = met + reached, [*runs, run]
                if not reached:
                    break
            if not met:
                yield from (cell(step, kind, fault.value, ["the request was not made again"]) for kind in left)
                return
            yield from self._cells(step, fault, met, self.wrong_after(step, *runs))

    def apart(self, step: Step, fault: FaultClass, kinds: list[Kind]) -> Iterator[Cell]:
        """All these requests meet the fault, as many in a run as it reaches, and `make up` comes after each run.

        What only a later part of the step asks is met by another run from where the step begins.
        """
        left = kinds
        while left:
            cells = list(self.met(step, fault, left))
            yield from cells
            told = {(each.resource, each.request) for each in cells}
            left = [kind for kind in left if (kind.resource, kind.name) not in told]

    def met(self, step: Step, fault: FaultClass, kinds: list[Kind]) -> Iterator[Cell]:
        """One run in which each of these requests that it reaches meets the fault once."""
        step.begin(self.world)
        run, reached = self.fault(step, fault, kinds)
        if not reached:
            for kind in kinds:
                yield cell(step, kind, fault.value, ["the request was not made again"])
            return
        yield from self._cells(step, fault, reached, self.wrong_after(step, run))

    def _cells(self, step: Step, fault: FaultClass, met: list[Kind], wrong: list[str]) -> Iterator[Cell]:
        """The results of faults that came together; where it ended wrong, of each on its own."""
        if wrong and len(met) > 1:
            cells = [each for kind in met for each in self.met(step, fault, [kind])]
            # Each alone may end right: then it is their coming together that does not.
            yield from cells if any(each.wrong for each in cells) else [cell(step, met[0], fault.value, wrong)]
        else:
            yield from (cell(step, kind, fault.value, wrong) for kind in met)

    def fault(self, step: Step, fault: FaultClass, kinds: list[Kind], *, again: bool = False) -> tuple[Run, list[Kind]]:
        """The step from where it stands, with a fault at the first request of each of these kinds that it reaches."""
        placed = _Placed(self.world, step, fault, kinds)
        self.world.proxy.plan = placed.plan
        run = step.run(self.world, again=again)
        self.world.proxy.peace()
        return run, placed.kinds

    def start_of(self, step: Step) -> Picture:
        """What there is where a step begins."""
        self.recording(step)
        return self._starts[step.start]

    def wrong_after(self, step: Step, *runs: Run, wanted: Picture | None = None) -> list[str]:
        """What is not right after one `make up` more: else than what the step ends in, or than `wanted`."""
        world, start = self.world, self.start_of(step)
        wanted = wanted or self.recording(step).end
        world.proxy.peace()
        up = world.stack.make_up() if self.recovery else world.run("up", "--yes", "--skip-preview")
        if up.code:
            return [f"make up is red: {_last_error(up)}"]
        found = world.picture()
        # What a `destroy` had not come to may have stayed: the archive and the OAuth secret of before.
        before = start if step.verb == "delete" else wanted
        wrong = [f"left over, or not as it should be: {line}" for line in found.lines - wanted.lines - before.lines]
        wrong += [f"missing: {line}" for line in wanted.lines & before.lines - found.lines]
        wrong += [f"double: {line}" for line in found.doubles]
        if step.verb != "delete":
            moved = [name for name, id_ in found.ids.items() if start.ids.get(name, id_) != id_]
            wrong += [f"another id than before: {name}" for name in moved]
        if found.live_secrets not in (wanted.live_secrets, before.live_secrets):
            wrong.append(f"{found.live_secrets} OAuth secrets live, {wanted.live_secrets} should")
        if found == wanted:
            # To the letter what a peaceful run ended in, after which a second `up` was seen to change nothing.
            return wrong + self.said(*runs, up)
        again = world.second_up()
        if again.code:
            wrong.append(f"a second up would change something: {again.output[-600:]}")
        return wrong + self.said(*runs, up, again)

    def said(self, *runs: Run) -> list[str]:
        """Tracebacks, and secrets in what was printed or written."""
        environ = self.world.stack.environ
        secrets = [*SECRETS.values(), "hidden-", environ["DATABRICKS_TOKEN"], environ["FIFTYONE_API_KEY"]]
        held = self.world.workspace.fiftyone.secrets().get("CLIENT_SECRET_GPU")
        secrets += [held[0]] if held else []
        home = self.world.workspace.home
        files = [home / "requests.jsonl", home / "server.log"]
        files += [file for file in self.world.stack.folder.rglob("*") if file.is_file()]
        places = {f"what run {number} printed": run.output for number, run in enumerate(runs, 1)}
        places |= {file.name: file.read_text(errors="replace") for file in files}
        wrong = [
            f"a secret stands in {place}" for place, text in places.items() if any(map(text.__contains__, secrets))
        ]
        return wrong + ["a traceback is printed" for run in runs if "Traceback" in run.output]


@dataclass
class _Placed:
    """A class of fault at the first request of each of some kinds."""

    world: World
    step: Step
    fault: FaultClass
    wanted: list[Kind]
    kinds: list[Kind] = field(default_factory=list[Kind])
    _written: set[str] = field(default_factory=set[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, call: Call) -> Fault | None:
        kind = kind_of(call, self.step)
        with self._lock:
            if self.fault in LASTING and self.kinds:
                return Fault.RESET if kind.is_fiftyone == self.kinds[0].is_fiftyone else None
            stands = self.fault is FaultClass.STALE and kind.resource not in self._written
            if kind.writes:
                self._written.add(kind.resource)
            if stands or kind not in self.wanted or kind in self.kinds:
                return None
            self.kinds.append(kind)
        if self.fault is FaultClass.RESTARTED:
            self.world.restart()
        return FAULTS[self.fault]


def _last_error(run: Run) -> str:
    errors = [line.strip() for line in run.output.splitlines() if "error:" in line]
    return " | ".join(dict.fromkeys(errors))[:600] or run.output[-600:]
