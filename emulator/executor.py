"""Runs what waits. Owns the job's places and queue, the processes of tasks and what ends them.

The database is the truth: handlers write what is asked, `advance` looks at it after each request and after each run.
All of it is in the server's event loop, so that between two awaits nothing else changes.
"""

import asyncio
import json
import os
import sqlite3
import sys
import traceback
from asyncio import Future
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import outcomes, processes, run_records
from emulator.outcomes import Outcome
from emulator.redaction import Redactor
from emulator.store import transaction
from emulator.task_directory import Order, Refused, clear, prepare
from emulator.task_order import make_order

# How long what still holds a task's output may go on writing after the task has ended.
LAST_OUTPUT_SECONDS = 2
# What ends a run from outside; None is the end of the server.
Stop = Future[Outcome | None]


@dataclass(frozen=True)
class _Task:
    """One task of a run that is going."""

    id: int
    run: sqlite3.Row
    settings: Mapping[str, Any]
    stop: Stop

    def stopped(self) -> Outcome:
        return self.stop.result() or outcomes.driver_lost(outcomes.cluster_id(self.id))


class Executor:
    def __init__(self, db: sqlite3.Connection, home: Path) -> None:
        self._db = db
        self._home = home
        self._going: dict[int, tuple[Stop, asyncio.Task[None]]] = {}
        self._closing = False

    def recover(self) -> None:
        """End what a server before this one has left going: its processes, then its runs."""
        with transaction(self._db):
            for run in run_records.active(self._db):
                for task in run_records.tasks(self._db, run["id"]):
                    if task["end_ms"] is None:
                        processes.end_left_behind(
                            task["pid"], task["pid_started"], self._folder(task["id"]) / "work/home"
                        )
                        lost = outcomes.driver_lost(outcomes.cluster_id(task["id"]))
                        run_records.end_task(self._db, task["id"], lost)
                    clear(self._folder(task["id"]))
                ended = {
                    task["task_key"]: Outcome(task["state"], task["result"], task["code"], task["message"])
                    for task in run_records.tasks(self._db, run["id"])
                }
                run_records.end(self._db, run["id"], outcomes.of_run(ended))

    def advance(self) -> None:
        """Cancel what is to be canceled and start what has a place."""
        if self._closing:
            return
        with transaction(self._db):
            for run in run_records.unended(self._db):
                going = self._going.get(run["id"])
                if run["cancel"] and going is None:
                    run_records.end(self._db, run["id"], outcomes.CANCELED)
                elif run["cancel"] and going is not None:
                    _set(going[0], outcomes.CANCELED)
                elif run["state"] == "QUEUED":
                    if run_records.place_free(self._db, run["job_id"], self._limit(run)):
                        run_records.admit(self._db, run["id"])
                        self._start(run)
                elif going is None:
                    self._start(run)

    async def close(self) -> None:
        """End every run that is going, as the platform ends one whose driver is lost."""
        self._closing = True
        works = [work for _, work in self._going.values()]
        for stop, _ in self._going.values():
            _set(stop, None)
        if works:
            await asyncio.wait(works, timeout=2 * processes.GRACE_SECONDS)

    def _folder(self, task_run_id: int) -> Path:
        return run_records.log_file(self._home, task_run_id).parent

    def _limit(self, run: sqlite3.Row) -> int:
        """The job's as it is now: a job that lets more run lets them out of its queue."""
        job = self._db.execute("SELECT settings FROM jobs WHERE id = ?", (run["job_id"],)).fetchone()
        return json.loads((job or run)["settings"]).get("max_concurrent_runs", 1)

    def _start(self, run: sqlite3.Row) -> None:
        stop: Stop = asyncio.get_running_loop().create_future()
        self._going[run["id"]] = stop, asyncio.create_task(self._run(run, stop))

    async def _run(self, run: sqlite3.Row, stop: Stop) -> None:
        job: dict[str, Any] = json.loads(run["settings"])
        settings: dict[str, dict[str, Any]] = {task["task_key"]: task for task in job["tasks"]}
        later, limit = asyncio.get_running_loop().call_later, job["timeout_seconds"]
        timer = later(limit, _set, stop, outcomes.TIMED_OUT) if limit else None
        rows = run_records.tasks(self._db, run["id"])
        tasks = [_Task(row["id"], run, settings[row["task_key"]], stop) for row in rows]
        ends = await asyncio.gather(*map(self._task, tasks))
        if timer:
            timer.cancel()
        outcome = outcomes.of_run({row["task_key"]: end for row, end in zip(rows, ends, strict=True)})
        with transaction(self._db):
            run_records.end(self._db, run["id"], (stop.result() if stop.done() else None) or outcome)
        del self._going[run["id"]]
        self.advance()

    async def _task(self, task: _Task) -> Outcome:
        """One task to its end, which it comes to whatever happens."""
        exit_code = None
        try:
            if task.stop.done():
                outcome = task.stopped()
            else:
                outcome, exit_code = await self._execute(task)
        except Refused as refused:
            outcome = refused.outcome
        except Exception as failure:  # noqa: BLE001 - whatever is wrong here, the run ends and says so
            print(
                type(failure).__name__,
                *traceback.format_tb(failure.__traceback__),
                sep="\n",
                file=sys.stderr,
                flush=True,
            )
            outcome = outcomes.error("INTERNAL_ERROR", "Run failed with an internal error.")
        await asyncio.to_thread(clear, self._folder(task.id))
        with transaction(self._db):
            run_records.end_task(self._db, task.id, outcome, exit_code)
        return outcome

    async def _execute(self, task: _Task) -> tuple[Outcome, int | None]:
        with transaction(self._db):
            run_records.begin_task(self._db, task.id)
            run_records.advance(self._db, task.run["id"], "RUNNING", "In run")
        order = make_order(self._db, self._home, task.run, task.id, task.settings)
        prepared = await asyncio.to_thread(prepare, order)
        if task.stop.done():
            return task.stopped(), None
        # A pipe of our own: asyncio takes a process for ended only when nobody holds the pipe that it made.
        output, given = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *prepared.command,
                env=prepared.environment,
                cwd=order.home,
                stdin=DEVNULL,
                stdout=given,
                stderr=STDOUT,
                start_new_session=True,
            )
        except OSError as problem:
            os.close(output)
            # Such as an environment that is larger than the system takes.
            raise Refused(outcomes.error("DRIVER_ERROR", f"The driver did not start: {problem.strerror}.")) from None
        finally:
            os.close(given)
        with transaction(self._db):
            run_records.task_running(self._db, task.id, process.pid, processes.started(process.pid))
        printing = asyncio.create_task(_keep(output, order, Redactor(order.secrets.values())))
        ended = asyncio.create_task(process.wait())
        limit = task.settings["timeout_seconds"] or None
        await asyncio.wait({ended, task.stop}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            outcome, exit_code = outcomes.FAILED if ended.result() else outcomes.SUCCESS, ended.result()
        else:
            outcome, exit_code = task.stopped() if task.stop.done() else outcomes.TIMED_OUT, None
            with transaction(self._db):
                run_records.task_terminating(self._db, task.id)
        await processes.end(process, order.home)
        await asyncio.wait({printing}, timeout=LAST_OUTPUT_SECONDS)
        printing.cancel()
        with suppress(asyncio.CancelledError):
            await printing
        return outcome, exit_code


def _set(stop: Stop, reason: Outcome | None) -> None:
    if not stop.done():
        stop.set_result(reason)


async def _keep(output: int, order: Order, redactor: Redactor) -> None:
    """Write what a task prints to its log as it comes, without its secrets."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb", buffering=0)
    )
    try:
        with (order.folder / "log").open("ab", buffering=0) as log:
            while piece := await reader.read(64 * 1024):
                log.write(redactor.feed(piece))
            log.write(redactor.rest())
    finally:
        transport.close()
