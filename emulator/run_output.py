"""What a task run has printed. Owns how its log is read back and what its failure is called."""

import signal
import sqlite3
from pathlib import Path
from typing import Any

from emulator.outcomes import FAILED

# The Jobs API's documented limit of what it shows of a log: its end.
MAX_LOG_BYTES = 5 * 1024 * 1024
TRACEBACK = "Traceback (most recent call last):"


def log_file(home: Path, task_run_id: int) -> Path:
    return home / "runs" / str(task_run_id) / "log"


def read_output(home: Path, task: sqlite3.Row) -> dict[str, Any]:
    """The end of the log so far and, for a task that failed, why."""
    file = log_file(home, task["id"])
    content, truncated = b"", False
    if file.exists():
        with file.open("rb") as log:
            truncated = log.seek(0, 2) > MAX_LOG_BYTES
            log.seek(-MAX_LOG_BYTES if truncated else 0, 2 if truncated else 0)
            content = log.read(MAX_LOG_BYTES)
    # A character that is cut in two at the beginning.
    while truncated and content[:1] and content[0] & 0xC0 == 0x80:
        content = content[1:]
    logs = content.decode(errors="replace")
    answer: dict[str, Any] = {"logs": logs, "logs_truncated": truncated}
    if task["code"] == FAILED.code and task["exit_code"] is not None:
        answer |= _failure(task["exit_code"], logs)
    elif task["result"] not in (None, "SUCCESS"):
        answer["error"] = task["message"]
    return answer


def _failure(exit_code: int, logs: str) -> dict[str, str]:
    """The platform shows the exception that ended a Python file, be it SystemExit."""
    if exit_code < 0:
        name = signal.strsignal(-exit_code) or f"signal {-exit_code}"
        return {"error": f"The Python process exited with exit code {128 - exit_code} ({name})."}
    before, found, trace = logs.rpartition(TRACEBACK)
    last = trace.rstrip().rpartition("\n")[2]
    if exit_code == 1 and found and last and not last[0].isspace() and (not before or before.endswith("\n")):
        return {"error": last, "error_trace": found + trace.rstrip()}
    return {"error": f"SystemExit: {exit_code}", "error_trace": f"SystemExit: {exit_code}"}
