"""A stack's picture: components are boxes, one kind in one component is one node, and no arrow says a thing twice."""

from typing import Any

from toolchain.graph import picture

STACK = "urn:pulumi:dev::p::"
ROOT = f"{STACK}pulumi:pulumi:Stack::p-dev"


def urn(kind: str, name: str) -> str:
    return f"{STACK}{kind}::{name}"


def resource(kind: str, name: str, parent: str = ROOT, **entries: Any) -> dict[str, Any]:
    """A resource of a state, with entries such as `dependencies`."""
    return {"urn": urn(kind, name), "type": kind.rpartition("$")[2], "parent": parent, "custom": True, **entries}


def component(kind: str, name: str, *dependencies: str) -> dict[str, Any]:
    return {**resource(kind, name, dependencies=list(dependencies)), "custom": False}


def state() -> list[dict[str, Any]]:
    scope_box, job_box = urn("p:index:SecretScope", "secrets"), urn("p:index:Job", "gpu")
    scope = urn("p:index:SecretScope$d:index/s:SecretScope", "scope")
    keys = [urn("p:index:SecretScope$d:databricks:Secret", name) for name in ("B", "A")]
    return [
        {"urn": ROOT, "type": "pulumi:pulumi:Stack"},
        {"urn": urn("pulumi:providers:databricks", "default"), "type": "pulumi:providers:databricks", "custom": True},
        component("p:index:SecretScope", "secrets"),
        resource("p:index:SecretScope$d:index/s:SecretScope", "scope", scope_box),
        *(
            resource(
                "p:index:SecretScope$d:databricks:Secret",
                name,
                scope_box,
                dependencies=[scope],
                propertyDependencies={"scope": [scope], "key": None},
            )
            for name in ("B", "A")
        ),
        component("p:index:Job", "gpu", scope, *keys),
        resource("p:index:Job$d:index/job:Job", "gpu", job_box),
        resource("x:dynamic/fiftyone:Orchestrator", "gpu", dependencies=[urn("p:index:Job$d:index/job:Job", "gpu")]),
    ]


def test_a_component_is_a_box_and_one_of_a_single_kind_is_a_node() -> None:
    assert picture(state()).splitlines()[:8] == [
        "flowchart LR",
        '    subgraph c1["SecretScope secrets"]',
        '        n1["SecretScope<br/>scope"]',
        '        n2["Secret (2)<br/>A<br/>B"]',
        "    end",
        '    n3["Job gpu"]',
        '    n4["Orchestrator<br/>gpu"]',
        "    n1 --> n2",
    ]


def test_what_a_component_waits_for_its_members_wait_for_and_what_is_told_already_is_left_out() -> None:
    arrows = [line.strip() for line in picture(state()).splitlines() if "> n" in line]
    # The job waits for the scope too, which the way over the secrets tells.
    assert arrows == ["n1 --> n2", "n2 -.-> n3", "n3 -.-> n4"]


def test_both_sides_of_the_chain_are_told_apart() -> None:
    lines = picture(state()).splitlines()
    assert "    class n1,n2,n3 databricks" in lines
    assert "    class n4 fiftyone" in lines


def test_the_order_in_which_an_engine_came_to_resources_changes_nothing() -> None:
    assert picture(state()[::-1]) == picture(state())


def test_neither_providers_nor_what_only_waits_to_be_deleted_is_drawn() -> None:
    old = resource("d:index/pool:Pool", "old", delete=True)
    assert picture([*state(), old]) == picture(state())
    assert "default" not in picture(state())


def test_many_of_a_kind_are_counted_and_a_name_cannot_break_the_picture() -> None:
    box = urn("p:index:Files", "files")
    files = [resource("p:index:Files$d:index/f:File", f'"<{number}>#', box) for number in range(7)]
    lines = picture([component("p:index:Files", "files"), *files]).splitlines()
    assert lines[1].startswith('    n1["Files<br/>#quot;#lt;0>#35;<br/>')
    assert lines[1].endswith('and 3 more"]')
    assert lines[1].count('"') == 2


def test_a_circle_of_collapsed_resources_is_drawn_all_the_same() -> None:
    box = urn("p:index:Box", "box")
    a, b, c = (urn(f"p:index:Box${kind}", name) for kind, name in (("d:x:A", "a"), ("d:x:B", "b"), ("d:x:A", "c")))
    drawn = picture(
        [
            component("p:index:Box", "box"),
            resource("p:index:Box$d:x:A", "a", box),
            resource("p:index:Box$d:x:B", "b", box, dependencies=[a]),
            resource("p:index:Box$d:x:A", "c", box, dependencies=[b]),
        ]
    )
    assert c not in drawn
    assert "n1 -.-> n2" in drawn
    assert "n2 -.-> n1" in drawn
