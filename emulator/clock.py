"""The clock of credentials: the machine's, ahead by what `clock-offset-seconds` in the home folder says.

Whatever else has a time, such as a run, has the machine's. Read at each use, so that a test lets months pass at once.
"""

from datetime import UTC, datetime
from pathlib import Path

from emulator import store

FILE = "clock-offset-seconds"


def now_ms(home: Path) -> int:
    """The time in milliseconds. A missing file is an offset of 0."""
    file = home / FILE
    return store.now_ms() + (int(float(file.read_text()) * 1000) if file.exists() else 0)


def shown(time_ms: int) -> str:
    """As answers write it: RFC 3339, in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
