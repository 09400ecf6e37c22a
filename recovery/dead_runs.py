"""What is left on this machine of a run whose engine is no more: its processes, its lock, a file half written.

A killed engine leaves the program, and providers with a call in flight, which goes on. They are known by a mark that
make targets set in a run's environment (toolchain/stack.py), which children inherit; process groups do not hold.
"""

import socket
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from toolchain.environment import PROJECT
from toolchain.locks import Lock
from toolchain.stack import RUN_MARK

ENGINE: Final = "pulumi"
SECONDS_TO_END: Final = 30


def is_over(lock: Lock) -> bool | None:
    """Whether the run that holds the lock is over; None where only another machine knows."""
    if lock.hostname != socket.gethostname():
        return None
    try:
        process = psutil.Process(lock.pid)
        # A process that is younger than the lock has but the same number; of an engine, clocks may have moved.
        younger = process.create_time() > datetime.fromisoformat(lock.since).timestamp()
        return _is_over(process) or (younger and not _is_engine(process))
    except psutil.NoSuchProcess:
        return True


def mend_checkpoint(stack: str, folder: Path) -> bool:
    """Take away what an engine that was killed while it wrote the state has left beside it; whether there was any.

    The state itself is renamed into its place. What is written beside it is not, and without a content the engine says
    "failed to load checkpoint: EOF" (gocloud.dev, blob/fileblob).
    """
    checkpoint = folder / "stacks" / PROJECT / f"{stack}.json"
    left = [file for file in checkpoint.parent.glob(f"{checkpoint.name}*.attrs") if not file.stat().st_size]
    left += checkpoint.parent.glob(f"{checkpoint.name}.*.tmp")
    for file in left:
        file.unlink()
    return bool(left)


def end_processes(stack: str) -> int:
    """End what is left of the stack's dead runs, and wait until it is gone; how many processes that were.

    Raises:
        TimeoutError: a process does not end.
    """
    left = [process for run in _runs(stack).values() if not any(map(_is_engine, run)) for process in run]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(left, timeout=SECONDS_TO_END)
    if alive := [process for process in alive if not _is_over(process)]:
        raise TimeoutError(f"process {alive[0].pid}, left of a run that is over, does not end")
    return len(left)


def _runs(stack: str) -> dict[str, list[psutil.Process]]:
    """Processes by the mark of their run, as far as this user may look."""
    found: defaultdict[str, list[psutil.Process]] = defaultdict(list)
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(RUN_MARK, "")
        except psutil.Error:
            continue
        if mark.startswith(f"{stack}/"):
            found[mark].append(process)
    return found


def _is_engine(process: psutil.Process) -> bool:
    try:
        # Some packages of Pulumi put a script of its name before the program.
        return process.name().strip(".").removesuffix("-wrapped") == ENGINE and not _is_over(process)
    except psutil.NoSuchProcess:
        return False


def _is_over(process: psutil.Process) -> bool:
    """Whether it has ended, though its parent may not have asked yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
