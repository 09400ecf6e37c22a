"""What the processes of a command take, by what they are: processor seconds and the most memory each held.

Reads Linux' /proc while the command runs, because the engine's processes go with it and leave nothing behind.
"""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")
# Which process is which, by a word of its command line; the first that fits.
ROLES = {
    "pulumi-language-python-exec": "program",
    "pulumi.dynamic": "dynamic providers",
    "pulumi.policy": "policy pack",
    "pulumi-analyzer-policy": "policy pack",
    "pulumi-resource-databricks": "databricks provider",
    "pulumi": "engine",
}


@dataclass(kw_only=True)
class Usage:
    """Of the processes of one role: processor seconds of all, and the most that one held, in MB."""

    seconds: float = 0.0
    megabytes: float = 0.0


@dataclass
class Watch:
    """All descendants of this process that were seen, and those alone that a command has started."""

    _seen: dict[int, tuple[str, float, float]] = field(default_factory=dict[int, tuple[str, float, float]])
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Generator["Watch"]:
        before = _descendants(os.getpid())
        thread = threading.Thread(target=self._look, args=(before,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()

    def usage(self) -> dict[str, Usage]:
        """By role; what fits none is left out."""
        found: dict[str, Usage] = {}
        for role, seconds, megabytes in self._seen.values():
            usage = found.setdefault(role, Usage())
            usage.seconds += seconds
            usage.megabytes = max(usage.megabytes, megabytes)
        return found

    def _look(self, before: set[int]) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            for pid in _descendants(os.getpid()) - before:
                with suppress(OSError, ValueError, IndexError):
                    if role := _role(pid):
                        self._seen[pid] = (role, _seconds(pid), _megabytes(pid))


def _descendants(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in map(int, (task / "children").read_text().split()):
                    found |= {child, *_descendants(child)}
    return found


def _role(pid: int) -> str | None:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return next((role for word, role in ROLES.items() if word in command), None)


def _seconds(pid: int) -> float:
    # After the name, which may hold anything: fields 14 and 15 of proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise ValueError(pid)
