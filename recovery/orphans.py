"""What the workspace has of the stack's and its state does not, or the other way round: a run never learnt of it.

A thing counts as the stack's by its tag and name, and only if it is as bare as a create leaves it: a job that never
ran, a pool that no job names, a scope without secrets that one alone may manage, a service principal that has nothing.
Anything else is at work for somebody, such as the same stack on another backend. Owns the looking; only reads.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from adoption.import_file import Resource, job_resource, scope_resource
from components.job_names import STACK_TAG
from components.pool_properties import InstancePoolsArgs, pool_properties
from components.run_environment import container_image
from components.settings import PROJECT, Settings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

# How long Databricks keeps a job's runs (its Jobs API, "List job runs"), less a day.
SECONDS_OF_RUNS: Final = 59 * 24 * 3600
POOL: Final = "databricks:index/instancePool:InstancePool"


def owned(settings: Settings, begun_pools: Mapping[str, str], client: "WorkspaceClient") -> Iterator[Resource]:
    """What the workspace has of the stack's, as the resources of the program's that they are.

    `begun_pools` are the pools that a run was making when it ended, by name: what they are called in the program.
    Raises DatabricksError where the workspace cannot be asked.
    """
    yield from _jobs(settings.stack, client)
    # Those that settings want come first, where there are two for one place.
    yield from _pools({**dict(_wanted_pools(settings)), **begun_pools}, client)
    yield from _scope(settings, client)
    if settings.makes_service_principal:
        yield from _service_principals(settings, client)


def gone(jobs: Mapping[str, str], client: "WorkspaceClient") -> set[str]:
    """Of jobs by id, the ids that the workspace does not have. Raises DatabricksError.

    Deleting such a job again fails, and deleting anything else that is gone does not: Databricks answers 400 where the
    provider waits for 404 (jobs/resource_job.go).
    """
    from databricks.sdk.errors import InvalidParameterValue, NotFound

    found = set(jobs)
    for job_id in jobs:
        with suppress(NotFound, InvalidParameterValue):
            client.jobs.get(int(job_id))
            found.remove(job_id)
    return found


def lacks(pools: Collection[str], scopes: Collection[str], client: "WorkspaceClient") -> bool:
    """Whether the workspace lacks any of these, by their ids. Raises DatabricksError."""
    there = {pool.instance_pool_id for pool in client.instance_pools.list()} if pools else set[str | None]()
    known = {scope.name for scope in client.secrets.list_scopes()} if scopes else set[str | None]()
    return not (there.issuperset(pools) and known.issuperset(scopes))


def _jobs(stack: str, client: "WorkspaceClient") -> Iterator[Resource]:
    for job in sorted(client.jobs.list(), key=lambda job: job.job_id or 0):
        tag = ((job.settings and job.settings.tags) or {}).get(STACK_TAG, "")
        instance_id = tag.removeprefix(f"{PROJECT}.{stack}.")
        # A person's clone carries the tag too, under another name.
        is_ours = (
            tag == f"{PROJECT}.{stack}.{instance_id}"
            and (job.settings and job.settings.name) == f"fiftyone-{stack}-{instance_id}"
        )
        # Databricks forgets runs, so that an old job may have had some.
        is_new = (job.created_time or 0) / 1000 > time.time() - SECONDS_OF_RUNS
        if is_ours and is_new and not any(client.jobs.list_runs(job_id=job.job_id, limit=1)):
            yield job_resource(instance_id, str(job.job_id))


def _pools(known: Mapping[str, str], client: "WorkspaceClient") -> Iterator[Resource]:
    """By their names, which hold a hash of what they are."""
    ids = {pool.instance_pool_name: pool.instance_pool_id or "" for pool in client.instance_pools.list()}
    found = {ids[pool_name]: name for pool_name, name in known.items() if pool_name in ids}
    used = _used_pools(client) if found else set[str]()
    for pool_id, name in found.items():
        if pool_id not in used:
            yield Resource(
                kind=POOL,
                name=name,
                id=pool_id,
                component="InstancePools",
                component_name=name.rpartition("-")[0],
            )


def _used_pools(client: "WorkspaceClient") -> set[str]:
    """Pools that a cluster of some job takes its instances from."""
    settings = [job.settings for job in client.jobs.list(expand_tasks=True) if job.settings]
    holders = [each for job in settings for each in (*(job.job_clusters or ()), *(job.tasks or ()))]
    clusters = [each.new_cluster for each in holders if each.new_cluster]
    return {pool or "" for each in clusters for pool in (each.instance_pool_id, each.driver_instance_pool_id)}


def _wanted_pools(settings: Settings) -> Iterator[tuple[str, str]]:
    """Names of the pools that the settings describe, and what they are called in the program."""
    for instance_id, orchestrator in settings.orchestrators.items():
        args = InstancePoolsArgs(
            stack=settings.stack,
            instance_id=instance_id,
            orchestrator=orchestrator,
            image=container_image(settings, orchestrator),
            run_as=None,
        )
        node_types = {"execution": orchestrator.node_type, "registration": orchestrator.registration_node_type}
        for role in (role for role, node_type in node_types.items() if node_type):
            yield pool_properties(args, role)["instance_pool_name"], f"{instance_id}-{role}"


def _scope(settings: Settings, client: "WorkspaceClient") -> Iterator[Resource]:
    name = settings.secret_scope.name
    found = {} if settings.secret_scope.existing else {scope.name: scope for scope in client.secrets.list_scopes()}
    # One on a key vault shows the vault's secrets.
    is_ordinary = name in found and (kind := found[name].backend_type) and kind.value == "DATABRICKS"
    if is_ordinary and _is_bare(name, client):
        yield scope_resource(name)


def _is_bare(scope: str, client: "WorkspaceClient") -> bool:
    """Whether there is nothing in it, and nobody but who manages it; not where the deployer may not ask."""
    from databricks.sdk.errors import PermissionDenied

    try:
        levels = [entry.permission and entry.permission.value for entry in client.secrets.list_acls(scope)]
        return levels in ([], ["MANAGE"]) and not any(client.secrets.list_secrets(scope))
    except PermissionDenied:
        return False


def _service_principals(settings: Settings, client: "WorkspaceClient") -> Iterator[Resource]:
    run_as = settings.run_as.service_principal if settings.run_as else None
    for found in client.service_principals.list(filter=f'displayName eq "fiftyone-{settings.stack}"'):
        # All are in the group `users`.
        groups = [group for group in found.groups or () if group.display != "users"]
        is_known_elsewhere = found.external_id or found.roles or groups or found.application_id == run_as
        if not is_known_elsewhere and not _has_secrets(found.id or "", client):
            yield Resource(
                kind="databricks:index/servicePrincipal:ServicePrincipal",
                name="trigger",
                id=found.id or "",
                component="ServicePrincipal",
                component_name="trigger",
            )


def _has_secrets(principal: str, client: "WorkspaceClient") -> bool:
    """Whether it has OAuth secrets; so it counts too where the deployer may not ask, as who made it may."""
    from databricks.sdk.errors import PermissionDenied

    try:
        return any(client.service_principal_secrets_proxy.list(principal))
    except PermissionDenied:
        return True
