"""A job as it stands in the workspace, in the words of the settings. Reads what the Jobs API answers; asks nothing.

Source of what a job of the guide's holds: guide, "Create Job".
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from components.job_names import STACK_TAG
from components.orchestrator_settings import SECRET_REFERENCE

# The variables of the guide's that refer to a secret, and those that hold a plain value.
SECRET_VARIABLES: Final = ("FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "PIP_EXTRA_INDEX_URL")
PLAIN_VARIABLES: Final = frozenset(
    {
        "API_URL",
        "ENTRYPOINT_COMMANDS",
        "FIFTYONE_DATABASE_NAME",
        "FIFTYONE_INTERNAL_SERVICE",
        "FIFTYONE_MAX_PROCESS_POOL_WORKERS",
        "FIFTYONE_PLUGINS_CACHE_ENABLED",
        "FIFTYONE_PLUGINS_DIR",
    }
)
NOT_SHOWN: Final = "a value that is not shown"
_MAY_BE_SECRET: Final = re.compile("key|secret|password|token|credential", re.IGNORECASE)
USER_INFO: Final = re.compile(r"(^|//)[^/\s]*@")


@dataclass(frozen=True, kw_only=True)
class LiveCluster:
    """A cluster that the job starts; `environment` is quoted as the job has it."""

    pools: tuple[str, ...]
    spec: Mapping[str, Any]
    environment: Mapping[str, str]

    @property
    def workers(self) -> int | None:
        """None where the cluster scales by itself."""
        return 0 if self.spec.get("is_single_node") else self.spec.get("num_workers")


@dataclass(frozen=True, kw_only=True)
class LiveJob:
    """The job, and the clusters of the tasks that FiftyOne starts, the second None where it starts but one."""

    id: str
    name: str
    run_as: str
    settings: Mapping[str, Any]
    execution: LiveCluster
    registration: LiveCluster | None

    @property
    def stack_tag(self) -> str:
        """Whose it says it is, if it is a stack's."""
        return part(self.settings, "tags").get(STACK_TAG, "")

    @property
    def scopes(self) -> list[str]:
        """The secret scopes that its runs read FiftyOne's three secrets from."""
        values = [self.execution.environment.get(name, "") for name in SECRET_VARIABLES]
        return sorted({value.split("/")[1] for value in values if SECRET_REFERENCE.fullmatch(value)})

    @property
    def files(self) -> list[str]:
        """The files that its tasks run from: entrypoints, then requirements."""
        tasks: list[dict[str, Any]] = self.settings.get("tasks", [])
        entrypoints = [task.get("spark_python_task", {}).get("python_file") for task in tasks]
        return list(dict.fromkeys(path for path in [*entrypoints, *self.requirements_files] if path))

    @property
    def requirements_files(self) -> list[str]:
        """The requirements files that its tasks install."""
        tasks: list[dict[str, Any]] = self.settings.get("tasks", [])
        libraries = [library for task in tasks for library in task.get("libraries", [])]
        return list(dict.fromkeys(library["requirements"] for library in libraries if "requirements" in library))


def live_job(job_id: str, settings: Mapping[str, Any], run_as: str, *, execution: str, registration: str) -> LiveJob:
    """The job by the keys of the tasks that FiftyOne starts; `registration` is "" where it starts but one.

    Raises:
        LookupError: names a task that the job has not, or one without a cluster of its own or the job's.
    """
    return LiveJob(
        id=job_id,
        name=str(settings.get("name", "")),
        run_as=run_as,
        settings=settings,
        execution=_cluster(settings, execution),
        registration=_cluster(settings, registration) if registration else None,
    )


def in_the_clear(job: LiveJob, known: Mapping[str, str]) -> list[str]:
    """Names of what may be a secret and stands in the job, from where an import would copy it into the stack's state.

    `known` are variables that the settings say are none.
    """
    return sorted({name for cluster in (job.execution, job.registration) if cluster for name in _clear(cluster, known)})


def plain(value: str) -> str:
    """A value of the environment as it arrives in a run, through the shell file of a cluster."""
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value


def part(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of the settings that may be left out."""
    return cast("Mapping[str, Any]", settings.get(name) or {})


def without_user_info(value: str | None) -> str | None:
    """The value, or nothing of it where it is an address with a user, password or token."""
    return NOT_SHOWN if value and USER_INFO.search(value) else value


def _clear(cluster: LiveCluster, known: Mapping[str, str]) -> Iterator[str]:
    for name, value in cluster.environment.items():
        harmless = name in known or (name in PLAIN_VARIABLES and not USER_INFO.search(value))
        if not harmless and not SECRET_REFERENCE.fullmatch(value):
            yield name
    for name, value in part(cluster.spec, "spark_conf").items():
        if _MAY_BE_SECRET.search(name) and not SECRET_REFERENCE.fullmatch(value):
            yield f"spark_conf {name}"
    for name, value in part(part(cluster.spec, "docker_image"), "basic_auth").items():
        if not SECRET_REFERENCE.fullmatch(value):
            yield f"docker_image.basic_auth.{name}"


def _cluster(settings: Mapping[str, Any], task_key: str) -> LiveCluster:
    task = next((task for task in settings.get("tasks", []) if task["task_key"] == task_key), None)
    if task is None:
        raise LookupError(f"has no task `{task_key}`")
    shared = {each["job_cluster_key"]: each["new_cluster"] for each in settings.get("job_clusters", [])}
    spec: Mapping[str, Any] | None = task.get("new_cluster") or shared.get(task.get("job_cluster_key"))
    if spec is None:
        raise LookupError(f"runs task `{task_key}` on a cluster that is not the job's own")
    pools = (spec.get("instance_pool_id"), spec.get("driver_instance_pool_id"))
    return LiveCluster(
        pools=tuple(dict.fromkeys(pool for pool in pools if pool)),
        spec=spec,
        environment=part(spec, "spark_env_vars"),
    )
