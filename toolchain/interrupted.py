"""Whether a run before was interrupted or failed, by what the backend knows of it.

Owns the signs alone, which cost no request to the workspace; what is done about them is recovery/.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from toolchain.locks import backend_folder, locks
from toolchain.paths import REPO
from toolchain.pulumi_json import PulumiError, pulumi_json

# What recovery's own refresh says of itself in the history, which tells that it is still to be done if it fails.
RECOVERY: Final = "recovery"


def was_interrupted(stack: str, environ: Mapping[str, str], project: Path = REPO) -> bool:
    """Whether there is a lock, something is pending, or anything did not succeed since the last update that did.

    Not where the stack cannot be read: the command that follows will say it better.
    """
    try:
        return (
            _is_locked(stack, environ, project)
            or bool(_pending(stack, environ, project))
            or _has_failed(stack, environ, project)
        )
    except PulumiError:
        return False


def lost_deletes(stack: str, environ: Mapping[str, str], project: Path = REPO) -> bool:
    """Whether the state may have what a run before has deleted: it was killed, or cut off at it, or was a `destroy`.

    Asked before the signs are taken away. Raises PulumiError.
    """
    return (
        _is_locked(stack, environ, project)
        or "deleting" in _pending(stack, environ, project)
        or any(map(_may_lose, _since_success(stack, environ, project)))
    )


def _may_lose(entry: Mapping[str, Any]) -> bool:
    is_ours = entry["kind"] == "refresh" and entry.get("message") == RECOVERY
    return entry["kind"] == "destroy" or (is_ours and entry["result"] != "succeeded")


def _is_locked(stack: str, environ: Mapping[str, str], project: Path) -> bool:
    folder = backend_folder(environ, project)
    return folder is not None and any(locks(stack, folder))


def _pending(stack: str, environ: Mapping[str, str], project: Path) -> list[str]:
    """What was begun and not ended, such as `creating`."""
    deployment: dict[str, Any] = pulumi_json(["stack", "export", "--stack", stack], environ, project)["deployment"]
    operations: list[dict[str, Any]] = (deployment or {}).get("pending_operations") or []
    return [operation["type"] for operation in operations]


def _has_failed(stack: str, environ: Mapping[str, str], project: Path) -> bool:
    return any(entry["result"] != "succeeded" for entry in _since_success(stack, environ, project))


def _since_success(stack: str, environ: Mapping[str, str], project: Path) -> Iterator[dict[str, Any]]:
    """The history since the last update that succeeded, the newest first."""
    history = ["stack", "history", "--json", "--page-size", "20", "--stack", stack]
    for entry in pulumi_json(history, environ, project):
        if entry["kind"] == "update" and entry["result"] == "succeeded":
            return
        yield entry
