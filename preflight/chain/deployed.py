"""What the stack's state says exists, read from the backend through a pipe: `pulumi stack export --show-secrets`.

Secrets are in the clear here, in this process alone. Owns the reading; what is to become of it lies with the checks.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from components.settings import PROJECT
from toolchain.pulumi_json import pulumi_json

# How the engine writes a secret (pulumi/pulumi, sdk/go/common/resource, SigKey and SecretSig).
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_DYNAMIC: Final = "pulumi-python:dynamic/"
# What engine and bridge keep beside a resource's properties.
_ENGINES_OWN: Final = ("__defaults", "__meta", "__provider", "__pulumi_raw_state_delta")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of the state. `type` is short: `databricks:Secret`, `fiftyone:Orchestrator`, `Job`, `InstancePool`.

    `uses` are the resources whose outputs its inputs have; `waits_for` all that it depends on, for whatever reason.
    """

    urn: str
    type: str
    name: str
    id: str
    inputs: Mapping[str, Any] = field(repr=False)
    outputs: Mapping[str, Any] = field(repr=False)
    parent: str
    uses: frozenset[str]
    waits_for: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The state of a stack; `pending` are operations that were begun and of which no end is known."""

    stack: str
    resources: tuple[Resource, ...]
    pending: tuple[str, ...]

    def of_type(self, *types: str) -> Iterator[Resource]:
        """Its resources of these types, in the order of the state, in which what is needed comes first."""
        return (resource for resource in self.resources if resource.type in types)

    def named(self, type_: str, name: str) -> Resource | None:
        """The one of a type that has a name."""
        return next((resource for resource in self.of_type(type_) if resource.name == name), None)

    def before(self, resource: Resource) -> frozenset[str]:
        """All that has to be in place before a resource, itself included, by its URN."""
        found: set[str] = set()
        left = [resource.urn]
        while left:
            urn = left.pop()
            if urn not in found and (one := self._by_urn.get(urn)):
                found.add(urn)
                left += [*one.uses, *one.waits_for, *_parents(one, self._by_urn)]
        return frozenset(found)

    @property
    def refresh_and_up(self) -> str:
        """The command that puts right what differs from the state."""
        return f"`make refresh STACK={self.stack} && make up STACK={self.stack}`"

    @cached_property
    def _by_urn(self) -> dict[str, Resource]:
        return {resource.urn: resource for resource in self.resources}


def read(stack: str, environ: Mapping[str, str], project: Path) -> Deployed:
    """The state of a stack. Raises PulumiError."""
    exported = pulumi_json(["stack", "export", "--show-secrets", "--stack", stack], environ, project)
    deployment: dict[str, Any] = exported.get("deployment") or {}
    entries: list[dict[str, Any]] = deployment.get("resources") or []
    pending: list[dict[str, Any]] = deployment.get("pending_operations") or []
    return Deployed(
        stack=stack,
        # One marked for deletion is what a replacement has not got round to yet, beside its successor.
        resources=tuple(_resource(entry) for entry in entries if not entry.get("delete")),
        pending=tuple(f"{entry['type']} {_name(entry['resource']['urn'])}" for entry in pending),
    )


def tag_prefix(stack: str) -> str:
    """What the tag of each of the stack's jobs begins with (components/job.py)."""
    return f"{PROJECT}.{stack}."


def _parents(resource: Resource, by_urn: Mapping[str, Resource]) -> frozenset[str]:
    """What the components wait for that a resource is a part of."""
    found: set[str] = set()
    above = by_urn.get(resource.parent)
    while above:
        found |= above.waits_for
        above = by_urn.get(above.parent)
    return frozenset(found)


def _resource(entry: Mapping[str, Any]) -> Resource:
    kind: str = entry["type"]
    short = kind.removeprefix(_DYNAMIC) if kind.startswith(_DYNAMIC) else kind
    properties: dict[str, list[str] | None] = entry.get("propertyDependencies") or {}
    return Resource(
        urn=entry["urn"],
        type=short.rpartition(":")[2] if kind.startswith("databricks:index/") else short,
        name=_name(entry["urn"]),
        id=str(entry.get("id") or ""),
        inputs=_plain(entry.get("inputs") or {}),
        outputs=_plain(entry.get("outputs") or {}),
        parent=entry.get("parent") or "",
        uses=frozenset(urn for urns in properties.values() for urn in urns or ()),
        waits_for=frozenset(cast("list[str]", entry.get("dependencies") or [])),
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _plain(value: Any) -> Any:
    """A value without what the engine adds: the wrapping of secrets, and keys of its own."""
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found = cast("dict[str, Any]", value)
    if found.get(_SIGNATURE) == _SECRET:
        return json.loads(found["plaintext"])
    return {name: _plain(each) for name, each in found.items() if name not in _ENGINES_OWN}
