"""Engines that are killed or interrupted in the middle of a step, at the last request of a resource that writes.

The recording places them: the engine ends while such a call is on its way. Everything before it is a step that is over,
and the call itself has been done or not.
"""

import signal
import threading
from dataclasses import dataclass, field
from enum import Enum
from subprocess import Popen

from recovery.dead_runs import end_processes
from tests.engine.api_call import Call
from tests.engine.fault_proxy import Fault, FaultProxy
from tests.engine.stack import Run
from tests.faults.cell import Cell
from tests.faults.matrix import Matrix, cell
from tests.faults.requests import Kind, kind_of
from tests.faults.steps import Step

# An engine that was interrupted twice gives up on calls at once; one that hangs is a failure of the test.
PATIENCE_SECONDS = 120


class EngineEnd(Enum):
    """How the engine ends, by its column in the table."""

    KILLED_AFTER = "SIGKILL after the act"
    KILLED_BEFORE = "SIGKILL before the act"
    INTERRUPTED = "SIGINT"
    INTERRUPTED_TWICE = "SIGINT twice, after the act"


ACTS = (EngineEnd.KILLED_AFTER, EngineEnd.INTERRUPTED_TWICE)


def ended_at(matrix: Matrix, step: Step, end: EngineEnd, kind: Kind) -> Cell:
    """The engine ends while such a call is on its way."""
    step.begin(matrix.world)
    held = Held(matrix.world.proxy, step, kind, acts=end in ACTS)
    matrix.world.proxy.plan = held.plan
    engine = matrix.world.stack.start(*step.command, **step.environ)
    try:
        wrong = ["the request was not made again"]
        if held.wait():
            wrong = matrix.wrong_after(step, _end(engine, end, held, matrix.world.stack.name))
    finally:
        held.over.set()
        engine.kill()
        engine.wait()
        end_processes(matrix.world.stack.name)
    # Of a killed engine, what it has left holds the output open until recovery has ended it.
    wrong += matrix.said(Run(code=engine.returncode, output=_rest(engine)))
    return cell(step, kind, end.value, wrong)


@dataclass
class Held:
    """The first call of a kind: done and not answered, or held and then let go, or lost if the engine is no more."""

    proxy: FaultProxy
    step: Step
    kind: Kind
    acts: bool
    over: threading.Event = field(default_factory=threading.Event)
    lost: bool = True
    _reached: threading.Event = field(default_factory=threading.Event)

    def plan(self, call: Call) -> Fault | None:
        if self._reached.is_set() or kind_of(call, self.step) != self.kind:
            return None
        self._reached.set()
        if self.acts:
            return Fault.SILENT
        self.over.wait()
        return Fault.LOST if self.lost else None

    def wait(self) -> bool:
        """Whether the call was made, and done if it was to be."""
        return (self.proxy.silenced if self.acts else self._reached).wait(PATIENCE_SECONDS)


def _end(engine: Popen[str], end: EngineEnd, held: Held, stack: str) -> Run:
    """End the engine; what it had printed."""
    if end in (EngineEnd.KILLED_AFTER, EngineEnd.KILLED_BEFORE):
        engine.kill()
        return Run(code=engine.wait(), output="")

    def end_it() -> None:
        engine.kill()
        end_processes(stack)

    patience = threading.Timer(PATIENCE_SECONDS, end_it)
    patience.start()
    engine.send_signal(signal.SIGINT)
    printed = _until_it_says_so(engine)
    if end is EngineEnd.INTERRUPTED_TWICE:
        engine.send_signal(signal.SIGINT)
    else:
        # The engine waits for calls that are on their way.
        held.lost = False
        held.over.set()
    run = Run(code=engine.wait(), output=printed + _rest(engine))
    assert patience.is_alive(), f"an engine that was interrupted did not end:\n{run.output}"
    patience.cancel()
    return run


def _until_it_says_so(engine: Popen[str]) -> str:
    printed = ""
    for line in engine.stdout or ():
        printed += line
        if "cancel" in line.lower():
            break
    return printed


def _rest(engine: Popen[str]) -> str:
    return engine.stdout.read() if engine.stdout else ""
