"""States that versions of the program wrote, with what their workspaces held then: recorded as text, and set up again.

`.venv/bin/python -m tests.engine.old_state NAME` records this version as `old_states/NAME/`; do so when it is released.
What lies there is never recorded anew: where the embedded workspace's tables change, change the statements with them.
"""

import base64
import json
import re
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emulator.oauth_secrets import PREFIX, digest
from emulator.store import PROTECTED, SERVICE_PRINCIPAL_ID
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace

FOLDER = Path(__file__).parent / "old_states"
# What a version is recorded with, beside `stack.base`; kept with it, because the next may be recorded with more.
SETTINGS = {"plugins": {"source": "examples/plugins"}, "servicePrincipal": {"create": True}}
# Stand for what every embedded workspace has another of, and for what would look like a real credential.
ADDRESS = "http://workspace.invalid"
SECRET_OF_FILE = "hidden-secret-of-file"
SECRET_OF_STACK = "hidden-secret-of-stack"
# By table. Left out are runs and tokens, to which no state refers, and what every workspace has.
EVERY = ", ".join(f"'{path}'" for path in PROTECTED)
HELD = {
    "pools": "TRUE",
    "scopes": "TRUE",
    "secrets": "TRUE",
    "acls": "TRUE",
    "objects": f"path NOT IN ({EVERY})",
    "jobs": "TRUE",
    "permissions": f"object NOT IN (SELECT '/directories/' || id FROM objects WHERE path IN ({EVERY}))",
    "service_principals": f"id != {SERVICE_PRINCIPAL_ID}",
    "oauth_secrets": f"principal != {SERVICE_PRINCIPAL_ID}",
    "fiftyone_secrets": "TRUE",
    "fiftyone_orchestrators": "TRUE",
}


def record(stack: Stack, folder: Path) -> None:
    """Write down a stack's state and what its workspace holds."""
    exported = json.loads(stack.succeeds("stack", "export", "--show-secrets").output)["deployment"]
    resources = [json.dumps(_essential(resource)) for resource in exported["resources"]]
    rest = json.dumps({"version": 3, "deployment": {**exported, "resources": []}})
    state = rest.replace('"resources": []', '"resources": [\n' + ",\n".join(resources) + "\n]")
    held = ";\n".join(_statements(stack.workspace.home)) + ";"
    placeholders = _drawn_anew(stack.workspace)
    for made in re.findall(rf"\b{PREFIX}[0-9a-f]{{32}}\b", held):
        placeholders |= {made: SECRET_OF_STACK, digest(made): digest(SECRET_OF_STACK)}
    folder.mkdir(parents=True)
    for name, text in (("state.json", state), ("workspace.sql", held), ("settings.json", json.dumps(SETTINGS))):
        for value, placeholder in placeholders.items():
            text = text.replace(value, placeholder)
        (folder / name).write_text(f"{text}\n")


def settings(folder: Path) -> dict[str, Any]:
    """What the stack file said beside `stack.base`."""
    return json.loads((folder / "settings.json").read_text())


def restored_workspace(folder: Path, home: Path) -> Workspace:
    """A running workspace that holds what was recorded, at the time of recording."""
    workspace = Workspace.start(home)
    workspace.stop()
    with sqlite3.connect(home / "workspace.db") as db:
        db.executescript(_read(folder / "workspace.sql", workspace))
    return Workspace.start(home)


def restore_state(folder: Path, stack: Stack) -> None:
    """Have a stack's state be the recorded one, and its clock of credentials stand at the time of recording."""
    text = _read(folder / "state.json", stack.workspace)
    run = stack.pulumi("--stack", stack.name, "stack", "import", given=text)
    assert run.code == 0, run.output
    recorded = datetime.fromisoformat(json.loads(text)["deployment"]["manifest"]["time"])
    stack.environ |= stack.workspace.pass_days((recorded - datetime.now(UTC)).total_seconds() / 86400)


def _read(file: Path, workspace: Workspace) -> str:
    text = file.read_text()
    for value, placeholder in _drawn_anew(workspace).items():
        text = text.replace(placeholder, value)
    return text


def _drawn_anew(workspace: Workspace) -> dict[str, str]:
    return {workspace.address: ADDRESS, workspace.credential("service-principal-secret"): SECRET_OF_FILE}


def _essential(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without where the program made it, and with next to nothing as what its file says."""
    for properties in (resource.get("inputs", {}), resource.get("outputs", {})):
        if "contentBase64" in properties:
            properties["contentBase64"] = base64.b64encode(b"old").decode()
    return {name: value for name, value in resource.items() if name not in ("sourcePosition", "stackTrace")}


def _statements(home: Path) -> list[str]:
    with sqlite3.connect(home / "workspace.db") as db:
        db.row_factory = sqlite3.Row
        (last,) = db.execute("SELECT last FROM counter").fetchone()
        rows = [
            (table, row) for table, which in HELD.items() for row in db.execute(f"SELECT * FROM {table} WHERE {which}")
        ]
    inserts = [
        f"INSERT INTO {table} ({', '.join(row.keys())}) VALUES ({', '.join(_literal(v, table) for v in row)})"
        for table, row in rows
    ]
    return [f"UPDATE counter SET last = {last}", *inserts]


def _literal(value: Any, table: str) -> str:
    match value:
        case None:
            return "NULL"
        case int():
            return str(value)
        case bytes() if table == "objects":
            # What a file says, no update asks for.
            return f"zeroblob({len(value)})"
        case bytes():
            return f"CAST({_literal(value.decode(), table)} AS BLOB)"
        case _:
            return "'" + value.replace("'", "''") + "'"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        project.mkdir()
        workspace = Workspace.start(Path(name) / "workspace")
        try:
            stack = Stack.create(project, workspace, **SETTINGS)
            stack.up()
            record(stack, FOLDER / sys.argv[1])
        finally:
            workspace.stop()


if __name__ == "__main__":
    main()
