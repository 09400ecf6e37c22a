"""What the stack's state says: what it has, and which operations in it are without an end.

Owns reading the state, and writing it without those operations.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recovery.orphans import POOL
from toolchain.pulumi_json import PulumiError, pulumi_json


@dataclass(frozen=True, kw_only=True)
class State:
    """The state as Pulumi exports it, secrets encrypted."""

    exported: Mapping[str, Any]

    @property
    def urns(self) -> set[str]:
        """What the state has, without what only waits for its deletion."""
        return {each["urn"] for each in self.entries("resources") if not each.get("delete")}

    @property
    def ids(self) -> set[str]:
        """All ids that the state knows."""
        return {each.get("id", "") for each in self.entries("resources")}

    @property
    def pending(self) -> list[str]:
        """Operations without an end, such as `creating gpu`."""
        return [f"{each['type']} {_name(each['resource']['urn'])}" for each in self.entries("pending_operations")]

    @property
    def begun_pools(self) -> dict[str, str]:
        """Pools that were being made, by name: what they are called in the program."""
        begun = [each["resource"] for each in self.entries("pending_operations") if each["type"] == "creating"]
        return {each["inputs"]["instancePoolName"]: _name(each["urn"]) for each in begun if each["type"] == POOL}

    def entries(self, name: str) -> list[dict[str, Any]]:
        """One of the lists that it consists of."""
        deployment: dict[str, list[dict[str, Any]] | None] = self.exported.get("deployment") or {}
        return deployment.get(name) or []


def read(stack: str, environ: Mapping[str, str], project: Path) -> State:
    """The state. Raises PulumiError."""
    return State(exported=pulumi_json(["stack", "export", "--stack", stack], environ, project))


def write_without_pending(state: State, stack: str, environ: Mapping[str, str], project: Path) -> None:
    """Write the state without its pending operations, as Pulumi's documentation says to.

    `refresh --clear-pending-creates` would run the program as well, before the one that follows. Raises PulumiError.
    """
    deployment: dict[str, Any] = {**state.exported["deployment"], "pending_operations": []}
    done = subprocess.run(
        ["pulumi", "stack", "import", "--stack", stack, "--non-interactive"],
        cwd=project,
        env=dict(environ),
        input=json.dumps({**state.exported, "deployment": deployment}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PulumiError(" ".join(done.stderr.split()))


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
