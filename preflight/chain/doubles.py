"""What stands in the workspace twice: ours by its tag or name, and not in the state.

That is what a create leaves whose answer was lost. Pools and scopes have names that are unique in a workspace; jobs,
service principals and their secrets do not.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from components.job_names import STACK_TAG
from preflight.chain.agreement import WORKSPACE
from preflight.chain.check import BrokenError, Check
from preflight.chain.deployed import Deployed, tag_prefix

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

DOUBLES: Final = "nothing of ours is there twice"


def doubles(deployed: Deployed, client: "WorkspaceClient") -> Iterator[Check]:
    """A check for each kind of thing that could stand there twice."""
    needs = frozenset({WORKSPACE})
    yield Check(subject="jobs", key="double jobs", needs=needs, look=lambda: _jobs(deployed, client))
    yield Check(
        subject="service principals",
        key="double principals",
        needs=needs,
        look=lambda: _principals(deployed, client),
    )
    for kept in deployed.of_type("databricks:CredentialRetention"):
        yield Check(
            subject="secrets of the service principal",
            key="double secrets",
            needs=needs | kept.uses,
            look=lambda: _secrets(deployed, client),
        )


def _jobs(deployed: Deployed, client: "WorkspaceClient") -> None:
    known, prefix = {job.id for job in deployed.of_type("Job")}, tag_prefix(deployed.stack)
    found = [
        (str(job.job_id), tag.removeprefix(prefix))
        for job in client.jobs.list()
        if (tag := ((job.settings and job.settings.tags) or {}).get(STACK_TAG, "")).startswith(prefix)
        # Instance ids have no dots, and names of stacks may.
        and "." not in tag.removeprefix(prefix)
    ]
    if extra := [(job_id, instance_id) for job_id, instance_id in found if job_id not in known]:
        named = ", ".join(f"job {job_id} of {instance_id}" for job_id, instance_id in extra)
        raise BrokenError(
            f"{named} carries this stack's tag and is not in its state: runs of it count in the licence, and nobody "
            "changes or deletes it",
            " && ".join(f"`databricks jobs delete {job_id}`" for job_id, _ in extra),
        )


def _principals(deployed: Deployed, client: "WorkspaceClient") -> None:
    name = f"fiftyone-{deployed.stack}"
    known = {principal.id for principal in deployed.of_type("ServicePrincipal")}
    # The one that FiftyOne starts jobs as may have been made by hand under that name.
    used = {secret.outputs.get("value") for secret in deployed.of_type("fiftyone:Secret")}
    found = client.service_principals.list(filter=f'displayName eq "{name}"')
    extra = [each for each in found if each.id not in known and each.application_id not in used]
    if extra:
        named = ", ".join(str(each.application_id) for each in extra)
        raise BrokenError(
            f"{named} is called {name} too and is not in the state: secrets of it stay valid, and nobody rotates them",
            " && ".join(f"`databricks service-principals delete {each.id}`" for each in extra),
        )


def _secrets(deployed: Deployed, client: "WorkspaceClient") -> None:
    for kept in deployed.of_type("databricks:CredentialRetention"):
        state = kept.outputs
        found = {secret.id for secret in client.service_principal_secrets_proxy.list(state["principalId"])}
        if extra := sorted(str(each) for each in found.difference(state["needed"])):
            raise BrokenError(
                f"{', '.join(extra)} is neither the one that FiftyOne holds nor the one before: it stays valid, and "
                "five are the most that Databricks allows",
                f"`LOOK_FOR_LEFT_OVERS=yes make up STACK={deployed.stack}`, which deletes it",
            )
