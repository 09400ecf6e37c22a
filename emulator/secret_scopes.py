"""Secret scopes, their secrets and who may read them. Owns names and limits; values never leave except by `get`."""

import base64
import binascii
import re
import sqlite3
from typing import Any, Literal

from emulator.api import ApiError, Body, Call, Caller, Route, exists, invalid, missing
from emulator.store import ME, now_ms

# https://docs.databricks.com/aws/en/security/secrets: names, sizes and counts. `@` stands in the scope's rule only.
SCOPE_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,128}")
KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
MAX_VALUE_BYTES = 128 * 1024
MAX_SECRETS = 1000
MAX_SCOPES = 1000


class NewScope(Body):
    scope: str
    scope_backend_type: Literal["DATABRICKS", "AZURE_KEYVAULT"] | None = None
    initial_manage_principal: str | None = None


class Scope(Body):
    scope: str


class Secret(Body):
    scope: str
    key: str


class NewSecret(Secret):
    string_value: str | None = None
    bytes_value: str | None = None


class Acl(Body):
    scope: str
    principal: str


class NewAcl(Acl):
    permission: Literal["READ", "WRITE", "MANAGE"]


def _scope(db: sqlite3.Connection, name: str) -> None:
    if not db.execute("SELECT 1 FROM scopes WHERE name = ?", (name,)).fetchone():
        raise missing(f"Scope {name} does not exist!")


def _check_name(pattern: re.Pattern[str], what: str, name: str) -> None:
    if not pattern.fullmatch(name):
        raise invalid(
            f"{what} must consist of alphanumeric characters, dashes, underscores and periods, "
            "and may not exceed 128 characters."
        )


def create_scope(call: Call) -> dict[str, Any]:
    new = call.read(NewScope)
    _check_name(SCOPE_NAME, "Scope name", new.scope)
    if new.scope_backend_type == "AZURE_KEYVAULT":
        raise invalid("Scopes backed by Azure Key Vault are not part of this stand-in.")
    if new.initial_manage_principal not in (None, "users"):
        raise invalid("The only supported initial_manage_principal is: users")
    if call.db.execute("SELECT 1 FROM scopes WHERE name = ?", (new.scope,)).fetchone():
        raise exists(f"Scope {new.scope} already exists!")
    if call.db.execute("SELECT count(*) FROM scopes").fetchone()[0] >= MAX_SCOPES:
        raise ApiError(400, "RESOURCE_LIMIT_EXCEEDED", f"A workspace holds at most {MAX_SCOPES} scopes.")
    call.db.execute("INSERT INTO scopes VALUES (?)", (new.scope,))
    call.db.execute("INSERT INTO acls VALUES (?, ?, 'MANAGE')", (new.scope, new.initial_manage_principal or ME))
    return {}


def list_scopes(call: Call) -> dict[str, Any]:
    rows = call.db.execute("SELECT name FROM scopes ORDER BY name").fetchall()
    return {"scopes": [{"name": row["name"], "backend_type": "DATABRICKS"} for row in rows]} if rows else {}


def delete_scope(call: Call) -> dict[str, Any]:
    name = call.read(Scope).scope
    _scope(call.db, name)
    call.db.execute("DELETE FROM scopes WHERE name = ?", (name,))
    return {}


def put_secret(call: Call) -> dict[str, Any]:
    """Write a key, new or not."""
    new = call.read(NewSecret)
    _scope(call.db, new.scope)
    _check_name(KEY_NAME, "Secret key", new.key)
    if (new.string_value is None) == (new.bytes_value is None):
        raise ApiError(400, "MALFORMED_REQUEST", "Exactly one of string_value and bytes_value must be given.")
    if new.string_value is not None:
        value = new.string_value.encode()
    else:
        try:
            value = base64.b64decode(new.bytes_value or "", validate=True)
        except binascii.Error:
            raise ApiError(400, "MALFORMED_REQUEST", "bytes_value is not base64.") from None
    if len(value) > MAX_VALUE_BYTES:
        raise invalid(f"A secret's value may not exceed {MAX_VALUE_BYTES} bytes.")
    others = "SELECT count(*) FROM secrets WHERE scope = ? AND key != ?"
    if call.db.execute(others, (new.scope, new.key)).fetchone()[0] >= MAX_SECRETS:
        raise ApiError(400, "RESOURCE_LIMIT_EXCEEDED", f"A scope holds at most {MAX_SECRETS} secrets.")
    call.db.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?)", (new.scope, new.key, value, now_ms()))
    return {}


def _secret(db: sqlite3.Connection, scope: str, key: str) -> sqlite3.Row:
    _scope(db, scope)
    row = db.execute("SELECT * FROM secrets WHERE scope = ? AND key = ?", (scope, key)).fetchone()
    if row is None:
        raise missing(f"Secret does not exist with scope: {scope} and key: {key}")
    return row


def list_secrets(call: Call) -> dict[str, Any]:
    scope = call.need("scope")
    _scope(call.db, scope)
    rows = call.db.execute("SELECT key, updated_ms FROM secrets WHERE scope = ? ORDER BY key", (scope,)).fetchall()
    shown = [{"key": row["key"], "last_updated_timestamp": row["updated_ms"]} for row in rows]
    return {"secrets": shown} if shown else {}


def get_secret(call: Call) -> dict[str, Any]:
    row = _secret(call.db, call.need("scope"), call.need("key"))
    return {"key": row["key"], "value": base64.b64encode(row["value"]).decode()}


def delete_secret(call: Call) -> dict[str, Any]:
    gone = call.read(Secret)
    _secret(call.db, gone.scope, gone.key)
    call.db.execute("DELETE FROM secrets WHERE scope = ? AND key = ?", (gone.scope, gone.key))
    return {}


def may_read(db: sqlite3.Connection, who: Caller, scope: str) -> bool:
    """Whether a scope's secrets are somebody's to read, alone or with everybody; each permission includes it."""
    query = "SELECT 1 FROM acls WHERE scope = ? AND principal IN (?, 'users')"
    return who.admin or db.execute(query, (scope, who.name)).fetchone() is not None


def put_acl(call: Call) -> dict[str, Any]:
    new = call.read(NewAcl)
    _scope(call.db, new.scope)
    call.db.execute("INSERT OR REPLACE INTO acls VALUES (?, ?, ?)", (new.scope, new.principal, new.permission))
    return {}


def _acl(db: sqlite3.Connection, scope: str, principal: str) -> dict[str, Any]:
    _scope(db, scope)
    query = "SELECT principal, permission FROM acls WHERE scope = ? AND principal = ?"
    if (row := db.execute(query, (scope, principal)).fetchone()) is None:
        raise missing(f"No ACL found for scope: {scope} and principal: {principal}")
    return dict(row)


def get_acl(call: Call) -> dict[str, Any]:
    return _acl(call.db, call.need("scope"), call.need("principal"))


def list_acls(call: Call) -> dict[str, Any]:
    scope = call.need("scope")
    _scope(call.db, scope)
    rows = call.db.execute("SELECT principal, permission FROM acls WHERE scope = ? ORDER BY principal", (scope,))
    items = [dict(row) for row in rows]
    return {"items": items} if items else {}


def delete_acl(call: Call) -> dict[str, Any]:
    gone = call.read(Acl)
    _acl(call.db, gone.scope, gone.principal)
    call.db.execute("DELETE FROM acls WHERE scope = ? AND principal = ?", (gone.scope, gone.principal))
    return {}


ROUTES: list[Route] = [
    ("POST", "/api/2.0/secrets/scopes/create", create_scope),
    ("GET", "/api/2.0/secrets/scopes/list", list_scopes),
    ("POST", "/api/2.0/secrets/scopes/delete", delete_scope),
    ("POST", "/api/2.0/secrets/put", put_secret),
    ("GET", "/api/2.0/secrets/list", list_secrets),
    ("GET", "/api/2.0/secrets/get", get_secret),
    ("POST", "/api/2.0/secrets/delete", delete_secret),
    ("POST", "/api/2.0/secrets/acls/put", put_acl),
    ("GET", "/api/2.0/secrets/acls/get", get_acl),
    ("GET", "/api/2.0/secrets/acls/list", list_acls),
    ("POST", "/api/2.0/secrets/acls/delete", delete_acl),
]
