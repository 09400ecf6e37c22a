"""Runs and task runs as they are kept. Owns their rows and how these change, and where a log lies.

Nothing else writes the two tables. A run waits (QUEUED), has one of its job's places (PENDING, RUNNING, TERMINATING) or
has ended. Handlers ask for a change, such as a cancellation, by writing it here; the executor carries it out.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

from emulator.outcomes import ACTIVE, Outcome
from emulator.store import new_id, now_ms

_ACTIVE = f"state IN {ACTIVE}"


def create(
    db: sqlite3.Connection,
    job_id: int,
    settings: dict[str, Any],
    parameters: dict[str, str],
    creator: str,
    run_as: str,
    idempotency_token: str | None,
) -> int:
    """A run that waits, with one task run for each task of `settings`, which it keeps whatever becomes of the job."""
    run_id = new_id(db)
    db.execute(
        "INSERT INTO runs"
        " (id, job_id, settings, parameters, creator, run_as, idempotency_token, state, message, created_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'QUEUED', '', ?)",
        (run_id, job_id, json.dumps(settings), json.dumps(parameters), creator, run_as, idempotency_token, now_ms()),
    )
    for task in settings["tasks"]:
        db.execute(
            "INSERT INTO task_runs (id, run_id, task_key, state, message) VALUES (?, ?, ?, 'BLOCKED', '')",
            (new_id(db), run_id, task["task_key"]),
        )
    return run_id


def started_with(db: sqlite3.Connection, idempotency_token: str | None) -> int | None:
    """The run that was started with a token before, of whatever job."""
    row = db.execute("SELECT id FROM runs WHERE idempotency_token = ?", (idempotency_token,)).fetchone()
    return row and row["id"]


def run(db: sqlite3.Connection, run_id: int | str) -> sqlite3.Row | None:
    return db.execute("SELECT * FROM runs WHERE CAST(id AS TEXT) = ?", (str(run_id),)).fetchone()


def task_run(db: sqlite3.Connection, task_run_id: int | str) -> sqlite3.Row | None:
    return db.execute("SELECT * FROM task_runs WHERE CAST(id AS TEXT) = ?", (str(task_run_id),)).fetchone()


def tasks(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM task_runs WHERE run_id = ? ORDER BY task_key", (run_id,)).fetchall()


def log_file(home: Path, task_run_id: int) -> Path:
    return home / "runs" / str(task_run_id) / "log"


def unended(db: sqlite3.Connection, where: str = "1") -> list[sqlite3.Row]:
    """Runs that have not ended, the oldest first."""
    return db.execute(f"SELECT * FROM runs WHERE end_ms IS NULL AND {where} ORDER BY id").fetchall()  # noqa: S608 - ours


def active(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Runs that have a place, the oldest first."""
    return unended(db, _ACTIVE)


def place_free(db: sqlite3.Connection, job_id: int, limit: int) -> bool:
    """Whether one more run of the job may start."""
    count = f"SELECT count(*) FROM runs WHERE job_id = ? AND end_ms IS NULL AND {_ACTIVE}"  # noqa: S608 - ours
    return db.execute(count, (job_id,)).fetchone()[0] < limit


def admit(db: sqlite3.Connection, run_id: int) -> None:
    """Give a waiting run one of its job's places."""
    db.execute(
        "UPDATE runs SET state = 'PENDING', message = 'Waiting for cluster', admitted_ms = ? WHERE id = ?",
        (now_ms(), run_id),
    )


def advance(db: sqlite3.Connection, run_id: int, state: str, message: str) -> None:
    db.execute("UPDATE runs SET state = ?, message = ? WHERE id = ?", (state, message, run_id))


def end(db: sqlite3.Connection, run_id: int, outcome: Outcome) -> None:
    """End a run, and whichever of its tasks have not ended, in the same way."""
    for task in tasks(db, run_id):
        if task["end_ms"] is None:
            end_task(db, task["id"], outcome)
    db.execute(
        "UPDATE runs SET state = ?, result = ?, code = ?, message = ?, end_ms = ? WHERE id = ?",
        (outcome.state, outcome.result, outcome.code, outcome.message, now_ms(), run_id),
    )


def begin_task(db: sqlite3.Connection, task_run_id: int) -> None:
    db.execute(
        "UPDATE task_runs SET state = 'PENDING', message = 'Waiting for cluster', start_ms = ? WHERE id = ?",
        (now_ms(), task_run_id),
    )


def task_running(db: sqlite3.Connection, task_run_id: int, pid: int, pid_started: str | None) -> None:
    db.execute(
        "UPDATE task_runs SET state = 'RUNNING', message = 'In run', ready_ms = ?, pid = ?, pid_started = ?"
        " WHERE id = ?",
        (now_ms(), pid, pid_started, task_run_id),
    )


def task_terminating(db: sqlite3.Connection, task_run_id: int) -> None:
    db.execute("UPDATE task_runs SET state = 'TERMINATING', message = '' WHERE id = ?", (task_run_id,))


def end_task(db: sqlite3.Connection, task_run_id: int, outcome: Outcome, exit_code: int | None = None) -> None:
    db.execute(
        "UPDATE task_runs SET state = ?, result = ?, code = ?, message = ?, exit_code = ?, end_ms = ? WHERE id = ?",
        (outcome.state, outcome.result, outcome.code, outcome.message, exit_code, now_ms(), task_run_id),
    )


def cancel(db: sqlite3.Connection, *, run_id: int | None = None, job_id: int | None = None) -> None:
    """Ask for the end of one run or of a job's; the executor ends them."""
    db.execute("UPDATE runs SET cancel = 1 WHERE end_ms IS NULL AND (id = ? OR job_id = ?)", (run_id, job_id))
