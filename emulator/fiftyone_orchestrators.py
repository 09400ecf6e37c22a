"""FiftyOne's orchestrators: register, get, list, delete, and the operators that are known of each. No update, as there.

Config is kept as it is written, in camelCase and without its environment; of secrets only the names are kept. The
documentation says more of what this refuses than its words: here only Databricks is an environment that can be used.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from emulator import fiftyone_secrets
from emulator.api import ApiError, Body, Call
from emulator.fiftyone_settings import undocumented

DATABRICKS = "databricks"
# Whether each field must be there.
CONFIG = {"jobId": True, "executionTaskId": True, "registrationTaskId": False}
SECRETS = {"host": True, "accountId": True, "clientId": True, "clientSecret": True}


class New(Body):
    instance_id: Annotated[str, Field(min_length=1)]
    description: str | None
    environment: str
    config: dict[str, dict[str, Any]]
    secrets: dict[str, dict[str, Any]]


class Wanted(Body):
    instance_id: str
    user: str | None = None


class Listing(Body):
    include_deactivated: bool = False


class Gone(Body):
    instance_id: str


def refusal(message: str) -> ApiError:
    return ApiError(400, "ValueError", message)


def snake(camel: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", camel)


def find(db: sqlite3.Connection, instance_id: str) -> sqlite3.Row:
    """An orchestrator as it is stored. Raises ApiError."""
    query = "SELECT * FROM fiftyone_orchestrators WHERE instance_identifier = ?"
    if (row := db.execute(query, (instance_id,)).fetchone()) is None:
        raise refusal(f"Orchestrator {instance_id} does not exist")
    return row


def record_operators(db: sqlite3.Connection, instance_id: str, operators: list[str]) -> None:
    """What the environment has, in place of what was known of it. Raises ApiError."""
    find(db, instance_id)
    db.execute(
        "UPDATE fiftyone_orchestrators SET available_operators = ?, updated_at = ? WHERE instance_identifier = ?",
        (json.dumps(operators), fiftyone_secrets.now(), instance_id),
    )


def _fields(name: str, given: Mapping[str, Mapping[str, Any]], known: Mapping[str, bool]) -> dict[str, str]:
    """What stands under the environment: strings by known names. Raises ApiError."""
    if set(given) != {DATABRICKS}:
        raise refusal(f"{name} must have one top-level key, the environment: {DATABRICKS}")
    # Registered as if it were left out: a program that has no registration task may well say None.
    fields = {key: value for key, value in given[DATABRICKS].items() if value is not None}
    for key in (key for key, required in known.items() if required and key not in fields):
        raise refusal(f"{name} lacks the field {key}")
    for key, value in fields.items():
        if key not in known or not isinstance(value, str) or not value:
            raise refusal(f"{name}.{key} must be one of {', '.join(known)}, and a string")
    return fields


def _referred(call: Call, instance_id: str, field: str, given: str) -> str:
    """The name of the secret that is meant: the one given, or a new one with what was given for its value."""
    if fiftyone_secrets.find(call.db, given):
        return given
    name = f"{snake(field)}_{re.sub('[^A-Za-z0-9]+', '_', instance_id)}".upper()
    fiftyone_secrets.add(call, name, given, f"Created for orchestrator {instance_id}")
    return name


def _shown(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    choices = undocumented(call.home)
    config: dict[str, Any] = json.loads(row["config"])
    if choices.config_case == "snake":
        config = {snake(key): value for key, value in config.items()}
    before: list[str] | None = None if choices.operators_before_refresh == "none" else []
    return dict(row) | {
        "config": {row["environment"]: config} if choices.config_shape == "nested" else config,
        "secrets": json.loads(row["secrets"]),
        "available_operators": json.loads(row["available_operators"]) if row["available_operators"] else before,
        "environment_is": choices.environment,
    }


def register_orchestrator(call: Call) -> dict[str, Any]:
    new = call.read(New)
    if new.environment != DATABRICKS:
        raise refusal(f"environment must be {DATABRICKS}: no other is part of this stand-in")
    config, given = _fields("config", new.config, CONFIG), _fields("secrets", new.secrets, SECRETS)
    known = call.db.execute(
        "SELECT 1 FROM fiftyone_orchestrators WHERE instance_identifier = ?", (new.instance_id,)
    ).fetchone()
    if known and undocumented(call.home).register_existing == "refused":
        raise refusal(f"Orchestrator {new.instance_id} already exists")
    secrets = {snake(field): _referred(call, new.instance_id, field, value) for field, value in given.items()}
    now = fiftyone_secrets.now()
    call.db.execute(
        "INSERT OR REPLACE INTO fiftyone_orchestrators VALUES (?, ?, ?, ?, ?, NULL, ?, ?)",
        (new.instance_id, new.description, new.environment, json.dumps(config), json.dumps(secrets), now, now),
    )
    return {"result": _shown(call, find(call.db, new.instance_id))}


def get_orchestrator(call: Call) -> dict[str, Any]:
    """For whichever user: what differs between them is not documented."""
    return {"result": _shown(call, find(call.db, call.read(Wanted).instance_id))}


def list_orchestrators(call: Call) -> dict[str, Any]:
    """Identifiers. Nothing deactivates one here."""
    call.read(Listing)
    rows = call.db.execute("SELECT instance_identifier FROM fiftyone_orchestrators ORDER BY 1")
    return {"result": [row[0] for row in rows]}


def delete_orchestrator(call: Call) -> dict[str, Any]:
    row = find(call.db, call.read(Gone).instance_id)
    call.db.execute("DELETE FROM fiftyone_orchestrators WHERE instance_identifier = ?", (row["instance_identifier"],))
    if undocumented(call.home).delete_orchestrator == "deletes_secrets":
        for name in json.loads(row["secrets"]).values():
            call.db.execute("DELETE FROM fiftyone_secrets WHERE key = ?", (name,))
    return {"result": None}
