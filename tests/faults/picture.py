"""What a workspace, FiftyOne and a stack's state hold, as lines that are the same after each run that ended right.

Ids are replaced by names, so that a thing that is there twice is two lines, and values by what can be said of them.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.store import SERVICE_PRINCIPAL_ID
from fiftyone_provider.mark import parsed
from tests.faults.state_lines import memory_lines, resource_lines

LIVE_SECRETS = "SELECT id, hash FROM oauth_secrets WHERE principal != ? ORDER BY number"
PRINCIPALS = "SELECT id, application_id, display_name AS name, grant_rules FROM service_principals"


@dataclass(frozen=True)
class Picture:
    """`lines` of what is there, and a hash of all that the state remembers.

    `ids` are, by name, of what has to keep its id, which two equal pictures may differ in; `live_secrets` are the OAuth
    secrets that live, in number.
    """

    lines: frozenset[str]
    memory: str
    doubles: tuple[str, ...]
    ids: dict[str, str] = field(compare=False)
    live_secrets: int


def picture(home: Path, deployment: Mapping[str, Any]) -> Picture:
    """Of the emulator in a folder and a stack's state, as Pulumi exports it with its secrets in the clear."""
    db = sqlite3.connect(home / "workspace.db")
    db.row_factory = sqlite3.Row
    try:
        live = {
            f"OAuth secret {place}": row for place, row in enumerate(db.execute(LIVE_SECRETS, (SERVICE_PRINCIPAL_ID,)))
        }
        names = {**_names(db), **{row["id"]: name for name, row in live.items()}}
        replaced = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)")

        def named(lines: Iterable[str]) -> list[str]:
            return [replaced.sub(lambda id_: f"<{names[id_[0]]}>", line) for line in lines]

        secrets = {row["hash"]: name for name, row in live.items()}
        found = named((*_lines(db, secrets), *resource_lines(deployment)))
        memory = hashlib.sha256("\n".join(sorted(named(memory_lines(deployment, secrets)))).encode()).hexdigest()
        ids = {name: id_ for id_, name in names.items() if name.startswith(("job ", "pool ", "principal "))}
        doubles = tuple(sorted({line for line in found if found.count(line) > 1}))
        return Picture(frozenset(found), memory, doubles, ids, len(live))
    finally:
        db.close()


def _names(db: sqlite3.Connection) -> dict[str, str]:
    names = {row["id"]: f"pool {row['name']}" for row in db.execute("SELECT id, name FROM pools")}
    names |= {str(row["id"]): f"job {row['name']}" for row in db.execute("SELECT id, name FROM jobs")}
    names |= {str(row["id"]): f"object {row['path']}" for row in db.execute("SELECT id, path FROM objects WHERE id")}
    for row in db.execute(PRINCIPALS):
        names[str(row["id"])] = f"principal {row['name']}"
        names[row["application_id"]] = f"client {row['name']}"
    for table, key in (("fiftyone_secrets", "key"), ("fiftyone_orchestrators", "instance_identifier")):
        for row in db.execute(f"SELECT {key} AS name, description FROM {table}"):
            if token := parsed(row["description"]).token:
                names[token] = f"token of {row['name']}"
    return names


def _lines(db: sqlite3.Connection, secrets: Mapping[str, str]) -> Iterator[str]:
    for table, columns in (
        ("pools", "id, name, spec"),
        ("scopes", "name"),
        ("acls", "scope, principal, permission"),
        ("objects", "path, type"),
        ("jobs", "id, name, settings"),
        ("permissions", "object, kind, principal, level"),
    ):
        for row in db.execute(f"SELECT {columns} FROM {table}"):
            yield f"{table} {' '.join(map(_sorted, row))}"
    for row in db.execute("SELECT path, content FROM objects WHERE type = 'FILE'"):
        yield f"content of {row['path']} {_digest(row['content'] or b'')}"
    for row in db.execute("SELECT scope, key, value FROM secrets"):
        yield f"secret {row['scope']}/{row['key']} {_digest(row['value'])}"
    for row in db.execute(PRINCIPALS):
        yield f"principal {row['name']} {_sorted(row['grant_rules'])}"
    for row in db.execute("SELECT key, value, description FROM fiftyone_secrets"):
        digest = hashlib.sha256(row["value"].encode()).hexdigest()
        shown = row["value"] if "SECRET" not in row["key"] else secrets.get(digest, "does not work")
        yield f"FiftyOne secret {row['key']} {shown} {_told(row)}"
    for row in db.execute("SELECT * FROM fiftyone_orchestrators"):
        told = " ".join(_sorted(row[name]) for name in ("environment", "config", "secrets", "available_operators"))
        yield f"orchestrator {row['instance_identifier']} {_told(row)} {told}"


def _told(row: sqlite3.Row) -> str:
    """A description in FiftyOne, with the token of its write."""
    description = parsed(row["description"])
    return f"{description.text} {description.token}"


def _sorted(value: Any) -> str:
    """JSON in one order, whatever its keys came in; anything else as it is."""
    text = str(value)
    return json.dumps(json.loads(text), sort_keys=True) if text.startswith(("{", "[")) else text


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
