"""Starts a run of a job's registration task and follows it to its end. Owns the run and what is said about it.

Which command to run, and what FiftyOne makes of it, are its caller's. It prints what a deployment shows while it waits.
"""

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from databricks_provider.sdk_import import SDK_IMPORT
from fiftyone_provider.registration_history import COMMAND
from troubleshooting.causes import explanation

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run, RunTask

# Seconds between two looks: short for runs that end at once, growing because a cluster takes minutes to start.
FIRST_WAIT, LONGEST_WAIT, GROWTH = 1.0, 10.0, 1.5
# With the longest wait on top, something is said once a minute.
SECONDS_OF_SILENCE = 50.0
LOG_LINES = 40

UNAWARE = "FiftyOne has not learnt which operators there are now."
ENDS = {
    "CANCELED": "was cancelled",
    "FAILED": "failed",
    "MAXIMUM_CONCURRENT_RUNS_REACHED": "was skipped, as its job had no place for one more run",
    "TIMEDOUT": "timed out",
}


@dataclass(frozen=True, kw_only=True)
class RegistrationTask:
    """What is run: one task of a job. `instance_id` is the orchestrator that messages name."""

    instance_id: str
    job_id: int
    task_key: str


class RegistrationError(RuntimeError):
    """A run that could not be started or followed, or that did not succeed; says what to do about it."""


def register_operators(client: "WorkspaceClient", task: RegistrationTask, command: str, minutes: float) -> None:
    """Run the task with the command until it has succeeded.

    Args:
        client: of the workspace.
        task: what to run.
        command: FiftyOne's; it is shown nowhere.
        minutes: after which the run is cancelled. A wait for a place among the job's runs counts.

    Raises:
        RegistrationError: it did not succeed in that time.
    """
    try:
        started: Any = client.jobs.run_now(
            task.job_id,
            only=[task.task_key],
            job_parameters={COMMAND: command},
            # databricks-sdk sends a request again whose answer was lost.
            idempotency_token=str(uuid.uuid4()),
        )
    # All that databricks-sdk raises of a call is one: refusals, errors of the connection, the end of its retries.
    except OSError as error:
        raise RegistrationError(
            f"The run that registers the operators of {task.instance_id}, {task.task_key} of job {task.job_id}, could "
            f"not be started: {_plain(error)}. {UNAWARE}{_known(str(error))} Mend that and run the same command again, "
            "which tries again."
        ) from None
    _Following(client, task, int(started.run_id)).until_success(minutes)


class _Following:
    """One run, looked at until it ends."""

    def __init__(self, client: "WorkspaceClient", task: RegistrationTask, run_id: int) -> None:
        self._client, self._task, self._run_id = client, task, run_id
        self._run: Run | None = None
        self._started = self._said_at = time.monotonic()
        self._said = ""

    def until_success(self, minutes: float) -> None:
        """Wait for the end. Raises RegistrationError for one that is no success or does not come in time."""
        deadline, wait = self._started + minutes * 60, FIRST_WAIT
        while True:
            state = self._look()
            if state == "TERMINATED" and self._run:
                return self._judge(self._run)
            self._say(state)
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._error(
                    f"had not ended after {minutes:g} minutes, {state}, {self._cancelled()}; `orchestrators."
                    f"{self._task.instance_id}.registrationTimeoutMinutes` gives it longer"
                )
            time.sleep(min(wait, left))
            wait = min(wait * GROWTH, LONGEST_WAIT)

    def _look(self) -> str:
        """The state, in the platform's word. A look that fails need not be the last: the run goes on without us."""
        with SDK_IMPORT:
            from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, Unauthenticated

        try:
            run = self._client.jobs.get_run(self._run_id)
        except (BadRequest, NotFound, PermissionDenied, Unauthenticated) as error:
            raise self._error(f"was started and cannot be followed: {_plain(error)}") from None
        except OSError as error:
            return f"of unknown state ({_plain(error)})"
        first, self._run = self._run is None, run
        if first:
            print(f"registering the operators of {self._task.instance_id}: {self._named()}", flush=True)
        task = self._task_run()
        states = [each.status.state.value for each in (run, task) if each and each.status and each.status.state]
        # A run is RUNNING while its task still waits for a cluster.
        return "PENDING" if states == ["RUNNING", "PENDING"] else states[0] if states else "of unknown state"

    def _say(self, state: str) -> None:
        now = time.monotonic()
        if state != self._said or now - self._said_at >= SECONDS_OF_SILENCE:
            waited = now - self._started
            shown = f"{waited:.0f} s" if waited < 60 else f"{waited / 60:.0f} min"
            print(f"operators of {self._task.instance_id}: run {self._run_id} is {state} ({shown})", flush=True)
            self._said, self._said_at = state, now

    def _judge(self, run: "Run") -> None:
        details = run.status.termination_details if run.status else None
        code = details.code.value if details and details.code else "UNKNOWN"
        if code == "SUCCESS":
            return
        result = run.state.result_state.value if run.state and run.state.result_state else ""
        message = (details.message if details else None) or "Databricks does not say why"
        raise self._error(f"{ENDS.get(result, 'ended without success')} ({code}): {message.rstrip('.')}")

    def _error(self, what: str) -> RegistrationError:
        instance_id, log = self._task.instance_id, self._log()
        return RegistrationError(
            f"The run that registers the operators of {instance_id} {what}. {UNAWARE}{_known(what, log)} Look at "
            f"{self._named()}, mend what stopped it, and run the same command again, which tries again. "
            "If FiftyOne has another command for it than before, which shows in a run that it starts itself, set that "
            f"as `orchestrators.{instance_id}.registrationCommand`.{log}"
        )

    def _named(self) -> str:
        url = self._run.run_page_url if self._run else None
        return f"run {self._run_id} of job {self._task.job_id}" + (f", {url}" if url else "")

    def _cancelled(self) -> str:
        try:
            self._client.jobs.cancel_run(self._run_id)
        except OSError as error:
            return f"and could not be cancelled, so that it may still be there ({_plain(error)})"
        return "and was cancelled"

    def _task_run(self) -> "RunTask | None":
        """The task's last attempt."""
        tasks = [task for task in (self._run and self._run.tasks) or [] if task.task_key == self._task.task_key]
        return max(tasks, key=lambda task: task.attempt_number or 0, default=None)

    def _log(self) -> str:
        """The end of what the task printed, and its error; nothing where there is none or it cannot be had."""
        task = self._task_run()
        if task is None or task.run_id is None:
            return ""
        try:
            output = self._client.jobs.get_run_output(task.run_id)
        except OSError:
            return ""
        lines = (output.logs or "").rstrip().splitlines()
        if output.error and output.error not in lines[-LOG_LINES:]:
            lines += output.error.splitlines()
        return "".join(["\nThe end of its log:", *(f"\n  {line}" for line in lines[-LOG_LINES:])]) if lines else ""


def _known(*texts: str) -> str:
    """The cause of what a run says, and what to do, where it is known."""
    found = explanation(*texts)
    return f" {found}" if found else ""


def _plain(error: Exception) -> str:
    """What an error says, for the middle of a sentence."""
    return str(error).rstrip(".")
