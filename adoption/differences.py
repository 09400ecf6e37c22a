"""How what stands differs from what the settings ask for, setting by setting, so that a person can have either.

Both sides are put into the words of a stack file and compared. Values of the environment, which may be secrets, are not
shown, and of the secrets in the scope no more than that they differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adoption.live_job import NOT_SHOWN, LiveCluster, LiveJob, part, plain, without_user_info
from adoption.live_requirements import lacking, more_lines
from adoption.live_workspace import LiveWorkspace
from adoption.survey import FIELDS, Finding
from components.cloud_settings import AwsSettings, GcpSettings
from components.job_files import job_files, requirements_name
from components.orchestrator_settings import PROGRAM_ENVIRONMENT, SECRET_REFERENCE, OrchestratorSettings
from components.registration import existing_secrets, secret_name
from components.run_environment import stack_secrets
from components.settings import Settings
from databricks_provider.deployer import is_service_principal
from fiftyone_provider.mark import parsed

# Variables of the guide's, the keys of the stack's scope that hold what they refer to, and the settings of those.
_SECRETS: Final = {
    "FIFTYONE_DATABASE_URI": ("FIFTYONE_DATABASE_URI", "fiftyone:databaseUri"),
    "FIFTYONE_ENCRYPTION_KEY": ("FIFTYONE_ENCRYPTION_KEY", "fiftyone:encryptionKey"),
    "PIP_EXTRA_INDEX_URL": ("FIFTYONE_PYPI_URL", "fiftyone:pypiUrl"),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One setting: what stands, and what `make up` would make of it; `line` is the value for the stack file, if any."""

    key: tuple[str, ...]
    stands: Any
    wanted: Any
    line: Any

    def __str__(self) -> str:
        return f"{'.'.join(self.key)}: {_shown(self.stands)} stands there, {_shown(self.wanted)} is set"


def differences(found: Finding, settings: Settings, workspace: LiveWorkspace) -> list[Difference]:
    """All of one orchestrator's."""
    compared = [*_registered(found, settings)]
    if found.job:
        compared += _job(found, found.job, settings, workspace)
        compared += _stack(found, found.job, settings, workspace)
    return [each for each in compared if each.stands != each.wanted]


def stack_file_lines(found: Sequence[Difference]) -> dict[str, Any]:
    """What to put into the stack file to keep what stands, as nested values."""
    tree: dict[str, Any] = {}
    for each in found:
        if each.line in (None, "", NOT_SHOWN):
            continue
        node = tree
        for name in each.key[:-1]:
            node = node.setdefault(name, {})
        node[each.key[-1]] = each.line
    return tree


def _row(*key: str, stands: Any, wanted: Any) -> Difference:
    """A comparison whose line is what stands."""
    return Difference(key=key, stands=stands, wanted=wanted, line=stands)


def _shown(value: Any) -> str:
    return "nothing" if value is None or value == "" else str(value)


def _registered(found: Finding, settings: Settings) -> Iterator[Difference]:
    if (registration := found.registration) is None:
        return
    at, own = ("orchestrators", found.instance_id), settings.orchestrators[found.instance_id]
    text = parsed(registration.description).text
    yield _row(*at, "description", stands=text, wanted=own.description.strip())
    for name in FIELDS:
        wanted = existing_secrets(settings).get(name) or secret_name(name, found.instance_id)
        yield _row("secretsFrom", name, stands=registration.secrets.get(name), wanted=wanted)


def _job(found: Finding, job: LiveJob, settings: Settings, workspace: LiveWorkspace) -> Iterator[Difference]:
    """Settings of the orchestrator."""
    at, own = ("orchestrators", found.instance_id), settings.orchestrators[found.instance_id]
    wanted = own.pool or f"a new pool of {own.node_type}"
    yield _row(*at, "pool", stands=_pool(job.execution, own.pool), wanted=wanted)
    made = f"a new pool of {own.registration_node_type}" if own.registration_node_type else None
    stands = _pool(job.registration, own.registration_pool) if job.registration else None
    yield _row(*at, "registrationPool", stands=stands, wanted=own.registration_pool or made)
    spec = job.execution.spec
    yield _row(*at, "sparkVersion", stands=spec.get("spark_version"), wanted=own.spark_version)
    yield _row(*at, "mlRuntime", stands=bool(spec.get("use_ml_runtime")), wanted=own.ml_runtime)
    workers = job.execution.workers
    stands = "a number that scales by itself" if workers is None else workers
    yield Difference(key=(*at, "workers"), stands=stands, wanted=own.workers, line=workers)
    runs = own.max_concurrent_runs or settings.fiftyone.delegated_operation_capacity
    yield _row(*at, "maxConcurrentRuns", stands=job.settings.get("max_concurrent_runs", 1), wanted=runs)
    minutes = (job.settings.get("timeout_seconds") or 0) // 60 or None
    yield _row(*at, "timeoutMinutes", stands=minutes, wanted=own.timeout_minutes)
    stands = without_user_info(part(spec, "docker_image").get("url"))
    yield _row(*at, "containerImage", stands=stands, wanted=own.container_image)
    yield _row(*at, "cloud", stands=_identity(job.execution), wanted=_wanted_identity(own))
    given = job.execution.environment
    workers = plain(given.get("FIFTYONE_MAX_PROCESS_POOL_WORKERS", ""))
    stands = int(workers) if workers.isdecimal() else None
    yield _row(*at, "processPoolWorkers", stands=stands, wanted=own.process_pool_workers)
    extra = {name: value for name, value in given.items() if name not in PROGRAM_ENVIRONMENT}
    for name in sorted(extra.keys() | own.env.keys()):
        if name not in settings.secret_env and not name.startswith("ENTRYPOINT_"):
            yield _variable((*at, "env", name), extra.get(name), own.env.get(name))
    ours = job_files(settings)[requirements_name(found.instance_id)]
    for lack in lacking(job.requirements_files, version=settings.fiftyone.version, read=workspace.text):
        yield Difference(key=(*at, "requirements"), stands=lack, wanted="the stack's own list", line="")
    if more := more_lines(job.requirements_files, ours, read=workspace.text):
        line = list(dict.fromkeys([*own.requirements, *more]))
        yield Difference(key=(*at, "requirements"), stands=", ".join(more), wanted=None, line=line)


def _stack(found: Finding, job: LiveJob, settings: Settings, workspace: LiveWorkspace) -> Iterator[Difference]:
    """Settings of the whole stack that the job tells of."""
    fiftyone, plugins, given = settings.fiftyone, settings.plugins, job.execution.environment
    env = {name: without_user_info(plain(value)) for name, value in given.items()}
    yield _row("fiftyone:databaseName", stands=env.get("FIFTYONE_DATABASE_NAME"), wanted=fiftyone.database_name)
    wanted = fiftyone.worker_api_url or fiftyone.api_uri
    yield _row("fiftyone:workerApiUrl", stands=env.get("API_URL") or None, wanted=wanted)
    wanted = (plugins.path or plugins.source or plugins.url) if plugins else None
    yield _row("plugins", "path", stands=env.get("FIFTYONE_PLUGINS_DIR"), wanted=wanted)
    values = stack_secrets(settings)
    for variable, (key, setting) in _SECRETS.items():
        if key in values and workspace.refers_to(given.get(variable, ""), values[key]) is False:
            yield Difference(key=(setting,), stands=NOT_SHOWN, wanted="another one", line="")
    if len(job.scopes) == 1:
        (name,) = job.scopes
        read_only = name in found.scopes and found.scopes[name].read_only
        line = {"name": name, "existing": True} if read_only else name
        yield Difference(key=("secretScope",), stands=name, wanted=settings.secret_scope.name, line=line)
    if len(found.triggers) == 1:
        (trigger,) = found.triggers
        wanted = settings.existing_trigger or "a new service principal"
        yield Difference(key=("servicePrincipal",), stands=trigger, wanted=wanted, line={"clientId": trigger})
    wanted = settings.run_as.service_principal if settings.run_as else workspace.me()
    line = {"servicePrincipal": job.run_as} if is_service_principal(job.run_as) else ""
    yield Difference(key=("runAs",), stands=job.run_as, wanted=wanted, line=line)


def _pool(cluster: LiveCluster, wanted: str | None) -> str | None:
    """The pool that is meant: where driver and workers are on two, the settings have decided (survey.py)."""
    return wanted if wanted in cluster.pools else next(iter(cluster.pools), None)


def _identity(cluster: LiveCluster) -> dict[str, str] | None:
    """Whom clusters are in the cloud, as the setting `cloud` has it."""
    if profile := part(cluster.spec, "aws_attributes").get("instance_profile_arn"):
        return {"provider": "aws", "instanceProfileArn": profile}
    if account := part(cluster.spec, "gcp_attributes").get("google_service_account"):
        return {"provider": "gcp", "googleServiceAccount": account}
    return None


def _wanted_identity(own: OrchestratorSettings) -> dict[str, str] | None:
    match own.cloud:
        case AwsSettings(instance_profile_arn=str(profile)):
            return {"provider": "aws", "instanceProfileArn": profile}
        case GcpSettings(google_service_account=str(account)):
            return {"provider": "gcp", "googleServiceAccount": account}
        case _:
            return None


def _variable(key: tuple[str, ...], stands: str | None, wanted: str | None) -> Difference:
    """One variable of the environment; a reference to a secret may be shown."""
    if stands is not None and wanted is not None and plain(stands) == wanted:
        return _row(*key, stands=NOT_SHOWN, wanted=NOT_SHOWN)
    shown = stands if stands is None or SECRET_REFERENCE.fullmatch(stands) else NOT_SHOWN
    return _row(*key, stands=shown, wanted=None if wanted is None else "another one")
