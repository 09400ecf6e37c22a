"""Processes of tasks: each task has a group of its own, which ends with it. Knows nothing of runs.

A process of a dead server is only ended if it is surely ours: by its start time, or by a HOME below the run's folder.
Both are read from /proc. Where a system has none (macOS), what a killed server leaves of a task, and what leaves its
task's group, goes on until it ends by itself; the group of a task still ends with it.
"""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
# What a program has to end itself in before it is ended.
GRACE_SECONDS = 5


def started(pid: int) -> str | None:
    """When a living process started, as a text to compare; None for one that is not there, or without /proc."""
    try:
        # The 22nd field, counted behind the name, which may hold anything; unique until the machine restarts.
        ticks = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
        return f"{(PROC / 'sys/kernel/random/boot_id').read_text().strip()} {ticks}"
    except OSError:
        return None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _end_strays(home: Path) -> None:
    """End what has left its group, known by its HOME. Only where processes show their environment."""
    mark = b"\0HOME=" + os.fsencode(home) + b"\0"
    for environment in PROC.glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in b"\0" + environment.read_bytes() + b"\0":
                os.kill(int(environment.parent.name), signal.SIGKILL)


async def end(process: Process, home: Path) -> None:
    """End a task's processes: asked first, then without asking. Returns when its own process is gone."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()
    _end_strays(home)


def end_left_behind(pid: int | None, when: str | None, home: Path) -> None:
    """End what a dead server has left of a task."""
    if pid is not None and when is not None and started(pid) == when:
        _signal_group(pid, signal.SIGKILL)
    _end_strays(home)
