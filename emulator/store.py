"""Where the workspace is kept: one SQLite file, one connection, one transaction a request.

Owns the tables and what a fresh workspace holds; the rules lie with the endpoints.
"""

import json
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The one user of the stand-in, its administrator.
ME = "deployer@stand-in.invalid"
# The service principal that every workspace has.
APPLICATION_ID = "5ad3c0de-41b7-4e0a-9c62-2f8e7d1b6a90"
SERVICE_PRINCIPAL_ID = 1000067890
SERVICE_PRINCIPAL_NAME = "stand-in-service-principal"
# The role that lets others have a role on a service principal.
MANAGER = "roles/servicePrincipal.manager"
# Directories that every workspace has and that cannot be deleted.
PROTECTED = ("/", "/Shared", "/Users", f"/Users/{ME}")

# Of the tables: goes up whenever they change.
VERSION = 5
SCHEMA = """
CREATE TABLE counter (last INTEGER NOT NULL);
INSERT INTO counter VALUES (100000000000000);
CREATE TABLE pools (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL);
CREATE TABLE scopes (name TEXT PRIMARY KEY COLLATE NOCASE);
CREATE TABLE secrets (
    scope TEXT NOT NULL COLLATE NOCASE REFERENCES scopes ON DELETE CASCADE, key TEXT NOT NULL, value BLOB NOT NULL,
    updated_ms INTEGER NOT NULL, PRIMARY KEY (scope, key));
CREATE TABLE acls (
    scope TEXT NOT NULL COLLATE NOCASE REFERENCES scopes ON DELETE CASCADE, principal TEXT NOT NULL,
    permission TEXT NOT NULL, PRIMARY KEY (scope, principal));
CREATE TABLE objects (
    path TEXT PRIMARY KEY, id INTEGER NOT NULL UNIQUE, type TEXT NOT NULL, content BLOB,
    created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL);
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, created_ms INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE, settings TEXT NOT NULL);
CREATE TABLE permissions (object TEXT NOT NULL, kind TEXT NOT NULL, principal TEXT NOT NULL, level TEXT NOT NULL);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, settings TEXT NOT NULL, parameters TEXT NOT NULL,
    creator TEXT NOT NULL, run_as TEXT NOT NULL, idempotency_token TEXT UNIQUE,
    cancel INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, result TEXT, code TEXT,
    message TEXT NOT NULL, created_ms INTEGER NOT NULL, admitted_ms INTEGER, end_ms INTEGER);
CREATE INDEX active_runs ON runs (job_id) WHERE end_ms IS NULL;
CREATE TABLE task_runs (
    id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs, task_key TEXT NOT NULL, state TEXT NOT NULL,
    result TEXT, code TEXT, message TEXT NOT NULL, start_ms INTEGER, ready_ms INTEGER, end_ms INTEGER,
    exit_code INTEGER, pid INTEGER, pid_started TEXT);
CREATE INDEX tasks_of_runs ON task_runs (run_id);
CREATE TABLE service_principals (
    id INTEGER PRIMARY KEY, application_id TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, fields TEXT NOT NULL,
    grant_rules TEXT NOT NULL, rules_version INTEGER NOT NULL);
CREATE TABLE oauth_secrets (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    principal INTEGER NOT NULL REFERENCES service_principals ON DELETE CASCADE, hash TEXT NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);
CREATE INDEX secrets_of_principals ON oauth_secrets (principal);
CREATE TABLE access_tokens (
    hash BLOB PRIMARY KEY, principal INTEGER NOT NULL REFERENCES service_principals ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL);
CREATE TABLE fiftyone_secrets (key TEXT PRIMARY KEY, value TEXT NOT NULL, description TEXT, created_at TEXT NOT NULL);
CREATE TABLE fiftyone_orchestrators (
    instance_identifier TEXT PRIMARY KEY, description TEXT, environment TEXT NOT NULL, config TEXT NOT NULL,
    secrets TEXT NOT NULL, available_operators TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
"""


def now_ms() -> int:
    """The platform's times are milliseconds."""
    return time.time_ns() // 1_000_000


def new_id(db: sqlite3.Connection) -> int:
    """A number that was never given out before, so that a deleted object's id stays free."""
    return db.execute("UPDATE counter SET last = last + 1 RETURNING last").fetchone()[0]


def add_service_principal(
    db: sqlite3.Connection, number: int, application_id: str, display_name: str, fields: dict[str, Any]
) -> None:
    """Documented: who makes a service principal is its manager, and not its user."""
    rules = [{"role": MANAGER, "principals": [f"users/{ME}"]}]
    db.execute(
        "INSERT INTO service_principals VALUES (?, ?, ?, ?, ?, 1)",
        (number, application_id, display_name, json.dumps(fields), json.dumps(rules)),
    )


def open_store(path: Path) -> sqlite3.Connection:
    """Open the workspace, made on first use. Raises SystemExit for a file of another version of this program."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    with transaction(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise SystemExit(f"{path} was made by another version of the stand-in: delete its folder and start again")
        if version == 0:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            for directory in PROTECTED:
                # The platform's root directory is number 0.
                number = 0 if directory == "/" else new_id(db)
                db.execute(
                    "INSERT INTO objects VALUES (?, ?, 'DIRECTORY', NULL, ?, ?)",
                    (directory, number, now_ms(), now_ms()),
                )
                # Documented defaults: everybody manages what lies in /Shared, and a user what lies in the own folder.
                for folder, kind, principal in (("/Shared", "group_name", "users"), (f"/Users/{ME}", "user_name", ME)):
                    if folder == directory:
                        entry = (f"/directories/{number}", kind, principal, "CAN_MANAGE")
                        db.execute("INSERT INTO permissions VALUES (?, ?, ?, ?)", entry)
            add_service_principal(db, SERVICE_PRINCIPAL_ID, APPLICATION_ID, SERVICE_PRINCIPAL_NAME, {"active": True})
            db.execute(f"PRAGMA user_version = {VERSION}")
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """All of a request or nothing of it; committed when the block ends."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def volume_files(home: Path) -> list[str]:
    """The files that volumes hold, whose contents lie beside the database, by their paths on the platform."""
    root = home / "volumes"
    return [f"/Volumes/{file.relative_to(root)}" for file in root.glob("[!.]*/*/*/**/*") if file.is_file()]


def held(path: Path) -> str:
    """What the workspace holds beyond what every workspace has, by kind and name; never a value."""
    db = open_store(path)
    queries = {
        "instance pool": "SELECT name FROM pools",
        "secret scope": "SELECT s.name || coalesce(' [' || group_concat(k.key, ' ') || ']', '')"
        " FROM scopes s LEFT JOIN secrets k ON k.scope = s.name GROUP BY s.name",
        "job": "SELECT name FROM jobs",
        "service principal": f"SELECT display_name FROM service_principals WHERE id != {SERVICE_PRINCIPAL_ID}",  # noqa: S608 - ours
        "file": "SELECT path FROM objects WHERE type = 'FILE'",
        "folder": "SELECT path FROM objects WHERE type = 'DIRECTORY'",
        "FiftyOne secret": "SELECT key FROM fiftyone_secrets",
        "FiftyOne orchestrator": "SELECT instance_identifier FROM fiftyone_orchestrators",
    }
    parts: list[str] = []
    found = {kind: [str(row[0]) for row in db.execute(query)] for kind, query in queries.items()}
    found["folder"] = [name for name in found["folder"] if name not in PROTECTED]
    found["volume file"] = volume_files(path.parent)
    for kind, names in found.items():
        if names:
            parts.append(f"{len(names)} {kind}{'s' if len(names) > 1 else ''} ({', '.join(sorted(names))})")
    db.close()
    return "held " + ("; ".join(parts) or "nothing")
