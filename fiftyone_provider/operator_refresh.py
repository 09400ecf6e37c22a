"""Has FiftyOne learn anew which operators an orchestrator has, as a dynamic resource.

FiftyOne learns them from a run of the job's registration task with a command that only FiftyOne knows. An admin starts
the first such run in FiftyOne's Runs page; "you can run that same task again directly in Databricks" (guide), which is
what an update does once something has changed that decides on the operators. Owns when that happens and with which
command; registration_history.py finds the command, registration_run.py runs it.
"""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from databricks_provider.workspace_client import CONNECTION as WORKSPACE
from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.connection import CONNECTION
from fiftyone_provider.registering import token_of
from fiftyone_provider.registration_history import registration_command
from fiftyone_provider.registration_run import RegistrationTask, register_operators
from fiftyone_provider.steps import tried_again

# Inputs whose change is worth a run, and what a plan calls them; triggers have names of their own.
REASONS = {
    "instanceId": "instance id",
    "registration": "registration",
    "jobId": "job",
    "taskKey": "registration task",
    "ownTask": "registration task",
    "command": "registration command",
}


class OperatorRefreshProvider(ResourceProvider):
    """Runs registrations; reading and deleting, the base class's, do nothing. Its import path is part of the state."""

    def configure(self, req: ConfigureRequest) -> None:
        WORKSPACE.configure(req)
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=props["instanceId"], outs={**props, "knownCommand": _refresh(props, "")})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if reasons := _reasons(_olds, _news):
            known = _news["command"] or (_news["ownTask"] and _olds.get("knownCommand"))
            how = "are refreshed" if known else "need a refresh, by hand unless the job's history tells the command"
            print(f"operators of {_news['instanceId']} {how}: {', '.join(reasons)} changed", flush=True)
        moved = _olds["instanceId"] != _news["instanceId"]
        return DiffResult(changes=bool(reasons), replaces=["instanceId"] if moved else [], delete_before_replace=False)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(outs={**_news, "knownCommand": _refresh(_news, _olds.get("knownCommand") or "")})


def _reasons(olds: dict[str, Any], news: dict[str, Any]) -> list[str]:
    """What changed, in words, each once. A preview's unknown is the engine's own, which differs."""
    changed = [words for name, words in REASONS.items() if olds.get(name) != news.get(name)]
    before: dict[str, str] = olds.get("triggers") or {}
    if isinstance(news["triggers"], dict):
        after = cast("dict[str, str]", news["triggers"])
        changed += sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    else:
        changed.append("triggers")
    return list(dict.fromkeys(changed))


def _refresh(props: dict[str, Any], known: str) -> str:
    """Run the registration if its command is known; the command as the state is to keep it, "" if none was found.

    The setting `command` goes before what was found, and is kept by the settings alone, so that taking it out has
    an effect.

    Raises:
        RuntimeError: the registration is not in place, or the run did not succeed.
    """
    instance_id, task_key, own_task = props["instanceId"], props["taskKey"], props["ownTask"]
    job_id = int(props["jobId"])
    _check_registration(instance_id, props["registration"])
    given = props["command"]
    if own_task and not given and not known:
        known = _found_command(instance_id, job_id, task_key)
    command = given or (known if own_task else "")
    if not command:
        print(_to_click(instance_id, own_task=own_task), flush=True)
        return known
    task = RegistrationTask(instance_id=instance_id, job_id=job_id, task_key=task_key)
    register_operators(WORKSPACE.client, task, command, props["timeoutMinutes"])
    print(_listed(instance_id), flush=True)
    return known


def _check_registration(instance_id: str, token: str) -> None:
    """A write to FiftyOne whose outcome was not known counts as done: this is where it shows that it was not."""
    found = tried_again(lambda: CONNECTION.client.orchestrator(instance_id))
    if found is None:
        why = "FiftyOne has no such orchestrator"
    elif token_of(found) != token:
        why = "FiftyOne has another one of that name than this stack registered last"
    else:
        return
    raise RuntimeError(
        f"the registration of {instance_id} is not in place: {why}, so its operators cannot be refreshed; "
        "run `make up` again, which finds out and registers it anew"
    )


def _to_click(instance_id: str, *, own_task: bool) -> str:
    click = (
        f"operators of {instance_id} are to be refreshed by hand, because only FiftyOne knows the command that does "
        f"it: as an admin, open the Runs page in FiftyOne, choose the orchestrator {instance_id}, refresh its "
        "operators and confirm."
    )
    if own_task:
        return f"{click} That is needed once: later changes find the command of that run and refresh by themselves."
    return (
        f"{click} Later changes refresh by themselves if the `command` of that run is set as "
        f"`orchestrators.{instance_id}.registrationCommand`; it is not looked for, because the task that registers "
        "also executes."
    )


def _found_command(instance_id: str, job_id: int, task_key: str) -> str:
    """The command of the last registration that succeeded, or nothing. Raises RuntimeError."""
    try:
        return registration_command(WORKSPACE.client, job_id, task_key)
    # All that databricks-sdk raises of a call is one, and ValueError of a client without credentials.
    except (OSError, ValueError) as error:
        raise RuntimeError(
            f"the command that registers the operators of {instance_id} could not be looked for among the runs of job "
            f"{job_id}: {error}. Mend that and run the same command again, or set the command as "
            f"`orchestrators.{instance_id}.registrationCommand`"
        ) from None


def _listed(instance_id: str) -> str:
    """What FiftyOne lists after a run that succeeded; not to know it undoes nothing of that."""
    try:
        found = tried_again(lambda: CONNECTION.client.orchestrator(instance_id))
    except FiftyOneError as error:
        return f"operators of {instance_id} were registered; which they are could not be asked: {error}"
    operators = sorted(found.operators) if found else []
    return f"FiftyOne lists these operators of {instance_id}: {', '.join(operators) or 'none'}"


class OperatorRefresh(Resource, module="fiftyone", name="OperatorRefresh"):
    """The operators of one orchestrator, as FiftyOne lists them; depends on all that decides on them.

    Its output `knownCommand`, in the state alone, is the command that was found in the job's history.

    Args:
        instance_id: the orchestrator, which is registered when this is made; another one is another refresh.
        job_id: its job.
        task_key: the task of that job that registers.
        own_task: whether that task does nothing else; if not, the job's history says nothing about the command.
        command: the setting `registrationCommand`; "" looks for the command.
        registration: token of the registration (registering.py).
        triggers: what decides on the operators, by the name that a plan shows: hashes and versions.
        timeout_minutes: after which a run is cancelled; changed alone, it is worth no run.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        instance_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        task_key: pulumi.Input[str],
        own_task: bool,
        command: str,
        registration: pulumi.Input[str],
        triggers: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        timeout_minutes: float,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "instanceId": instance_id,
            "jobId": job_id,
            "taskKey": task_key,
            "ownTask": own_task,
            "command": command,
            "registration": registration,
            "triggers": triggers,
            "timeoutMinutes": timeout_minutes,
        }
        super().__init__(OperatorRefreshProvider(), resource_name, props, opts)
