"""Whether runs find what was deployed: the keys that the live jobs' environments name, and the contents of files.

The platform does not tell when a file's content changes, so a refresh does not see it (terraform-provider-databricks
#614): the bytes themselves are held against the state. A checkout that differs from what is deployed is no broken link.
"""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from components.orchestrator_settings import SECRET_REFERENCE
from databricks_provider.archive import archive_name
from databricks_provider.file_store import VOLUMES
from preflight.chain.agreement import WORKSPACE
from preflight.chain.check import BrokenError, Check
from preflight.chain.deployed import Deployed, Resource

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

CHUNK: Final = 1 << 20


def secret_keys(deployed: Deployed, client: "WorkspaceClient") -> Iterator[Check]:
    """Whether scopes hold the keys that the clusters of each live job name; one that is missing ends every run."""
    own = frozenset(secret.urn for secret in deployed.of_type("databricks:Secret"))
    for job in deployed.of_type("Job"):
        yield Check(
            subject=f"keys of job {job.name}",
            key=keys_of(job),
            needs=frozenset({WORKSPACE, job.urn}) | own,
            look=lambda job=job: _keys(deployed, job, client),
        )


def contents(deployed: Deployed, client: "WorkspaceClient") -> Iterator[Check]:
    """Whether each file's bytes are those that were deployed."""
    for file in deployed.of_type("WorkspaceFile"):
        yield Check(
            subject=f"file {file.name}",
            key=content_of(file),
            needs=frozenset({WORKSPACE, file.urn}),
            look=lambda file=file: _file(deployed, file, client),
        )
    for archive in deployed.of_type("databricks:Archive"):
        yield Check(
            subject=archive_name(archive.outputs["sha256"]),
            key=content_of(archive),
            needs=frozenset({WORKSPACE, archive.urn}),
            look=lambda archive=archive: _archive(deployed, archive, client),
        )


def keys_of(job: Resource) -> str:
    """By which other checks need the keys of a job."""
    return f"keys of {job.urn}"


def content_of(file: Resource) -> str:
    """By which other checks need the content of a file."""
    return f"content of {file.urn}"


def _keys(deployed: Deployed, job: Resource, client: "WorkspaceClient") -> str:
    from databricks.sdk.errors import NotFound

    live: Any = client.jobs.get(int(job.id))
    wanted: dict[str, set[str]] = defaultdict(set)
    for cluster in live.as_dict()["settings"].get("job_clusters", []):
        new: dict[str, Any] = cluster["new_cluster"]
        image: dict[str, Any] = new.get("docker_image", {}).get("basic_auth", {})
        for value in (*new.get("spark_env_vars", {}).values(), *image.values()):
            if SECRET_REFERENCE.fullmatch(value):
                _, scope, key = value.strip("{}").split("/")
                wanted[scope].add(key)
    for scope, keys in sorted(wanted.items()):
        try:
            held = {secret.key for secret in client.secrets.list_secrets(scope)}
        except NotFound:
            raise BrokenError(f"there is no scope {scope}, so no cluster starts", deployed.refresh_and_up) from None
        if lacking := sorted(keys - held):
            ours = any(own.id == scope for own in deployed.of_type("SecretScope"))
            by_hand = " && ".join(f"`databricks secrets put-secret {scope} {key}`" for key in lacking)
            raise BrokenError(
                f"scope {scope} does not hold {', '.join(lacking)}, so no cluster starts",
                deployed.refresh_and_up if ours else by_hand,
            )
    return f"{sum(map(len, wanted.values()))} keys of job {job.name} in scope {', '.join(sorted(wanted))}"


def _file(deployed: Deployed, file: Resource, client: "WorkspaceClient") -> None:
    deployed_bytes = base64.b64decode(file.outputs["contentBase64"])
    with client.workspace.download(file.id) as found:
        if _hash(found) != hashlib.sha256(deployed_bytes).hexdigest():
            raise _other(deployed, f"databricks workspace delete {file.id}")


def _archive(deployed: Deployed, archive: Resource, client: "WorkspaceClient") -> None:
    folder, sha256 = archive.outputs["folder"], archive.outputs["sha256"]
    path = f"{folder}/{archive_name(sha256)}"
    on_volume = folder.startswith(VOLUMES)
    content: Any = client.files.download(path).contents if on_volume else client.workspace.download(path)
    with content as found:
        if _hash(found) != sha256:
            remove = f"databricks fs rm dbfs:{path}" if on_volume else f"databricks workspace delete {path}"
            raise _other(deployed, remove)


def _other(deployed: Deployed, remove: str) -> BrokenError:
    return BrokenError(
        "its content is not what was deployed, and runs use what is there",
        f"`{remove}`, then {deployed.refresh_and_up}",
    )


def _hash(content: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
