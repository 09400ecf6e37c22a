"""What the workspace has of the stack's and its state does not, or the other way round: a run never learnt of it.

A thing counts as the stack's by its tag and name, and only if it is as bare as a create leaves it: a scope that holds
secrets, or a service principal that has some, is somebody else's. Owns the looking; only reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from adoption.import_file import Resource
from components.instance_pools import InstancePoolsArgs, pool_properties
from components.orchestrator_settings import STACK_TAG
from components.run_environment import container_image
from components.settings import PROJECT, Settings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

JOB: Final = "databricks:index/job:Job"
POOL: Final = "databricks:index/instancePool:InstancePool"


def owned(settings: Settings, begun_pools: Mapping[str, str], client: "WorkspaceClient") -> Iterator[Resource]:
    """What the workspace has of the stack's, as the resources of the program's that they are.

    `begun_pools` are the pools that a run was making when it ended, by name: what they are called in the program.
    Raises DatabricksError where the workspace cannot be asked.
    """
    yield from _jobs(settings.stack, client)
    # Those that settings want come first, where there are two for one place.
    yield from _pools([*_wanted_pools(settings), *begun_pools.items()], client)
    yield from _scope(settings, client)
    yield from _service_principals(settings.stack, client)


def gone(jobs: Mapping[str, str], client: "WorkspaceClient") -> set[str]:
    """Of jobs, ids by URN, those that the workspace does not have, by their URNs. Raises DatabricksError.

    Deleting such a job again fails, and deleting anything else that is gone does not: Databricks answers 400 where the
    provider waits for 404 (jobs/resource_job.go).
    """
    there = {str(job.job_id) for job in client.jobs.list()} if jobs else set[str]()
    return {urn for urn, job_id in jobs.items() if job_id not in there}


def _jobs(stack: str, client: "WorkspaceClient") -> Iterator[Resource]:
    for job in sorted(client.jobs.list(), key=lambda job: job.job_id or 0):
        tags, name = (job.settings and job.settings.tags) or {}, (job.settings and job.settings.name) or ""
        instance_id = name.removeprefix(f"fiftyone-{stack}-")
        # A person's clone carries the tag too, under another name.
        if tags.get(STACK_TAG) == f"{PROJECT}.{stack}.{instance_id}":
            yield Resource(
                kind=JOB,
                name=instance_id,
                id=str(job.job_id),
                component="Job",
                component_name=instance_id,
            )


def _pools(known: Sequence[tuple[str, str]], client: "WorkspaceClient") -> Iterator[Resource]:
    """By their names, which hold a hash of what they are."""
    found = {pool.instance_pool_name: pool.instance_pool_id or "" for pool in client.instance_pools.list()}
    for pool_name, name in dict(known).items():
        if pool_name in found:
            yield Resource(
                kind=POOL,
                name=name,
                id=found[pool_name],
                component="InstancePools",
                component_name=name.rpartition("-")[0],
            )


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
    scope = settings.secret_scope
    there = not scope.existing and scope.name in {found.name for found in client.secrets.list_scopes()}
    if there and not any(client.secrets.list_secrets(scope.name)):
        yield Resource(
            kind="databricks:index/secretScope:SecretScope",
            name="scope",
            id=scope.name,
            component="SecretScope",
            component_name="secrets",
        )


def _service_principals(stack: str, client: "WorkspaceClient") -> Iterator[Resource]:
    for found in client.service_principals.list(filter=f'displayName eq "fiftyone-{stack}"'):
        if not any(client.service_principal_secrets_proxy.list(found.id or "")):
            yield Resource(
                kind="databricks:index/servicePrincipal:ServicePrincipal",
                name="trigger",
                id=found.id or "",
                component="ServicePrincipal",
                component_name="trigger",
            )
