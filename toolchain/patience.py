"""Runs a command that Ctrl-C reaches by itself, and waits until it has ended.

Python would kill it a quarter of a second later: an engine would leave its stack locked, and a call without its answer.
"""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType


def run_to_its_end(command: Sequence[str], environ: Mapping[str, str], folder: Path) -> int:
    """The command's exit code; what it prints is shown."""
    before = signal.signal(signal.SIGINT, _leave_it_to_the_command)
    try:
        return subprocess.run(command, cwd=folder, env=dict(environ), check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _leave_it_to_the_command(_number: int, _frame: FrameType | None) -> None:
    pass
