"""Prints a Mermaid picture of what a stack holds and how it hangs together: `make graph`, for any stack.

Made of the engine's own graph, the parents and dependencies in the stack's state, and of names alone: no value, secret
or not, is looked at. A box is a component; resources of one type in one component are one node. An arrow leads from
what is needed to what needs it: solid where a value is handed on, dotted where only the order counts. An arrow that a
way over others tells already is left out.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolchain.environment import PROJECT, stack_environment
from toolchain.paths import SetupError
from toolchain.pulumi_json import PulumiError, pulumi_json

ROOT = "pulumi:pulumi:Stack"
PROVIDERS = "pulumi:providers:"
NAMES_SHOWN = 4
# Borders alone, so that text is legible on a light page and on a dark one.
CLASSES = {
    "databricks": "stroke:#e8562a,stroke-width:2px",
    "fiftyone": "stroke:#2f7ed8,stroke-width:2px",
}


@dataclass(kw_only=True)
class Node:
    """Resources of one type in one component; a component that is one node has no box, and `title` is its own."""

    component: str
    kind: str
    names: list[str] = field(default_factory=list[str])
    title: str = ""

    @property
    def side(self) -> str:
        """On which side of the chain it lies."""
        return "fiftyone" if "fiftyone" in self.kind else "databricks"

    @property
    def label(self) -> str:
        """What is written in it."""
        shown = sorted(self.names)[:NAMES_SHOWN]
        rest = len(self.names) - len(shown)
        names = [*shown, *([f"and {rest} more"] if rest else [])]
        if self.title:
            return _text(self.title, *(names if len(self.names) > 1 else []))
        kind = self.kind.rpartition(":")[2]
        return _text(f"{kind} ({len(self.names)})" if len(self.names) > 1 else kind, *names)


def picture(resources: list[dict[str, Any]]) -> str:
    """The picture of a state's resources, as text that Mermaid draws."""
    nodes, node_of = _nodes(resources)
    values, order = _edges(resources, node_of)
    _shorten(values, beside=set())
    _shorten(order, beside=values)
    return "\n".join(_lines(nodes, values, order)) + "\n"


def _nodes(resources: list[dict[str, Any]]) -> tuple[dict[str, Node], dict[str, str]]:
    """Nodes by what tells them apart, and the node of each resource by its URN."""
    parents = {resource["urn"]: resource.get("parent", "") for resource in resources}
    nodes: dict[str, Node] = {}
    node_of: dict[str, str] = {}
    for urn, kind in _drawn(resources):
        component = parents[urn] if _type(parents[urn]) != ROOT else ""
        key = f"{component} {kind}" if component else urn
        nodes.setdefault(key, Node(component=component, kind=kind)).names.append(_name(urn))
        node_of[urn] = key
    held = Counter(node.component for node in nodes.values())
    for node in nodes.values():
        if node.component and held[node.component] == 1:
            node.title, node.component = _title(node.component), ""
    return nodes, node_of


def _drawn(resources: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """URN and type of each resource that is deployed: no component, no provider, no stack."""
    for resource in resources:
        kind = resource["type"]
        if resource.get("custom") and not kind.startswith(PROVIDERS) and not resource.get("delete"):
            yield resource["urn"], kind


def _edges(
    resources: list[dict[str, Any]], node_of: Mapping[str, str]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """From what is needed to what needs it: the edges along which values go, and all others.

    What a component depends on, all in it waits for.
    """
    members: dict[str, set[str]] = defaultdict(set)
    for resource in resources:
        if resource["urn"] in node_of:
            members[resource["urn"]].add(node_of[resource["urn"]])
            members[resource.get("parent", "")].add(node_of[resource["urn"]])
    values: set[tuple[str, str]] = set()
    order: set[tuple[str, str]] = set()
    for resource in resources:
        properties: dict[str, list[str] | None] = resource.get("propertyDependencies") or {}
        by_value = {urn for needed in properties.values() for urn in needed or ()}
        depends_on: list[str] = resource.get("dependencies") or []
        for urn in {*by_value, *depends_on} & node_of.keys():
            edges = {(node_of[urn], to) for to in members[resource["urn"]] if to != node_of[urn]}
            (values if urn in by_value else order).update(edges)
    return values, order - values


def _shorten(edges: set[tuple[str, str]], *, beside: set[tuple[str, str]]) -> None:
    """Take away the edges that others, and those beside them, tell already."""
    for edge in sorted(edges):
        if edge[1] in _reached(edge[0], (edges | beside) - {edge}):
            edges.discard(edge)


def _reached(start: str, edges: set[tuple[str, str]]) -> set[str]:
    """What can be reached from a node, itself left out."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        here = ahead.pop()
        for since, to in edges:
            if since == here and to not in found:
                found.add(to)
                ahead.append(to)
    return found


def _lines(nodes: Mapping[str, Node], values: set[tuple[str, str]], order: set[tuple[str, str]]) -> Iterator[str]:
    needs = {key: len(_reached(key, {(to, since) for since, to in values | order})) for key in nodes}
    keys = sorted(nodes, key=lambda key: (needs[key], key))
    ids = {key: f"n{number}" for number, key in enumerate(keys, 1)}
    yield "flowchart LR"
    for number, component in enumerate(dict.fromkeys(nodes[key].component for key in keys), 1):
        inside = [f'{ids[key]}["{nodes[key].label}"]' for key in keys if nodes[key].component == component]
        if not component:
            yield from (f"    {line}" for line in inside)
            continue
        yield f'    subgraph c{number}["{_text(_title(component))}"]'
        yield from (f"        {line}" for line in inside)
        yield "    end"
    for arrow, edges in (("-->", values), ("-.->", order)):
        for since, to in sorted(edges, key=lambda edge: (keys.index(edge[0]), keys.index(edge[1]))):
            yield f"    {ids[since]} {arrow} {ids[to]}"
    for side, style in CLASSES.items():
        members = [ids[key] for key in keys if nodes[key].side == side]
        if members:
            yield f"    classDef {side} {style}"
            yield f"    class {','.join(members)} {side}"


def _type(urn: str) -> str:
    """The type of the resource of a URN, without its parents' types."""
    return urn.split("::")[2].rpartition("$")[2] if urn else ""


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]


def _title(component: str) -> str:
    """A component's kind and, where it says more, its name."""
    kind, name = _type(component).rpartition(":")[2], _name(component)
    return kind if name.replace("-", "") == kind.lower() else f"{kind} {name}"


def _text(*lines: str) -> str:
    """Lines of a label; what Mermaid would take for its own is written as it wants it."""
    return "<br/>".join(line.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;") for line in lines)


def resources_of(stack: str) -> list[dict[str, Any]]:
    """What the stack's state holds.

    Raises:
        PulumiError: the stack is not there.
        SetupError: it holds nothing.
    """
    exported = pulumi_json(["stack", "export", "--stack", stack], stack_environment(stack))
    deployment: dict[str, Any] = exported["deployment"] or {}
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    if not any(_drawn(resources)):
        raise SetupError(f"{PROJECT}/{stack} holds nothing; deploy it first, with `make up STACK={stack}`")
    return resources


if __name__ == "__main__":
    try:
        print(picture(resources_of(sys.argv[1])), end="")
    except (SetupError, PulumiError) as error:
        sys.exit(f"make graph STACK={sys.argv[1]}: {error}")
