"""Finds, among the runs that a job has had, the command by which FiftyOne registers operators. Only reads.

The command is no part of what FiftyOne documents, so it cannot be made up: the platform keeps it with each run, for 60
days, and whoever finds it keeps it.
"""

from itertools import islice
from typing import TYPE_CHECKING

from databricks_provider.sdk_import import SDK_IMPORT

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import BaseRun

COMMAND = "command"
# Runs that are looked through, newest first: 100 pages of 20, half a minute of waiting on a job that is used a lot.
NEWEST = 2000


def registration_command(client: "WorkspaceClient", job_id: int, task_key: str) -> str:
    """The command of the newest successful run of the registration task alone, or nothing.

    For a task that does nothing but register: runs of a task that also executes cannot be told apart. A run of the
    job's default command registered nothing, be it today's default or the one of when it ran.

    Raises:
        DatabricksError: the job is not there, or may not be read.
    """
    settings = client.jobs.get(job_id).settings
    defaults = {each.default for each in (settings and settings.parameters) or [] if each.name == COMMAND}
    for run in islice(client.jobs.list_runs(job_id=job_id, completed_only=True, expand_tasks=True), NEWEST):
        for parameter in run.job_parameters or []:
            if parameter.name != COMMAND or not parameter.value or parameter.value in {*defaults, parameter.default}:
                continue
            if _registered(run, task_key):
                return parameter.value
    return ""


def _registered(run: "BaseRun", task_key: str) -> bool:
    """Whether the run succeeded and ran this task alone."""
    with SDK_IMPORT:
        from databricks.sdk.service.jobs import RunStatus, TerminationCodeCode

    def code(status: RunStatus | None) -> TerminationCodeCode | None:
        return status.termination_details.code if status and status.termination_details else None

    # The platform lists tasks that were disabled or skipped with those that ran.
    idle = (TerminationCodeCode.DISABLED, TerminationCodeCode.SKIPPED)
    ran = {task.task_key for task in run.tasks or [] if code(task.status) not in idle}
    return code(run.status) is TerminationCodeCode.SUCCESS and ran == {task_key}
