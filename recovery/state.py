"""What the stack's state says, and what in it is no longer so: operations without an end, and what is gone.

Owns reading the state, its repair, its refresh, and writing it without them; what a refresh does not find to be gone is
told by who has asked the workspace.
"""

import json
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adoption.import_file import JOB, SCOPE
from recovery.orphans import POOL
from toolchain.interrupted import RECOVERY
from toolchain.patience import run_to_its_end
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

    def ids_of(self, kind: str) -> set[str]:
        """Ids of the resources of one type."""
        return {each["id"] for each in self.entries("resources") if each["type"] == kind}

    @property
    def jobs(self) -> dict[str, str]:
        """Names by id of the jobs that nothing in the state depends on any more."""
        needed = {urn for each in self.entries("resources") for urn in each.get("dependencies") or ()}
        found = [each for each in self.entries("resources") if each["type"] == JOB]
        # What waits for its deletion has a successor of the same URN, which is what others depend on.
        return {each["id"]: _name(each["urn"]) for each in found if each.get("delete") or each["urn"] not in needed}

    @property
    def has_unread_scope(self) -> bool:
        """Whether a scope was made and could not be read then, which the engine keeps with the error."""
        return any(map(_is_unread_scope, self.entries("resources")))

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


def write(state: State, stack: str, environ: Mapping[str, str], project: Path, *, without: Collection[str]) -> None:
    """Write the state without its pending operations and the resources of these ids, as Pulumi's documentation says to.

    `refresh --clear-pending-creates` would ask the workspace for every resource. What has an error is updated by the
    next `up`, which a scope cannot be (terraform-provider-databricks, secrets/resource_secret_scope.go): of a scope the
    error is left out. Raises PulumiError.
    """
    kept = [
        {name: value for name, value in each.items() if name != "initErrors" or not _is_unread_scope(each)}
        for each in state.entries("resources")
        if each.get("id", "") not in without
    ]
    deployment: dict[str, Any] = {**state.exported["deployment"], "resources": kept, "pending_operations": []}
    exported = json.dumps({**state.exported, "deployment": deployment})
    _pulumi(["stack", "import", "--stack", stack], environ, project, exported)


def repair(stack: str, environ: Mapping[str, str], project: Path) -> None:
    """Make the state one that the engine reads, if it is none: without what depends on something that it lacks.

    `refresh --run-program` may write that where the program asks for more than is deployed (pulumi #20215, #21645).
    Raises PulumiError.
    """
    _pulumi(["state", "repair", "--yes", "--stack", stack], environ, project)


def refresh(stack: str, environ: Mapping[str, str], project: Path) -> None:
    """Take out of the state what is gone, by the credentials that it remembers. Raises PulumiError.

    With the program, it breaks a state that lacks what the program asks for (pulumi #21645).
    """
    flags = ["--yes", "--skip-preview", "--message", RECOVERY, "--non-interactive"]
    # A rotation that is due is no drift (databricks_provider/rotation.py).
    environ = {**environ, "ROTATE_CREDENTIAL": "never"}
    if run_to_its_end(["pulumi", "refresh", "--stack", stack, *flags], environ, project):
        raise PulumiError(
            "the state could not be refreshed, as shown above. If the credentials that it remembers hold no more, and "
            f'no run is at work: `eval "$(make -s env STACK={stack})" && pulumi cancel {stack} && pulumi '
            f"refresh --run-program --stack {stack}` asks with today's; then run the same command again"
        )


def _pulumi(arguments: Sequence[str], environ: Mapping[str, str], project: Path, given: str = "") -> None:
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=project,
        env=dict(environ),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PulumiError(" ".join(done.stderr.split()))


def _is_unread_scope(resource: Mapping[str, Any]) -> bool:
    return resource["type"] == SCOPE and bool(resource.get("initErrors"))


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
