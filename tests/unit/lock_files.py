"""Locks of the engine's, as a backend that is a folder has them."""

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from toolchain.environment import PROJECT
from toolchain.locks import Lock, locks


def ended_pid() -> int:
    """The number of a process that was."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def written_lock(folder: Path, stack: str = "dev", **entries: Any) -> Lock:
    """A lock on a stack, held by this process unless said otherwise."""
    written = {
        "pid": psutil.Process().pid,
        "username": "somebody",
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "123Z"),
        **entries,
    }
    file = folder / "locks" / "organization" / PROJECT / stack / "1.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(written))
    file.with_name("1.json.attrs").write_text("{}")
    (lock,) = locks(stack, folder)
    return lock
