"""Finds what people made by hand for each orchestrator, by following what is registered; only reads.

FiftyOne's orchestrator of the instance id names its job and its secrets; the job names pools, scope, files and who it
runs as. Names are used for what nothing refers to: a job that is not registered, by `--job` or the program's own name.
What can be meant in more than one way is a problem, and never guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from adoption.live_job import LiveJob, in_the_clear, live_job
from adoption.live_workspace import LivePool, LiveScope, LiveWorkspace
from components.job_names import EXECUTION_TASK, REGISTRATION_TASK
from components.orchestrator_settings import OrchestratorSettings
from components.registration import existing_secrets, secret_name
from components.settings import PROJECT, Settings
from fiftyone_provider.client import FiftyOne, Registration, SecretInfo
from fiftyone_provider.mark import parsed

FIELDS: Final = ("host", "accountId", "clientId", "clientSecret")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What stands for one orchestrator; `problems` are why it cannot be adopted so.

    `secrets` are those of FiftyOne's that the stack would write, as far as they are there, and `pools` those that the
    job's clusters are on.
    """

    instance_id: str
    registration: Registration | None = None
    secrets: Mapping[str, SecretInfo] = field(default_factory=dict[str, SecretInfo])
    job: LiveJob | None = None
    pools: tuple[LivePool, ...] = ()
    scopes: Mapping[str, LiveScope] = field(default_factory=dict[str, LiveScope])
    triggers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def mark_of(settings: Settings, instance_id: str) -> str:
    """The mark by which the stack knows what is its own in FiftyOne."""
    return f"{PROJECT}/{settings.stack}/{instance_id}"


def survey(
    settings: Settings, fiftyone: FiftyOne, workspace: LiveWorkspace, *, named: Mapping[str, str]
) -> list[Finding]:
    """A finding for each of the stack's orchestrators; `named` has jobs by instance id, each by its id or name."""
    findings: list[Finding] = []
    first: dict[str, str] = {}
    for instance_id in settings.orchestrators:
        found = _finding(settings, instance_id, fiftyone, workspace, named.get(instance_id, ""))
        if found.job and (other := first.setdefault(found.job.id, instance_id)) != instance_id:
            text = f"job {found.job.id} stands for {other} and {instance_id}: each orchestrator needs a job of its own"
            found = replace(found, problems=(*found.problems, text))
        findings.append(found)
    return findings


def _finding(settings: Settings, instance_id: str, fiftyone: FiftyOne, workspace: LiveWorkspace, named: str) -> Finding:
    registration = fiftyone.orchestrator(instance_id)
    problems: list[str] = []
    if registration and parsed(registration.description).mark not in ("", mark_of(settings, instance_id)):
        problems.append(f"orchestrator {instance_id} in FiftyOne is another stack's, by its description")
    secrets = dict(_secrets(settings, instance_id, fiftyone))
    for key, info in secrets.items():
        if parsed(info.description).mark not in ("", mark_of(settings, instance_id)):
            problems.append(f"secret {key} in FiftyOne is another stack's, by its description")
    try:
        job = _job(settings, instance_id, registration, workspace, named)
    except LookupError as error:
        problems.append(str(error.args[0]))
        job = None
    if job is None:
        return Finding(instance_id=instance_id, registration=registration, secrets=secrets, problems=tuple(problems))
    orchestrator = settings.orchestrators[instance_id]
    triggers = workspace.triggers(job.id)
    problems += _ambiguities(settings, orchestrator, job, triggers)
    problems += _not_ours_to_take(settings, instance_id, orchestrator, job)
    pools = [workspace.pool(pool) for cluster in (job.execution, job.registration) if cluster for pool in cluster.pools]
    scopes = {name: workspace.scope(name) for name in [*job.scopes, settings.secret_scope.name]}
    return Finding(
        instance_id=instance_id,
        registration=registration,
        secrets=secrets,
        job=job,
        pools=tuple({pool.id: pool for pool in pools if pool}.values()),
        scopes={name: scope for name, scope in scopes.items() if scope},
        triggers=tuple(triggers),
        problems=tuple(problems),
    )


def _secrets(settings: Settings, instance_id: str, fiftyone: FiftyOne) -> Iterator[tuple[str, SecretInfo]]:
    for name in FIELDS:
        if name not in existing_secrets(settings):
            key = secret_name(name, instance_id)
            if info := fiftyone.secret(key):
                yield key, info


def _job(
    settings: Settings, instance_id: str, registration: Registration | None, workspace: LiveWorkspace, named: str
) -> LiveJob | None:
    """The orchestrator's job, or None where there is none. Raises LookupError for a person."""
    registered = registration.config.get("jobId", "") if registration else ""
    own_name = f"fiftyone-{settings.stack}-{instance_id}"
    ids = _ids(named or registered or own_name, workspace)
    if named and registered and ids != [registered]:
        raise LookupError(
            f"FiftyOne starts job {registered} as {instance_id}, and --job names {named}: register that one, or leave "
            "--job out"
        )
    if len(ids) > 1:
        raise LookupError(
            f"jobs {', '.join(ids)} are all called {named or own_name}: say which is {instance_id}'s, with "
            f'ARGS="--job {instance_id}=ID"'
        )
    found = workspace.job(ids[0]) if ids else None
    if found is None:
        if named or registered:
            raise LookupError(f"there is no job {named or registered} in this workspace, for {instance_id}")
        return None
    config = registration.config if registration else {"executionTaskId": EXECUTION_TASK}
    execution, registering = config.get("executionTaskId", ""), config.get("registrationTaskId", "")
    tasks = [task["task_key"] for task in found[0].get("tasks", [])]
    if registration is None:
        registering = REGISTRATION_TASK if REGISTRATION_TASK in tasks else ""
    try:
        return live_job(ids[0], *found, execution=execution, registration=registering)
    except LookupError as error:
        raise LookupError(
            f"job {ids[0]}, of {instance_id}, {error.args[0]} (it has {', '.join(tasks)}): in Databricks, call the "
            f"task that executes {EXECUTION_TASK}, one that registers operators {REGISTRATION_TASK}, and let both run "
            "on clusters of the job"
        ) from None


def _ids(named: str, workspace: LiveWorkspace) -> list[str]:
    """By an id, that one alone; by a name, all that are called so."""
    return [named] if named.isdecimal() else workspace.jobs_called(named)


def _ambiguities(
    settings: Settings, orchestrator: OrchestratorSettings, job: LiveJob, triggers: Iterable[str]
) -> Iterator[str]:
    """What the settings decide, where the job leaves it open."""
    for key, cluster, wanted in (
        ("pool", job.execution, orchestrator.pool),
        ("registrationPool", job.registration, orchestrator.registration_pool),
    ):
        if cluster and len(cluster.pools) > 1 and wanted not in cluster.pools:
            yield (
                f"a cluster of job {job.id} is on two pools, {' and '.join(cluster.pools)}, and this program uses one "
                f"for driver and workers: name the one that is meant as `{key}`"
            )
    if len(job.scopes) > 1 and settings.secret_scope.name not in job.scopes:
        yield (
            f"job {job.id} reads FiftyOne's secrets from several scopes, {', '.join(job.scopes)}: name the one that is "
            "meant as `secretScope`"
        )
    several = sorted(triggers)
    if len(several) > 1 and settings.existing_trigger not in several:
        yield (
            f"service principals {', '.join(several)} may all start job {job.id}: name the one that FiftyOne uses as "
            "`servicePrincipal: {clientId: …}`"
        )


def _not_ours_to_take(
    settings: Settings, instance_id: str, orchestrator: OrchestratorSettings, job: LiveJob
) -> Iterator[str]:
    own_tag = f"{PROJECT}.{settings.stack}.{instance_id}"
    if job.stack_tag not in ("", own_tag):
        yield f"job {job.id} is another stack's, by its tag {job.stack_tag}"
    if clear := in_the_clear(job, orchestrator.env):
        yield (
            f"job {job.id} holds {', '.join(clear)} in the clear, and importing it would copy that into the stack's "
            f"state. What is no secret, name in `orchestrators.{instance_id}.env`; what is one, put into the scope "
            "first, and let the job refer to it as {{secrets/SCOPE/KEY}}"
        )
