"""Workspace files and directories. Owns paths and contents; notebooks are not part of the stand-in.

Paths come with or without `/Workspace` in front and mean the same; answers have none, as recorded.
"""

import base64
import binascii
import posixpath
import sqlite3
from typing import Any, Literal

from emulator.api import ApiError, Body, Call, Route, exists, invalid, missing
from emulator.permissions import forget
from emulator.store import PROTECTED, new_id, now_ms

# The workspace API's documented limit, of the content as it is sent.
MAX_CONTENT_BYTES = 10 * 1024 * 1024


class Path(Body):
    path: str


class Deletion(Path):
    recursive: bool | None = None


class Import(Path):
    content: str = ""
    format: Literal["AUTO", "RAW", "SOURCE", "HTML", "JUPYTER", "DBC", "R_MARKDOWN"] = "SOURCE"
    language: str | None = None
    overwrite: bool | None = None


def _normal(path: str) -> str:
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) doesn't start with '/'")
    trimmed = path.rstrip("/") or "/"
    if trimmed != "/" and any(part in ("", ".", "..") for part in trimmed[1:].split("/")):
        raise invalid(f"Path ({path}) is not a plain absolute path")
    return trimmed.removeprefix("/Workspace") or "/" if f"{trimmed}/".startswith("/Workspace/") else trimmed


def _find(db: sqlite3.Connection, path: str) -> sqlite3.Row | None:
    return db.execute("SELECT * FROM objects WHERE path = ?", (path,)).fetchone()


def _existing(db: sqlite3.Connection, path: str) -> sqlite3.Row:
    if (row := _find(db, path)) is None:
        raise missing(f"Path ({path}) doesn't exist.")
    return row


def _add(db: sqlite3.Connection, path: str, kind: str, content: bytes | None) -> None:
    db.execute("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", (path, new_id(db), kind, content, now_ms(), now_ms()))


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    info = {"path": row["path"], "object_type": row["type"], "object_id": row["id"], "resource_id": str(row["id"])}
    if row["type"] == "FILE":
        info |= {"created_at": row["created_ms"], "modified_at": row["modified_ms"], "size": len(row["content"])}
    return info


def mkdirs(call: Call) -> dict[str, Any]:
    """Make a directory and its parents; one that is there is fine."""
    path = _normal(call.read(Path).path)
    parts = path.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        prefix = "/" + "/".join(parts[:depth])
        row = _find(call.db, prefix)
        if row is None:
            _add(call.db, prefix, "DIRECTORY", None)
        elif row["type"] != "DIRECTORY":
            raise exists(f"Path ({prefix}) already exists.")
    return {}


def get_status(call: Call) -> dict[str, Any]:
    return _shown(_existing(call.db, _normal(call.need("path"))))


def list_objects(call: Call) -> dict[str, Any]:
    row = _existing(call.db, _normal(call.need("path")))
    rows = [row]
    if row["type"] == "DIRECTORY":
        everything = call.db.execute("SELECT * FROM objects WHERE path != '/' ORDER BY path")
        rows = [child for child in everything if posixpath.dirname(child["path"]) == row["path"]]
    return {"objects": [_shown(child) for child in rows]} if rows else {}


def _imported(call: Call) -> tuple[Import, bytes]:
    """What is to be written and where, from a multipart body (content as it is) or a JSON one (base64)."""
    if call.form is None:
        body = call.read(Import)
        sent = body.content.encode()
    else:
        fields: dict[str, Any] = dict(call.form)
        content = fields.pop("content", b"")
        sent = content if isinstance(content, bytes) else str(content).encode()
        if "overwrite" in fields:
            fields["overwrite"] = fields["overwrite"] == "true"
        body = call.check(Import, fields)
    if len(sent) > MAX_CONTENT_BYTES:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"The content exceeds {MAX_CONTENT_BYTES} bytes.")
    try:
        return body, base64.b64decode(sent, validate=True) if call.form is None else sent
    except binascii.Error:
        raise ApiError(400, "MALFORMED_REQUEST", "content is not base64.") from None


def import_file(call: Call) -> dict[str, Any]:
    body, content = _imported(call)
    if body.format not in ("AUTO", "RAW"):
        raise invalid(f"Format {body.format} imports notebooks, which are not part of this stand-in: use AUTO or RAW.")
    path = _normal(body.path)
    parent = posixpath.dirname(path)
    above = _find(call.db, parent)
    if above is None or above["type"] != "DIRECTORY":
        raise missing(f"The parent folder ({parent}) does not exist.")
    row = _find(call.db, path)
    if row is None:
        _add(call.db, path, "FILE", content)
    elif not body.overwrite or row["type"] != "FILE":
        raise exists(f"Path ({path}) already exists.")
    else:
        call.db.execute("UPDATE objects SET content = ?, modified_ms = ? WHERE path = ?", (content, now_ms(), path))
    return {}


def export(call: Call) -> dict[str, Any] | bytes:
    """A file's content, base64 in JSON or, with `direct_download`, as it is."""
    row = _existing(call.db, _normal(call.need("path")))
    if row["type"] != "FILE" or call.query.get("format", "SOURCE") not in ("SOURCE", "AUTO", "RAW"):
        raise invalid("Only files can be exported from this stand-in, in their own format.")
    if call.query.get("direct_download") == "true":
        return bytes(row["content"])
    file_type = posixpath.splitext(row["path"])[1].removeprefix(".")
    return {"content": base64.b64encode(row["content"]).decode(), "file_type": file_type}


def delete(call: Call) -> dict[str, Any]:
    body = call.read(Deletion)
    path = _normal(body.path)
    _existing(call.db, path)
    if path in PROTECTED:
        raise ApiError(400, "DIRECTORY_PROTECTED", f"Folder ({path}) is protected")
    everything = call.db.execute("SELECT path, id FROM objects").fetchall()
    within = [row for row in everything if f"{row['path']}/".startswith(f"{path}/")]
    if len(within) > 1 and not body.recursive:
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")
    for row in within:
        call.db.execute("DELETE FROM objects WHERE path = ?", (row["path"],))
        forget(call.db, f"/directories/{row['id']}")
    return {}


ROUTES: list[Route] = [
    ("POST", "/api/2.0/workspace/mkdirs", mkdirs),
    ("GET", "/api/2.0/workspace/get-status", get_status),
    ("GET", "/api/2.0/workspace/list", list_objects),
    ("POST", "/api/2.0/workspace/import", import_file),
    ("GET", "/api/2.0/workspace/export", export),
    ("POST", "/api/2.0/workspace/delete", delete),
]
