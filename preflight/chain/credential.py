"""The credential that the stack registered, tried as FiftyOne would use it: a token, and the right to start the job.

FiftyOne gives no value back, so it is the state's copy that is tried; whether FiftyOne still holds that very write is
told by the tokens in its descriptions (registered.py). Nothing of the shell's own credentials gets into it.
"""

import os
from collections.abc import Generator, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from databricks_provider.rotation import MODE, rotation
from fiftyone_provider.deadline import DeadlineError, within
from fiftyone_provider.sdk_module import NO_FILE
from preflight.chain.agreement import WORKSPACE
from preflight.chain.check import BrokenError, Check, NotLookedError
from preflight.chain.deployed import Deployed, Resource
from toolchain.environment import without_other_workspaces
from troubleshooting.causes import cause_of

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

SECONDS: Final = 15
MAY_START: Final = ("CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")

# The clients that could sign in, by orchestrator.
Clients = MutableMapping[str, "WorkspaceClient"]


def credentials(deployed: Deployed, client: "WorkspaceClient", clients: Clients) -> Iterator[Check]:
    """A token and the right to start its job, for each orchestrator; `clients` gets who could sign in."""
    for orchestrator in deployed.of_type("fiftyone:Orchestrator"):
        own = frozenset(each.urn for each in deployed.of_type("fiftyone:Secret") if each.urn in orchestrator.uses)
        yield Check(
            subject=f"credential of {orchestrator.name}",
            key=credential_of(orchestrator),
            needs=own | {WORKSPACE},
            look=lambda orchestrator=orchestrator: _signs_in(deployed, orchestrator, clients),
        )
        if job := deployed.named("Job", orchestrator.name):
            yield Check(
                subject=f"right to start job {job.name}",
                key=right_of(orchestrator),
                needs=frozenset(
                    {
                        credential_of(orchestrator),
                        job.urn,
                        *(each.urn for each in deployed.of_type("Permissions") if job.urn in each.uses),
                    }
                ),
                look=lambda orchestrator=orchestrator, job=job: _may_start(
                    deployed, job, client, clients[orchestrator.name]
                ),
            )


def credential_of(orchestrator: Resource) -> str:
    """By which other checks need the credential of an orchestrator."""
    return f"credential of {orchestrator.urn}"


def right_of(orchestrator: Resource) -> str:
    """By which other checks need the right to start its job."""
    return f"right of {orchestrator.urn}"


def _signs_in(deployed: Deployed, orchestrator: Resource, clients: Clients) -> str:
    secrets: Mapping[str, str] = orchestrator.inputs["secrets"]
    values: dict[str, str] = {}
    for field in ("host", "clientId", "clientSecret"):
        own = deployed.named("fiftyone:Secret", secrets[field])
        if own is None:
            raise NotLookedError(
                f"FiftyOne does not give values back, and {secrets[field]} (`secretsFrom.{field}`) is not the stack's"
            )
        values[field] = own.outputs["value"]
    with _nothing_of_others():
        try:
            clients[orchestrator.name] = within(2 * SECONDS, lambda: _client(values))
        except (DeadlineError, OSError, ValueError) as error:
            raise _refused(deployed, values, error) from None
    return f"{values['host']} gives {values['clientId']} a token{_age(deployed)}"


def _client(values: Mapping[str, str]) -> "WorkspaceClient":
    """A client that has signed in."""
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.config import Config

    config = Config(
        host=values["host"],
        client_id=values["clientId"],
        client_secret=values["clientSecret"],
        auth_type="oauth-m2m",
        config_file=NO_FILE,
        http_timeout_seconds=SECONDS,
        retry_timeout_seconds=SECONDS,
    )
    config.authenticate()
    return WorkspaceClient(config=config)


@contextmanager
def _nothing_of_others() -> Generator[None]:
    """While it lasts, the environment says nothing of workspaces and credentials, which databricks-sdk would add."""
    before = dict(os.environ)
    clean = without_other_workspaces()
    os.environ.clear()
    os.environ.update(clean)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _refused(deployed: Deployed, values: Mapping[str, str], error: Exception) -> BrokenError:
    # databricks-sdk adds its configuration, with secrets hidden, which says nothing more.
    said = " ".join(str(error).partition(". Config:")[0].split()) or f"no answer within {2 * SECONDS} s"
    who, stack = values["clientId"], deployed.stack
    known = cause_of(said)
    if known is None:
        return BrokenError(
            f"{values['host']}, the host that FiftyOne was told, gives no token: {said}",
            "check that it is the workspace's address (`databricks:host`, DATABRICKS_HOST) and can be reached; then "
            f"`make up STACK={stack}`",
        )
    if list(deployed.of_type("databricks:Credential")):
        mend = f"`make rotate STACK={stack}`"
    else:
        mend = (
            f"make a new OAuth secret of {who} in Databricks, `pulumi config set --secret servicePrincipalClientSecret "
            f"-s {stack}` (or SERVICE_PRINCIPAL_CLIENT_SECRET in the environment), and `make up STACK={stack}`"
        )
    return BrokenError(f"{values['host']} gives {who} no token ({said}). {known.cause}", mend)


def _age(deployed: Deployed) -> str:
    """Age and end of a credential that the stack makes."""
    for credential in deployed.of_type("databricks:Credential"):
        state = credential.outputs
        # Whether it is due is said; nothing is made anew here.
        stands = rotation(state, period_days=int(state["rotateAfterDays"]), environ={**os.environ, MODE: "never"})
        return f"; its secret is {stands}"
    return ""


def _may_start(deployed: Deployed, job: Resource, client: "WorkspaceClient", trigger: "WorkspaceClient") -> str:
    from databricks.sdk.errors import PermissionDenied

    who = str(trigger.config.client_id)
    granted = {
        permission.permission_level.value
        for entry in client.permissions.get("jobs", job.id).access_control_list or []
        if entry.service_principal_name == who
        for permission in entry.all_permissions or []
        if permission.permission_level
    }
    if found := granted.intersection(MAY_START):
        return f"{', '.join(sorted(found))} on job {job.id}"
    try:
        trigger.jobs.get(int(job.id))
    except PermissionDenied as error:
        raise BrokenError(
            f"{who} may not start job {job.id}, so FiftyOne cannot: {error}",
            f"name it as `servicePrincipal` and `make up STACK={deployed.stack}`, or give it CAN_MANAGE_RUN by hand: "
            f"`databricks permissions update jobs {job.id} --json …`",
        ) from None
    raise NotLookedError("no entry of its own says that it may; it may be in a group that does, which a run shows")
