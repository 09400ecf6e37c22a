"""Rules on access: who shares a cluster, who manages a scope, and what the trigger may do with a job.

Sources: guide, "Create Job" and "Create Service Creds"; terraform-provider #322 for who manages a scope by default.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from rules.clusters import JOB, Cluster, each_cluster
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import names
from rules.values import ABSENT, UNKNOWN, Properties, at, entries, has_unknown, text

PERMISSIONS: Final = "databricks:index/permissions:Permissions"
SCOPE: Final = "databricks:index/secretScope:SecretScope"
GRANTS: Final = ("databricks:index/secretAcl:SecretAcl", "pulumi-python:dynamic/databricks:ScopeGrant")
DEDICATED: Final = "DATA_SECURITY_MODE_DEDICATED"
TRIGGER_LEVEL: Final = "CAN_MANAGE_RUN"
# What somebody else than the trigger may have, and what the platform gives the user who deploys.
OTHERS_LEVELS: Final = ("CAN_VIEW", TRIGGER_LEVEL)
OWNER_LEVEL: Final = "IS_OWNER"

EVERYONE: Final = Limit(
    name="groups",
    default=("users", "account users"),
    parse=names,
    why="Groups that everyone belongs to: Databricks' own two always, and those that are named here beside them.",
)


def security_mode(job: Resource, context: Context) -> Iterator[Finding]:
    """A job's clusters are dedicated."""

    def check(cluster: Cluster, _context: Context) -> Iterator[Finding]:
        mode = at(cluster.properties, "dataSecurityMode")
        if mode is UNKNOWN:
            yield Finding(what="dataSecurityMode", later=True)
        elif mode != DEDICATED:
            shown = mode if isinstance(mode, str) and mode else "not set"
            yield Finding(
                what=f"dataSecurityMode is {shown}",
                why="runs hold the deployment's secrets, so nobody else's code may share their cluster (guide, Create "
                "Job)",
                mend=f"set `data_security_mode` of the cluster to {DEDICATED}",
            )

    yield from each_cluster(job, context, check)


def scope_access(resource: Resource, context: Context) -> Iterator[Finding]:
    """No group of everyone manages a secret scope."""
    if resource.type == SCOPE:
        principal, manages = at(resource.properties, "initialManagePrincipal"), True
    else:
        principal, permission = at(resource.properties, "principal"), at(resource.properties, "permission")
        manages = permission in ("MANAGE", UNKNOWN)
    if manages and principal is UNKNOWN:
        yield Finding(what=f"who manages the scope by {resource.name}", urn=resource.urn, later=True)
    elif manages and principal in {*EVERYONE.default, *context[EVERYONE]}:
        yield Finding(
            what=f"{resource.name} gives MANAGE on a secret scope to the group {principal}",
            why="everyone in the workspace could read, change and delete the deployment's secrets",
            mend="grant READ, to the identity that the job runs as, and leave out the initial principal",
            urn=resource.urn,
        )


def trigger_level(permissions: Resource, _context: Context) -> Iterator[Finding]:
    """A service principal has CAN_MANAGE_RUN on a job, and nobody but its owner has more."""
    if at(permissions.properties, "jobId") is ABSENT:
        return
    if has_unknown(permissions.properties, "accessControls"):
        yield Finding(what=f"to whom {permissions.name} gives the job", urn=permissions.urn, later=True)
    for entry in entries(permissions.properties, "accessControls"):
        level = at(entry, "permissionLevel")
        shown = level if isinstance(level, str) and level else "no level"
        if level is UNKNOWN:
            yield Finding(what=f"the permission that {permissions.name} gives", urn=permissions.urn, later=True)
        elif _names(entry, "servicePrincipalName"):
            if level != TRIGGER_LEVEL:
                yield Finding(
                    what=f"{permissions.name} gives the service principal {shown} on the job",
                    why=f"FiftyOne holds its credential and needs {TRIGGER_LEVEL}: with less it starts no run, with "
                    "more it could change what runs",
                    mend=f"set the level to {TRIGGER_LEVEL}",
                    urn=permissions.urn,
                )
        elif level not in OTHERS_LEVELS and not (level == OWNER_LEVEL and _names(entry, "userName")):
            whom = f"the group {text(entry, 'groupName')}" if text(entry, "groupName") else "somebody else"
            yield Finding(
                what=f"{permissions.name} gives {whom} {shown} on the job",
                why="whoever may change the job decides what runs with the deployment's secrets",
                mend=f"take the entry away, or lower it to {TRIGGER_LEVEL}",
                urn=permissions.urn,
            )


def trigger_access(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """Each job has a service principal that may start it, unless the credential is not this stack's."""
    if context.settings.trigger_elsewhere:
        return
    startable = {
        job.urn
        for permissions in of_type(resources, PERMISSIONS)
        if has_unknown(permissions.properties, "accessControls")  # trigger-level leaves that to the update
        or any(_names(entry, "servicePrincipalName") for entry in entries(permissions.properties, "accessControls"))
        for job in permissions.depends_on.get("jobId", ())
    }
    for job in of_type(resources, JOB):
        if job.urn not in startable:
            yield Finding(
                what=f"no service principal may start job {job.name}",
                why="FiftyOne starts runs as one (guide, Create Service Creds)",
                mend="name it as `servicePrincipal`, or drop that setting, and the stack makes one",
                urn=job.urn,
            )


def _names(entry: Properties, whom: str) -> bool:
    return at(entry, whom) not in (ABSENT, "")


RULES: Final = (
    ResourceRule(name="security-mode", says="A job's clusters are dedicated to it.", types=(JOB,), check=security_mode),
    ResourceRule(
        name="scope-access",
        says="No group of everyone manages a secret scope.",
        types=(SCOPE, *GRANTS),
        check=scope_access,
        limits=(EVERYONE,),
    ),
    ResourceRule(
        name="trigger-level",
        says="A service principal has CAN_MANAGE_RUN on a job, and nobody but its owner has more.",
        types=(PERMISSIONS,),
        check=trigger_level,
    ),
    StackRule(
        name="trigger-access",
        says="Each job may be started by the service principal whose credential FiftyOne holds.",
        types=(JOB, PERMISSIONS),
        check=trigger_access,
    ),
)
