"""What FiftyOne holds of the stack: its secrets, its orchestrators, the operators that it lists.

Our dynamic providers judge what can be read, as they do for a refresh (fiftyone_provider/); held against each other are
registration and job here. Of a secret's value FiftyOne tells nothing: one that was changed with our mark kept is not
seen.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.connection import CONNECTION
from fiftyone_provider.connection import NotLookedError as NoKeyError
from fiftyone_provider.mark import Stamped
from fiftyone_provider.orchestrator import OrchestratorProvider
from fiftyone_provider.secret import SecretProvider
from preflight.chain.agreement import WORKSPACE, reads_as_deployed
from preflight.chain.check import BrokenError, Check, NotLookedError
from preflight.chain.deployed import Deployed, Resource

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

FIFTYONE: Final = "FiftyOne"
_KINDS: Final = {
    "fiftyone:Secret": ("secret", SecretProvider()),
    "fiftyone:Orchestrator": ("orchestrator", OrchestratorProvider()),
}
PROVIDERS: Final = tuple(provider for _, provider in _KINDS.values())


def registered(deployed: Deployed, client: "WorkspaceClient") -> Iterator[Check]:
    """That FiftyOne answers, and a check for each thing of ours there; `PROVIDERS` are configured by then."""
    orchestrators = list(deployed.of_type("fiftyone:Orchestrator"))
    yield Check(subject="it answers and accepts the key", key=FIFTYONE, look=lambda: _answers(orchestrators))
    for resource in deployed.of_type(*_KINDS):
        yield Check(
            subject=f"{_KINDS[resource.type][0]} {resource.name}",
            key=resource.urn,
            needs=frozenset({FIFTYONE, *resource.uses}),
            look=lambda resource=resource: _as_deployed(deployed, resource),
        )
    for orchestrator in orchestrators:
        job = deployed.named("Job", orchestrator.name)
        if job:
            yield Check(
                subject=f"{orchestrator.name} names its job",
                key=names_job(orchestrator),
                needs=frozenset({FIFTYONE, WORKSPACE, orchestrator.urn, job.urn}),
                look=lambda orchestrator=orchestrator, job=job: _names_job(deployed, orchestrator, job, client),
            )


def operators(deployed: Deployed) -> Iterator[Check]:
    """Whether FiftyOne lists operators of each orchestrator."""
    for refresh in deployed.of_type("fiftyone:OperatorRefresh"):
        yield Check(
            subject=f"operators of {refresh.id}",
            key=refresh.urn,
            needs=frozenset({FIFTYONE, *refresh.uses}),
            look=lambda refresh=refresh: _operators(deployed, refresh),
        )


def names_job(orchestrator: Resource) -> str:
    """By which other checks need that a registration names its job."""
    return f"job of {orchestrator.urn}"


def _answers(orchestrators: list[Resource]) -> None:
    try:
        CONNECTION.ask(lambda client: [client.orchestrator(each.id) for each in orchestrators])
    except NoKeyError:
        raise NotLookedError("there is no key, `fiftyone:apiKey` or FIFTYONE_API_KEY, to ask it with") from None
    except FiftyOneError as error:
        # The later sentences say what to do.
        what, _, mend = str(error).partition(". ")
        raise BrokenError(what, mend) from None


def _as_deployed(deployed: Deployed, resource: Resource) -> None:
    kind, provider = _KINDS[resource.type]
    try:
        reads_as_deployed(provider, resource)
    except ValueError as error:
        raise BrokenError(str(error), _mend(deployed, kind, resource, str(error))) from None
    except FiftyOneError as error:
        raise NotLookedError(str(error)) from None


def _mend(deployed: Deployed, kind: str, resource: Resource, found: str) -> str:
    """What to do about it, by what the provider says: what is not the stack's, no command of the stack's changes."""
    if "refers to secret" in found:
        return f"restore that secret in FiftyOne, or name another in `secretsFrom` and `make up STACK={deployed.stack}`"
    if "not this stack's any more" not in found:
        return deployed.refresh_and_up
    if kind == "orchestrator":
        return f"delete it in FiftyOne if nobody needs it, then {deployed.refresh_and_up}"
    mark = Stamped(text="", mark=resource.outputs["mark"])
    handed_over = f"end its description in FiftyOne with `{mark}` to hand it over"
    return f"{handed_over}, or delete it there; then {deployed.refresh_and_up}"


def _names_job(deployed: Deployed, orchestrator: Resource, job: Resource, client: "WorkspaceClient") -> str:
    found = CONNECTION.ask(lambda fiftyone: fiftyone.orchestrator(orchestrator.id))
    config: Mapping[str, str] = found.config if found else {}
    up = f"{deployed.refresh_and_up}, which registers it anew"
    if config.get("jobId") != job.id:
        raise BrokenError(f"FiftyOne would start job {config.get('jobId')}, and the stack's is {job.id}", up)
    settings = client.jobs.get(int(job.id)).settings
    there = {task.task_key for task in (settings and settings.tasks) or []}
    named = {config[name] for name in ("executionTaskId", "registrationTaskId") if name in config}
    if lacking := sorted(named - there):
        raise BrokenError(f"FiftyOne would start {', '.join(lacking)}, which the job does not have", up)
    return f"{orchestrator.name} names job {job.id} with {' and '.join(sorted(named))}"


def _operators(deployed: Deployed, refresh: Resource) -> str:
    found = CONNECTION.ask(lambda fiftyone: fiftyone.orchestrator(refresh.id))
    if found and found.operators:
        return f"{len(found.operators)} of {refresh.id}"
    state = refresh.outputs
    if not state["triggers"].get("plugins"):
        return f"none of {refresh.id}, which needs no refresh without plugins"
    if state["command"] or (state["ownTask"] and state.get("knownCommand")):
        mend = f'`make up STACK={deployed.stack} ARGS="--replace **::{refresh.name}"`, which refreshes them'
    else:
        mend = (
            f"as an admin, open the Runs page in FiftyOne, choose the orchestrator {refresh.id}, refresh its operators "
            "and confirm; only FiftyOne knows the command that does it"
        )
    raise BrokenError("FiftyOne lists none, so nobody can run one there", mend)
