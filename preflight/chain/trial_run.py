"""A run of the job with its default command, as the identity that FiftyOne starts it as, followed to its end.

Owns the run, what is shown while it goes, and what is said of one that fails; causes are troubleshooting's.
"""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from preflight.chain.check import BrokenError, Check
from preflight.chain.contents import content_of, keys_of
from preflight.chain.credential import credential_of, right_of
from preflight.chain.deployed import Deployed, Resource
from preflight.chain.registered import names_job
from troubleshooting.causes import cause_of, mend_of

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run

SECONDS_OF_SILENCE: Final = 50.0
LOG_LINES: Final = 20


def trial_runs(deployed: Deployed, clients: Mapping[str, "WorkspaceClient"]) -> Iterator[Check]:
    """A run of each task that FiftyOne starts; that of the registration task only after the other has succeeded."""
    for orchestrator in deployed.of_type("fiftyone:Orchestrator"):
        refresh, job = deployed.named("fiftyone:OperatorRefresh", f"{orchestrator.name}-operators"), None
        needs = _needs(deployed, orchestrator)
        job = deployed.named("Job", orchestrator.name)
        if job is None or refresh is None:
            continue
        config: Mapping[str, str] = orchestrator.inputs["config"]
        for field in ("executionTaskId", "registrationTaskId"):
            if task := config.get(field):
                key = f"run of {task} of {job.urn}"
                yield Check(
                    subject=f"{task} of {job.name}",
                    key=key,
                    needs=needs,
                    look=lambda orchestrator=orchestrator, job=job, task=task, refresh=refresh: _run(
                        deployed.stack, clients[orchestrator.name], job, task, float(refresh.outputs["timeoutMinutes"])
                    ),
                )
                needs = needs | {key}


def _needs(deployed: Deployed, orchestrator: Resource) -> frozenset[str]:
    before = deployed.before(orchestrator)
    files = [*deployed.of_type("WorkspaceFile"), *deployed.of_type("databricks:Archive")]
    return before | {
        *(content_of(file) for file in files if file.urn in before),
        *(keys_of(job) for job in deployed.of_type("Job") if job.urn in before),
        names_job(orchestrator),
        credential_of(orchestrator),
        right_of(orchestrator),
    }


def _run(stack: str, client: "WorkspaceClient", job: Resource, task: str, minutes: float) -> str:
    # Its type is not known whole, for what can be waited on is generic without saying of what.
    jobs: Any = client.jobs
    try:
        started = jobs.run_now(int(job.id), only=[task], idempotency_token=str(uuid.uuid4()))
    except OSError as error:
        raise _failed(stack, f"it could not be started: {' '.join(str(error).split())}", []) from None
    run_id = int(started.run_id)
    progress = _Progress(f"run {run_id} of {task}, {job.name}")
    if not _ended(started, minutes, progress):
        jobs.cancel_run(run_id)
        raise BrokenError(
            f"run {run_id} had not ended after {minutes:g} minutes, and was cancelled ({progress.url})",
            f"look at what it waits for; `orchestrators.{job.name}.registrationTimeoutMinutes` gives it longer",
        )
    return _judged(stack, client, client.jobs.get_run(run_id))


def _ended(started: Any, minutes: float, progress: "_Progress") -> bool:
    """Wait for the end of a run, whichever that is; whether it came in time."""
    from databricks.sdk.errors import OperationFailed

    deadline = time.monotonic() + minutes * 60
    while (left := deadline - time.monotonic()) > 0:
        try:
            started.result(timeout=timedelta(seconds=left), callback=progress.say)
        except OperationFailed:
            return True
        # Of one look that was not answered, or of all the time there was.
        except TimeoutError:
            progress.not_answered()
        else:
            return True
    return False


def _judged(stack: str, client: "WorkspaceClient", run: "Run") -> str:
    details = run.status.termination_details if run.status else None
    code = details.code.value if details and details.code else "UNKNOWN"
    if code == "SUCCESS":
        return f"run {run.run_id} of {', '.join(str(task.task_key) for task in run.tasks or [])} succeeded"
    message = (details.message if details else None) or "Databricks does not say why"
    raise _failed(stack, f"run {run.run_id} ended with {code}: {message} ({run.run_page_url})", list(_log(client, run)))


def _failed(stack: str, what: str, log: Iterable[str]) -> BrokenError:
    lines = list(log)
    known = cause_of(what, "\n".join(lines))
    found = f"{what} {known.cause}" if known else what
    if lines:
        found = "\n      ".join([f"{found} The end of its log:", *lines])
    mend = mend_of(known, stack) if known else "docs/troubleshooting.md leads from messages to causes"
    return BrokenError(found, mend)


def _log(client: "WorkspaceClient", run: "Run") -> Iterator[str]:
    """The end of what the run printed, and its error; nothing where that cannot be had."""
    for task in run.tasks or []:
        try:
            output = client.jobs.get_run_output(task.run_id or 0)
        except OSError:
            continue
        lines = (output.logs or "").rstrip().splitlines()[-LOG_LINES:]
        yield from lines
        if output.error and output.error not in lines:
            yield from output.error.splitlines()[-LOG_LINES:]


class _Progress:
    """Says where a run stands: when that changes, and once a minute."""

    def __init__(self, what: str) -> None:
        self._what, self._said, self._started = what, "", time.monotonic()
        self._said_at = self._started
        self.url = ""

    def say(self, run: "Run") -> None:
        """Print it; called at every look."""
        state = run.status.state.value if run.status and run.status.state else "of unknown state"
        now = time.monotonic()
        self.url = run.run_page_url or ""
        if state not in (self._said, "TERMINATED") or now - self._said_at > SECONDS_OF_SILENCE:
            print(f"  {self._what}: {state} after {now - self._started:.0f} s", flush=True)
            self._said, self._said_at = state, now

    def not_answered(self) -> None:
        """Print that a look was in vain; the run goes on without us."""
        print(f"  {self._what}: no answer after {time.monotonic() - self._started:.0f} s", flush=True)
