"""Parts of databricks-sdk are loaded one at a time: on several threads at once, they would lock each other out."""

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
FILES = sorted([*(REPO / "databricks_provider").glob("*.py"), *(REPO / "fiftyone_provider").glob("*.py")])


def unguarded(node: ast.AST, guarded: bool = False) -> list[int]:
    """Lines that load a part of databricks-sdk when the program runs, and do not hold the lock."""
    match node:
        case ast.ImportFrom(module=str(module)) if module.startswith("databricks.sdk") and not guarded:
            return [node.lineno]
        case ast.Import(names=names) if any(name.name.startswith("databricks.sdk") for name in names) and not guarded:
            return [node.lineno]
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return []
        case ast.With(items=[ast.withitem(context_expr=ast.Name(id="SDK_IMPORT"))]):
            guarded = True
        case _:
            pass
    return [line for child in ast.iter_child_nodes(node) for line in unguarded(child, guarded)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_provider_loads_databricks_sdk_under_the_lock_alone(file: Path) -> None:
    assert unguarded(ast.parse(file.read_text())) == []


def test_what_is_not_under_the_lock_is_seen() -> None:
    text = """
if TYPE_CHECKING:
    from databricks.sdk import A
def f():
    from databricks.sdk import B
    with SDK_IMPORT:
        from databricks.sdk import C
    import databricks.sdk.errors
"""
    assert unguarded(ast.parse(text)) == [5, 8]
