"""Whether a deployment before was interrupted or failed, by what the backend knows of it.

Owns the signs alone, which cost no request to the workspace; what is done about them lies with who looks.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from toolchain.paths import REPO


def was_interrupted(stack: str, environ: dict[str, str], project: Path = REPO) -> bool:
    """Whether something is pending, or anything has not succeeded since the last update that did."""
    deployment: dict[str, Any] = _pulumi(["stack", "export"], stack, environ, project).get("deployment") or {}
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    known = {resource["urn"] for resource in resources}
    pending: list[dict[str, Any]] = deployment.get("pending_operations") or []
    # The engine keeps a pending create when a later run makes the object: what the state has by now is over.
    if any(operation["type"] != "creating" or operation["resource"]["urn"] not in known for operation in pending):
        return True
    for entry in _pulumi(["stack", "history", "--json", "--page-size", "20"], stack, environ, project):
        if entry["result"] != "succeeded":
            return True
        if entry["kind"] == "update":
            return False
    return False


def _pulumi(arguments: list[str], stack: str, environ: dict[str, str], project: Path) -> Any:
    """What the command prints as JSON; nothing where it refuses, which the command that follows will say better."""
    done = subprocess.run(
        ["pulumi", *arguments, "--stack", stack, "--non-interactive"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout or "{}") if done.returncode == 0 else {}
