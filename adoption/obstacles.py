"""Why nothing can be adopted as it stands, in words for a person: what is ambiguous, in the way, or could not stay.

Judges what the survey found against the settings and the stack's state; what the state has already is the stack's.
"""

from collections.abc import Collection, Iterator, Sequence

from adoption.import_file import COMPONENT, job_urn, orchestrator_urn
from adoption.live_workspace import LiveWorkspace
from adoption.survey import FIELDS, Finding, mark_of
from components.fiftyone_orchestrator import ENVIRONMENT
from components.job_names import EXECUTION_TASK, REGISTRATION_TASK
from components.registration import existing_secrets, secret_name
from components.settings import PROJECT, Settings
from components.workspace_files import WORKSPACE
from fiftyone_provider.registering import unlike

_SCOPE = "SecretScope$databricks:index/secretScope:SecretScope::scope"
_FOLDER = "WorkspaceFiles$pulumi-python:dynamic/databricks:Folder::folder"


def obstacles(
    found: Sequence[Finding], settings: Settings, workspace: LiveWorkspace, state: Collection[str]
) -> Iterator[str]:
    """Each of them, as a sentence that says what to do."""
    for each in found:
        if job_urn(settings.stack, each.instance_id) not in state:
            yield from each.problems
        if orchestrator_urn(settings.stack, each.instance_id) not in state:
            yield from _registered_anew(each, settings)
    prefix = f"urn:pulumi:{settings.stack}::{PROJECT}::{COMPONENT}"
    # Of a job that could not be told, nobody knows what it reads.
    if f"{prefix}{_SCOPE}" not in state and all(each.job or not each.problems for each in found):
        yield from _scope(found, settings, workspace)
    if f"{prefix}{_FOLDER}" not in state:
        held = workspace.contents(settings.workspace_dir.removeprefix(WORKSPACE))
        if held:
            yield (
                f"the folder {settings.workspace_dir} holds {', '.join(held)}, and the stack's own must be empty when "
                "it is made, because destroying the stack deletes it: name another as `workspaceDir`. The job moves to "
                "the files there, and yours stay where they are"
            )


def _registered_anew(found: Finding, settings: Settings) -> Iterator[str]:
    """What of the registration does not agree: FiftyOne cannot change it, and registering anew loses its operators."""
    registration, own = found.registration, settings.orchestrators[found.instance_id]
    if registration is None or found.job is None:
        return
    tasks = {"executionTaskId": EXECUTION_TASK}
    if own.registration_node_type or own.registration_pool:
        tasks["registrationTaskId"] = REGISTRATION_TASK
    wanted = {
        "description": own.description.strip(),
        "environment": ENVIRONMENT,
        "config": {"jobId": found.job.id, **tasks},
        "secrets": {
            name: existing_secrets(settings).get(name) or secret_name(name, found.instance_id) for name in FIELDS
        },
        "mark": mark_of(settings, found.instance_id),
    }
    if not (differs := unlike(registration, wanted)):
        return
    yield (
        f"the registration of {found.instance_id} differs from the settings in its {' and '.join(differs)}: FiftyOne "
        "cannot change one, and registering it anew loses its operators until they are refreshed. The lines above, in "
        f"Pulumi.{settings.stack}.yaml, keep it"
    )
    execution, registering = (registration.config.get(name) for name in ("executionTaskId", "registrationTaskId"))
    if execution != EXECUTION_TASK or registering not in (None, REGISTRATION_TASK):
        yield (
            f"FiftyOne starts {execution} and {registering or 'no other'} of job {found.job.id}, and tasks of other "
            f"names than {EXECUTION_TASK} and {REGISTRATION_TASK} cannot stay: delete the registration, "
            f'`fiftyone.management.delete_orchestrator("{found.instance_id}")`, rename the tasks in Databricks, adopt '
            f'with ARGS="--job {found.instance_id}={found.job.id}", run `make up`, and refresh the operators'
        )
    elif registering is None and "registrationTaskId" in tasks:
        yield (
            f"FiftyOne knows of no task of job {found.job.id} for registration: drop `registrationNodeType` or "
            "`registrationPool` until the registration is adopted"
        )


def _scope(found: Sequence[Finding], settings: Settings, workspace: LiveWorkspace) -> Iterator[str]:
    scope = settings.secret_scope
    there = None if scope.existing else workspace.scope(scope.name)
    if there is None:
        return
    if not any(each.job and scope.name in each.job.scopes for each in found):
        yield (
            f"the secret scope {scope.name} stands there, and none of these jobs reads it: name the scope they read as "
            "`secretScope`, or say `{name, existing: true}` to use this one as it is"
        )
    elif there.read_only:
        yield (
            f"the secret scope {scope.name} is kept by another service, and nothing can be put into it: say "
            f"`secretScope: {{name: {scope.name}, existing: true}}`"
        )
