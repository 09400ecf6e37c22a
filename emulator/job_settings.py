"""A job's settings as a body. Owns the fields and what they may hold; jobs.py checks them against the workspace."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from emulator.api import Body, invalid, only
from emulator.clusters import Cluster, Count, Text

Key = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w-]+$")]
EVENTS = "on_duration_warning_threshold_exceeded on_failure on_start on_streaming_backlog_exceeded on_success"
Emails = Annotated[dict[str, list[str] | bool], only(f"{EVENTS} no_alert_for_skipped_runs")]
Webhooks = Annotated[dict[str, list[Annotated[dict[str, str], only("id")]]], only(EVENTS)]
ALERTS = "no_alert_for_canceled_runs no_alert_for_skipped_runs"
ONE = Field(min_length=1, max_length=1)
Queue = Annotated[dict[str, bool], only("enabled"), Field(min_length=1)]
LIBRARIES = "cran egg jar maven pypi requirements whl"
Library = Annotated[dict[str, str | dict[str, str | list[str]]], only(LIBRARIES), ONE]


class SparkPythonTask(Body):
    python_file: Text
    parameters: list[str] | None = None
    source: Annotated[str, only("WORKSPACE GIT")] | None = None


class Task(Body):
    """Of the platform's many kinds of task, the stand-in takes Python files, none of which waits for another."""

    task_key: Key
    spark_python_task: SparkPythonTask
    description: Annotated[str, Field(max_length=1000)] | None = None
    disabled: Literal[False] | None = None
    email_notifications: Emails | None = None
    existing_cluster_id: str | None = None
    job_cluster_key: Key | None = None
    libraries: list[Library] | None = None
    max_retries: Annotated[int, Field(ge=-1)] | None = None
    min_retry_interval_millis: Count | None = None
    new_cluster: Cluster | None = None
    notification_settings: Annotated[dict[str, bool], only(f"{ALERTS} alert_on_last_attempt")] | None = None
    retry_on_timeout: bool | None = None
    run_if: Annotated[str, only("ALL_SUCCESS")] | None = None
    timeout_seconds: Count | None = None
    webhook_notifications: Webhooks | None = None


class JobCluster(Body):
    job_cluster_key: Key
    new_cluster: Cluster


class Parameter(Body):
    name: Key
    default: str


class Settings(Body):
    """Fields as in the platform's JobSettings, limits as its Jobs API documents them."""

    name: Annotated[str, Field(max_length=4096)] | None = None
    description: Annotated[str, Field(max_length=27700)] | None = None
    edit_mode: Annotated[str, only("EDITABLE UI_LOCKED")] | None = None
    email_notifications: Emails | None = None
    format: Annotated[str, only("MULTI_TASK")] | None = None
    job_clusters: Annotated[list[JobCluster], Field(max_length=100)] | None = None
    max_concurrent_runs: Annotated[int, Field(ge=0, le=1000)] | None = None
    notification_settings: Annotated[dict[str, bool], only(ALERTS)] | None = None
    parameters: list[Parameter] | None = None
    performance_target: Annotated[str, only("PERFORMANCE_OPTIMIZED STANDARD")] | None = None
    queue: Queue | None = None
    run_as: Annotated[dict[str, str], only("user_name service_principal_name"), ONE] | None = None
    schedule: Annotated[dict[str, str], only("quartz_cron_expression timezone_id pause_status")] | None = None
    tags: Annotated[dict[str, str], Field(max_length=25)] | None = None
    # The platform takes 1000, and from the 101st shows them a page at a time, which the stand-in does not.
    tasks: Annotated[list[Task], Field(max_length=100)] | None = None
    timeout_seconds: Count | None = None
    webhook_notifications: Webhooks | None = None

    def clusters(self) -> list[Cluster]:
        """Every cluster that the job would start."""
        own = [task.new_cluster for task in self.tasks or [] if task.new_cluster]
        return own + [cluster.new_cluster for cluster in self.job_clusters or []]

    def check(self) -> None:
        """Refuse what contradicts itself inside the job. Raises ApiError."""
        tasks, clusters = self.tasks or [], self.job_clusters or []
        _unique("task_key", (task.task_key for task in tasks))
        _unique("job_cluster_key", (cluster.job_cluster_key for cluster in clusters))
        _unique("parameter", (parameter.name for parameter in self.parameters or []))
        keys = {cluster.job_cluster_key for cluster in clusters}
        for task in tasks:
            if [task.job_cluster_key, task.new_cluster, task.existing_cluster_id].count(None) != 2:
                raise invalid(
                    f"Task {task.task_key}: exactly one of job_cluster_key, new_cluster and existing_cluster_id "
                    "must be specified."
                )
            if task.job_cluster_key and task.job_cluster_key not in keys:
                raise invalid(f"Task {task.task_key} references undefined job cluster {task.job_cluster_key}.")


def _unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise invalid(f"Duplicate {what}: {name}.")
        seen.add(name)
