"""The file that Pulumi's own import reads: which of the stack's resources stand in the workspace, and by which ids.

Owns the resources' places in the program (types, names, components; components/), which an engine test holds together
with it, and running the import. Ids are the databricks provider's (the sections "Import" of its documentation). Holds
no secret.
"""

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from adoption.survey import Finding
from components.settings import PROJECT, Settings
from toolchain.patience import run_to_its_end

COMPONENT: Final = f"{PROJECT}:index:"
FLAGS: Final = ("--generate-code=false", "--protect=false", "--yes", "--skip-preview", "--non-interactive")
JOB: Final = "databricks:index/job:Job"
SCOPE: Final = "databricks:index/secretScope:SecretScope"
# Dynamic resources cannot be imported; this is where one orchestrator's lies in the state.
ORCHESTRATOR: Final = "pulumi-python:dynamic/fiftyone:Orchestrator"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of the program's that stands in the workspace; its component is made with it."""

    kind: str
    name: str
    id: str
    component: str
    component_name: str

    def component_urn(self, stack: str) -> str:
        """The URN of the component."""
        return f"urn:pulumi:{stack}::{PROJECT}::{COMPONENT}{self.component}::{self.component_name}"

    def urn(self, stack: str) -> str:
        """The URN in the program."""
        return f"urn:pulumi:{stack}::{PROJECT}::{COMPONENT}{self.component}${self.kind}::{self.name}"


def orchestrator_urn(stack: str, instance_id: str) -> str:
    """The URN of an orchestrator's registration."""
    return f"urn:pulumi:{stack}::{PROJECT}::{COMPONENT}FiftyOneOrchestrator${ORCHESTRATOR}::{instance_id}"


def job_urn(stack: str, instance_id: str) -> str:
    """The URN of an orchestrator's job."""
    return job_resource(instance_id, "").urn(stack)


def standing_resources(found: Sequence[Finding], settings: Settings) -> Iterator[Resource]:
    """What of the program stands already: the scope that a job of these reads, jobs, and who may start them."""
    scope = settings.secret_scope
    if not scope.existing and any(scope.name in each.scopes and _reads(each, scope.name) for each in found):
        yield scope_resource(scope.name)
    for each in found:
        if each.job is None:
            continue
        yield job_resource(each.instance_id, each.job.id)
        if settings.makes_service_principal or settings.existing_trigger:
            yield Resource(
                kind="databricks:index/permissions:Permissions",
                name=f"{each.instance_id}-job",
                id=f"/jobs/{each.job.id}",
                component="Access",
                component_name=each.instance_id,
            )


def import_file(wanted: Sequence[Resource], stack: str, state: Collection[str]) -> dict[str, Any]:
    """The file's content for resources that the state, by its URNs, has not; components that it has are referred to."""
    table: dict[str, str] = {}
    components: dict[str, dict[str, Any]] = {}
    resources: list[dict[str, Any]] = []
    for each in wanted:
        parent, urn = f"{each.component} {each.component_name}", each.component_urn(stack)
        if urn in state:
            table[parent] = urn
        else:
            kind = f"{COMPONENT}{each.component}"
            components[parent] = {
                "type": kind,
                "name": parent,
                "logicalName": each.component_name,
                "component": True,
            }
        resources.append(
            {
                "type": each.kind,
                "name": f"{parent} {each.name}",
                "logicalName": each.name,
                "id": each.id,
                "parent": parent,
                # Which makes the default provider that the program's own has.
                "version": version("pulumi-databricks"),
            }
        )
    return {"nameTable": table, "resources": [*components.values(), *resources]}


def run_import(
    wanted: Sequence[Resource], stack: str, state: Collection[str], environ: Mapping[str, str], project: Path
) -> int:
    """Have Pulumi import these into a stack whose state has these URNs; its exit code, 0 where all were."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "import.json"
        file.write_text(json.dumps(import_file(wanted, stack, state), indent=2))
        return run_to_its_end(["pulumi", "import", "--stack", stack, "--file", str(file), *FLAGS], environ, project)


def job_resource(instance_id: str, job_id: str) -> Resource:
    """An orchestrator's job, as the program has it."""
    return Resource(kind=JOB, name=instance_id, id=job_id, component="Job", component_name=instance_id)


def scope_resource(name: str) -> Resource:
    """The stack's secret scope, as the program has it."""
    return Resource(kind=SCOPE, name="scope", id=name, component="SecretScope", component_name="secrets")


def _reads(found: Finding, scope: str) -> bool:
    return found.job is not None and scope in found.job.scopes
