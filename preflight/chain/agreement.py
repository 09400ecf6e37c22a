"""Whether state and workspace agree: what the state says exists is there, and as deployed as far as cheaply seen.

Read directly, a resource type at a time, and not by a refresh of the engine: that takes the stack's lock, needs every
setting and the databricks plugin, takes ten times as long, and sees neither doubles nor the contents of files. What our
dynamic providers can read, they judge themselves, in their own words; the databricks provider's types are looked at
here. Contents of files, FiftyOne and doubles have modules of their own.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Final

from pulumi.dynamic import ResourceProvider

from databricks_provider.archive import ArchiveProvider
from databricks_provider.credential import CredentialProvider
from databricks_provider.folder import FolderProvider
from databricks_provider.pool_grant import PoolGrantProvider
from databricks_provider.role_grant import RoleGrantProvider
from databricks_provider.scope_grant import ScopeGrantProvider
from databricks_provider.secret import SecretProvider
from preflight.chain.check import BrokenError, Check, NotLookedError
from preflight.chain.comparison import differences
from preflight.chain.deployed import Deployed, Resource

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

WORKSPACE: Final = "workspace"
_KINDS: Final[dict[str, tuple[str, ResourceProvider]]] = {
    "databricks:Archive": ("archive of plugins", ArchiveProvider()),
    "databricks:Credential": ("credential of the service principal", CredentialProvider()),
    "databricks:Folder": ("folder", FolderProvider()),
    "databricks:PoolGrant": ("access to pool", PoolGrantProvider()),
    "databricks:RoleGrant": ("role on service principal", RoleGrantProvider()),
    "databricks:ScopeGrant": ("access to scope", ScopeGrantProvider()),
    "databricks:Secret": ("secret", SecretProvider()),
}
PROVIDERS: Final = tuple(provider for _, provider in _KINDS.values())


def agreement(deployed: Deployed, client: "WorkspaceClient") -> Iterator[Check]:
    """A check for each resource that lies in the workspace; `PROVIDERS` are configured by then."""
    looks: dict[str, tuple[str, Callable[[Resource], None]]] = {
        "InstancePool": ("pool", lambda pool: _same(pool, client.instance_pools.get(pool.id))),
        "Job": ("job", lambda job: _job(job, client)),
        "Permissions": ("permissions", lambda given: _permissions(given, deployed, client)),
        "SecretScope": ("scope", lambda scope: _scope(scope, client)),
        "ServicePrincipal": ("service principal", lambda principal: _principal(principal, client)),
        "WorkspaceFile": ("file", lambda file: _file(file, client)),
    }
    for type_, (kind, provider) in _KINDS.items():
        looks[type_] = kind, lambda resource, provider=provider: reads_as_deployed(provider, resource)
    # What lies in a folder by its settings has no property of the folder's.
    folders = frozenset(folder.urn for folder in deployed.of_type("databricks:Folder"))
    for resource in deployed.of_type(*looks):
        kind, look = looks[resource.type]
        mend = (
            f"`make rotate STACK={deployed.stack}`"
            if resource.type == "databricks:Credential"
            else deployed.refresh_and_up
        )
        yield Check(
            subject=_subject(kind, resource),
            key=resource.urn,
            needs=resource.uses | (resource.waits_for & folders) | {WORKSPACE},
            look=lambda look=look, resource=resource, mend=mend: _looked(look, resource, mend),
        )


def _subject(kind: str, resource: Resource) -> str:
    """What a person calls it: there is one credential and one archive, and some are known by their ids alone."""
    match resource.type:
        case "databricks:Archive" | "databricks:Credential":
            return kind
        case "databricks:PoolGrant" | "databricks:RoleGrant" | "databricks:ScopeGrant":
            return f"{kind}, {resource.id.replace('/', ' for ')}"
        case "databricks:Folder" | "SecretScope":
            return f"{kind} {resource.id}"
        case _:
            return f"{kind} {resource.name}"


def reads_as_deployed(provider: ResourceProvider, resource: Resource) -> None:
    """What a refresh would find out of one of our dynamic resources. Raises ValueError with what differs."""
    said = io.StringIO()
    with redirect_stdout(said):
        found = provider.read(resource.id, dict(resource.outputs))
    outs: Mapping[str, Any] = found.outs or {}
    if said.getvalue():
        raise ValueError(" ".join(said.getvalue().split()))
    if not found.id:
        raise ValueError("the state has it, and it is not there")
    if differing := sorted(name for name, value in resource.outputs.items() if outs.get(name) != value):
        gone = resource.type == "databricks:Archive"
        raise ValueError("the file is not there" if gone else f"{', '.join(differing)} differ from what was deployed")


def _looked(look: Callable[[Resource], None], resource: Resource, mend: str) -> None:
    from databricks.sdk.errors import NotFound

    try:
        look(resource)
    except NotFound:
        raise BrokenError("the state has it, and it is not there", mend) from None
    except RuntimeError as error:
        raise NotLookedError(str(error)) from None
    except ValueError as error:
        raise BrokenError(str(error), mend) from None


def _same(resource: Resource, found: Any) -> None:
    """Hold what was found, one of databricks-sdk's own, against what was asked for. Raises ValueError."""
    asked = {name: value for name, value in resource.inputs.items() if name != "runAs"}
    if differing := list(differences(asked, found.as_dict())):
        raise ValueError(f"changed since it was deployed: {', '.join(differing)}")


def _job(job: Resource, client: "WorkspaceClient") -> None:
    found = client.jobs.get(int(job.id))
    _same(job, found.settings)
    runs_as: Mapping[str, str] = job.inputs.get("runAs") or {}
    for name in runs_as.values():
        if found.run_as_user_name != name:
            raise ValueError(f"it runs as {found.run_as_user_name}, and was deployed to run as {name}")


def _scope(scope: Resource, client: "WorkspaceClient") -> None:
    if scope.id not in {found.name for found in client.secrets.list_scopes()}:
        raise ValueError("the state has it, and it is not there")


def _principal(principal: Resource, client: "WorkspaceClient") -> None:
    found = client.service_principals.get(principal.id)
    if not found.active:
        raise ValueError("it was deactivated, so FiftyOne cannot sign in as it")
    if found.display_name != principal.inputs.get("displayName"):
        raise ValueError(f"it was renamed to {found.display_name}")


def _file(file: Resource, client: "WorkspaceClient") -> None:
    client.workspace.get_status(file.id)


def _permissions(given: Resource, deployed: Deployed, client: "WorkspaceClient") -> None:
    """The entries are the stack's as a whole. Owners and whoever deployed have more without an entry of ours."""
    _, kind, object_id = given.id.split("/", 2)
    asked: list[dict[str, Any]] = given.inputs["accessControls"]
    wanted = {(_who(entry), entry["permissionLevel"]) for entry in asked}
    deployers = {deployer.outputs.get("userName") for deployer in deployed.of_type("databricks:Deployer")}
    others = {"admins", client.current_user.me().user_name, *deployers}
    found = {
        (who, permission.permission_level.value)
        for entry in client.permissions.get(kind, object_id).access_control_list or []
        for permission in entry.all_permissions or []
        if permission.permission_level
        and not permission.inherited
        and (who := entry.service_principal_name or entry.group_name or entry.user_name or "") not in others
    }
    lacking = [f"{who} lacks {level}" for who, level in sorted(wanted - found)]
    extra = [
        f"{who} has {level}, which was not deployed" for who, level in sorted(found - wanted) if level != "IS_OWNER"
    ]
    if lacking or extra:
        raise ValueError("; ".join(lacking + extra))


def _who(entry: Mapping[str, Any]) -> str:
    names = ("servicePrincipalName", "groupName", "userName")
    return next((str(entry[name]) for name in names if entry.get(name)), "")
