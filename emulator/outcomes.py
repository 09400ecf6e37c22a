"""How runs end, in the platform's words. Owns results, termination codes and messages; no storage, no process.

A run has one state in two forms: the old `life_cycle_state` with `result_state`, and the new `status`, in which every
end is TERMINATED and the termination code says which.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
# States that take one of a job's places, as `max_concurrent_runs` counts them.
ACTIVE = ("PENDING", "RUNNING", "TERMINATING")
WORKLOAD_FAILED = "Workload failed, see run output for details"


@dataclass(frozen=True)
class Outcome:
    """The end of a run or of a task."""

    state: str
    result: str
    code: str
    message: str = ""


SUCCESS = Outcome("TERMINATED", "SUCCESS", "SUCCESS")
CANCELED = Outcome("TERMINATED", "CANCELED", "USER_CANCELED", "Run cancelled.")
TIMED_OUT = Outcome("TERMINATED", "TIMEDOUT", "CANCELED", "Run timed out.")
FAILED = Outcome("TERMINATED", "FAILED", "RUN_EXECUTION_ERROR", WORKLOAD_FAILED)


def error(code: str, message: str) -> Outcome:
    """What stopped a task before its own program failed."""
    return Outcome("INTERNAL_ERROR", "FAILED", code, message)


def no_place(limit: int) -> Outcome:
    message = f"Skipped due to reaching maximum concurrent runs of {limit}."
    return Outcome("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "MAX_CONCURRENT_RUNS_EXCEEDED", message)


def cluster_failed(cluster_id: str, reason: str) -> Outcome:
    """A cluster that did not come up, in the words that its jobs show."""
    return error(
        "CLUSTER_ERROR",
        f"Unexpected failure while waiting for the cluster ({cluster_id}) to be ready: "
        f"Cluster {cluster_id} is in unexpected state Terminated: {reason}",
    )


def driver_lost(cluster_id: str) -> Outcome:
    return error("DRIVER_ERROR", f"Could not reach driver of cluster {cluster_id}.")


def cluster_id(task_run_id: int) -> str:
    """The name of the cluster that a task would have had to itself."""
    return f"stand-in-{task_run_id}"


def of_run(tasks: Mapping[str, Outcome]) -> Outcome:
    """What a run comes to from its tasks.

    Recorded: a job run with a failed task is an INTERNAL_ERROR in the old form of its state, the task is not.
    """
    for key, outcome in tasks.items():
        if outcome.result != "SUCCESS":
            message = f"Task {key} failed with message: {outcome.message.rstrip('.')}."
            return Outcome("INTERNAL_ERROR", "FAILED", outcome.code, message)
    return SUCCESS
