"""Service principals of the workspace, by SCIM: create, list, get, replace, patch, delete.

Owns their fields, of which the stand-in uses `active` and the names and keeps the rest. A display name is no key: only
the application id is. Answers have every field whatever `attributes` asks for, as clients rely on the application id.
Sources: docs.databricks.com/api/workspace/serviceprincipals, RFC 7644.
"""

import json
import re
import sqlite3
import uuid
from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from emulator.api import ApiError, Body, Call, Route
from emulator.permissions import forget_principal
from emulator.store import SERVICE_PRINCIPAL_ID, add_service_principal, new_id

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
FILTER = re.compile(r'(applicationId|displayName) eq "([^"]*)"', re.IGNORECASE)
VALUE = re.compile(r'(entitlements|roles)\[value eq "([^"]*)"\]', re.IGNORECASE)
COLUMNS = {"applicationid": "application_id", "displayname": "display_name"}
# What a client asks for that wants them all.
MAX_COUNT = 10000


class ScimError(ApiError):
    """A refusal as SCIM writes it (RFC 7644, 3.12)."""

    def content(self) -> dict[str, Any]:
        content = {"schemas": [f"{MESSAGES}:Error"], "detail": self.message, "status": str(self.status)}
        return content | ({"scimType": self.error_code} if self.status == 400 else {})


class ScimBody(Body):
    model_config = ConfigDict(alias_generator=to_camel)


class Complex(ScimBody):
    value: str | None = None
    display: str | None = None
    type: str | None = None
    primary: bool | None = None
    ref: Annotated[str | None, Field(alias="$ref")] = None


class ServicePrincipal(ScimBody):
    schemas: list[str] | None = None
    id: str | None = None
    application_id: str | None = None
    display_name: str | None = None
    active: bool | None = None
    entitlements: list[Complex] | None = None
    roles: list[Complex] | None = None
    groups: list[Complex] | None = None
    external_id: str | None = None

    def fields(self) -> dict[str, Any]:
        """What is kept beside the names. A complex value without a value, as a client sends for none, is none."""
        if self.groups:
            raise ScimError(400, "invalidValue", "groups are not part of this stand-in.")
        kept: dict[str, Any] = {"active": self.active is not False}
        for name, values in (("entitlements", self.entitlements), ("roles", self.roles)):
            if given := list(dict.fromkeys(each.value for each in values or [] if each.value)):
                kept[name] = [{"value": value} for value in given]
        return kept | ({"externalId": self.external_id} if self.external_id else {})


class Operation(ScimBody):
    op: str
    path: str | None = None
    value: dict[str, Any] | list[Any] | str | bool | None = None


class Patch(ScimBody):
    schemas: list[str] | None = None
    operations: Annotated[list[Operation], Field(alias="Operations", min_length=1)]


def find(db: sqlite3.Connection, application_id: str) -> sqlite3.Row | None:
    """One that is there and active."""
    query = "SELECT * FROM service_principals WHERE application_id = ?"
    row = db.execute(query, (application_id,)).fetchone()
    return row if row is not None and json.loads(row["fields"])["active"] else None


def stored(call: Call) -> sqlite3.Row:
    """The one whose id the path names. Raises ApiError."""
    query = "SELECT * FROM service_principals WHERE CAST(id AS TEXT) = ?"
    row = call.db.execute(query, (call.path["id"],)).fetchone()
    if row is None:
        raise ScimError(404, 404, f"Service principal with id {call.path['id']} not found.")
    return row


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "schemas": [SCHEMA],
        "id": str(row["id"]),
        "applicationId": row["application_id"],
        "displayName": row["display_name"],
        **json.loads(row["fields"]),
    }


def create(call: Call) -> dict[str, Any]:
    """One that Databricks manages gets its application id here; that of another is given."""
    new = call.read(ServicePrincipal)
    application_id = new.application_id or str(uuid.uuid4())
    if not (new.display_name or new.application_id):
        raise ScimError(400, "invalidValue", "displayName is required.")
    if call.db.execute("SELECT 1 FROM service_principals WHERE application_id = ?", (application_id,)).fetchone():
        raise ScimError(409, 409, f"Service principal with application ID {application_id} already exists.")
    number = new_id(call.db)
    add_service_principal(call.db, number, application_id, new.display_name or application_id, new.fields())
    return _shown(call.db.execute("SELECT * FROM service_principals WHERE id = ?", (number,)).fetchone())


def _number(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, str(default))
    if not value.isdecimal():
        raise ScimError(400, "invalidValue", f"Invalid {name}: {value}.")
    return int(value)


def list_all(call: Call) -> dict[str, Any]:
    """A page of those that the filter lets through; the first one is number 1."""
    where, values = "1", []
    if text := call.query.get("filter"):
        if (found := FILTER.fullmatch(text.strip())) is None:
            raise ScimError(400, "invalidFilter", "This stand-in filters by applicationId eq or displayName eq alone.")
        where, values = f"{COLUMNS[found[1].lower()]} = ?", [found[2]]
    query = f"SELECT * FROM service_principals WHERE {where} ORDER BY id"  # noqa: S608 - no text of the caller's
    rows = call.db.execute(query, values).fetchall()
    start = max(_number(call, "startIndex", 1), 1)
    page = [_shown(row) for row in rows[start - 1 :][: _number(call, "count", MAX_COUNT)]]
    answer = {
        "schemas": [f"{MESSAGES}:ListResponse"],
        "totalResults": len(rows),
        "startIndex": start,
        "itemsPerPage": len(page),
    }
    return answer | ({"Resources": page} if page else {})


def get(call: Call) -> dict[str, Any]:
    return _shown(stored(call))


def _write(call: Call, row: sqlite3.Row, new: ServicePrincipal) -> dict[str, Any]:
    if new.application_id not in (None, row["application_id"]):
        raise ScimError(400, "mutability", "applicationId cannot be changed.")
    call.db.execute(
        "UPDATE service_principals SET display_name = ?, fields = ? WHERE id = ?",
        (new.display_name or row["display_name"], json.dumps(new.fields()), row["id"]),
    )
    return get(call)


def put(call: Call) -> dict[str, Any]:
    """Replace all but the ids; a name that is left out stays."""
    return _write(call, stored(call), call.read(ServicePrincipal))


def patch(call: Call) -> dict[str, Any]:
    """Change single fields, by their paths or by a value that has them as its keys."""
    row = stored(call)
    fields = _shown(row)
    for operation in call.read(Patch).operations:
        if operation.path is None and isinstance(operation.value, dict):
            changes = operation.value
        else:
            changes = {operation.path or "": operation.value}
        for path, value in changes.items():
            _change(fields, operation.op.lower(), path, value)
    return _write(call, row, call.check(ServicePrincipal, fields))


def _change(fields: dict[str, Any], verb: str, path: str, value: Any) -> None:
    """Apply one operation. Raises ApiError."""
    one = VALUE.fullmatch(path)
    name = one[1].lower() if one else path
    if name not in ("active", "displayName", "externalId", "entitlements", "roles"):
        raise ScimError(400, "invalidPath", f"Path {path} cannot be patched in this stand-in.")
    given: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    if verb == "remove":
        fields[name] = [each for each in fields.get(name, []) if each["value"] != one[2]] if one else None
    elif verb not in ("add", "replace"):
        raise ScimError(400, "invalidSyntax", f"Operation {verb} is none of add, replace and remove.")
    elif name in ("entitlements", "roles"):
        fields[name] = [*(fields.get(name, []) if verb == "add" else []), *given]
    else:
        # Some clients send every value as a list of complex ones.
        plain = given[0]["value"] if isinstance(value, list) else value
        fields[name] = str(plain).lower() == "true" if name == "active" else plain


def delete(call: Call) -> None:
    """It goes with its secrets and tokens, which the tables see to, and with what it was given."""
    row = stored(call)
    if row["id"] == SERVICE_PRINCIPAL_ID:
        raise ScimError(403, 403, "This stand-in's own service principal cannot be deleted.")
    call.db.execute("DELETE FROM service_principals WHERE id = ?", (row["id"],))
    call.db.execute("DELETE FROM acls WHERE principal = ?", (row["application_id"],))
    forget_principal(call.db, row["application_id"])


PATH = "/api/2.0/preview/scim/v2/ServicePrincipals"
ROUTES: list[Route] = [
    ("POST", PATH, create),
    ("GET", PATH, list_all),
    ("GET", f"{PATH}/{{id}}", get),
    ("PUT", f"{PATH}/{{id}}", put),
    ("PATCH", f"{PATH}/{{id}}", patch),
    ("DELETE", f"{PATH}/{{id}}", delete),
]
