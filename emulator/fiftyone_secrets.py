"""FiftyOne's secrets, apart from a workspace's: add, describe, list, update, delete. A value never leaves.

Answers are what the functions of the same names return, under `result` (fiftyone_api.py).
"""

import re
import sqlite3
from datetime import UTC, datetime
from typing import Any

from emulator.api import ApiError, Body, Call
from emulator.fiftyone_settings import undocumented

KEY = re.compile(r"[A-Z][A-Z0-9_]*")


class Key(Body):
    key: str


class NewSecret(Key):
    value: str
    description: str | None = None


class ChangedSecret(Key):
    value: str | None = None
    description: str | None = None


def now() -> str:
    return datetime.now(UTC).isoformat()


def find(db: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    return db.execute("SELECT * FROM fiftyone_secrets WHERE key = ?", (key,)).fetchone()


def _refusal(call: Call, message: str) -> ApiError:
    return ApiError(400, undocumented(call.home).secret_refusal, message)


def _existing(call: Call, key: str) -> sqlite3.Row:
    if (row := find(call.db, key)) is None:
        raise _refusal(call, f"Secret {key} does not exist")
    return row


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {"key": row["key"], "description": row["description"], "created_at": row["created_at"]}


def add(call: Call, key: str, value: str, description: str | None) -> None:
    """Store a new secret. Raises ApiError."""
    if not KEY.fullmatch(key):
        raise _refusal(call, "The key of a secret must be in UPPER_SNAKE_CASE")
    if find(call.db, key) and undocumented(call.home).add_existing_secret == "refused":
        raise _refusal(call, f"Secret {key} already exists")
    call.db.execute("INSERT OR REPLACE INTO fiftyone_secrets VALUES (?, ?, ?, ?)", (key, value, description, now()))


def add_secret(call: Call) -> dict[str, Any]:
    new = call.read(NewSecret)
    add(call, new.key, new.value, new.description)
    return {"result": None}


def get_secret_info(call: Call) -> dict[str, Any]:
    row = find(call.db, call.read(Key).key)
    return {"result": row and _shown(row)}


def list_secrets(call: Call) -> dict[str, Any]:
    call.read(Body)
    rows = call.db.execute("SELECT * FROM fiftyone_secrets ORDER BY key")
    names = undocumented(call.home).list_secrets == "names"
    return {"result": [row["key"] if names else _shown(row) for row in rows]}


def update_secret(call: Call) -> dict[str, Any]:
    """Change what is given: None is not."""
    new = call.read(ChangedSecret)
    row = _existing(call, new.key)
    ignored = new.description is None or (
        new.description == "" and undocumented(call.home).empty_description == "ignored"
    )
    call.db.execute(
        "UPDATE fiftyone_secrets SET value = ?, description = ? WHERE key = ?",
        (
            row["value"] if new.value is None else new.value,
            row["description"] if ignored else new.description or None,
            new.key,
        ),
    )
    return {"result": None}


def delete_secret(call: Call) -> dict[str, Any]:
    """One that an orchestrator refers to is deleted as well."""
    key = call.read(Key).key
    _existing(call, key)
    call.db.execute("DELETE FROM fiftyone_secrets WHERE key = ?", (key,))
    return {"result": None}
