"""Who may do what with jobs, instance pools and directories.

Recorded and shown. A caller who is no administrator is held to those of jobs, and a run to those of pools and
directories, by whom it runs as. Directories inherit from those above them.
"""

import sqlite3
from pathlib import PurePosixPath
from typing import Any, Literal

from emulator.api import ApiError, Body, Call, Caller, Route, invalid, missing
from emulator.store import PROTECTED

Kind = Literal["user_name", "service_principal_name", "group_name"]
KINDS: tuple[Kind, ...] = ("user_name", "service_principal_name", "group_name")
# Levels by kind of object, from the provider's permission_definitions.go; the singular is its object_type.
LEVELS = {
    "jobs": ("job", ("CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE")),
    "instance-pools": ("instance-pool", ("CAN_ATTACH_TO", "CAN_MANAGE")),
    "directories": ("directory", ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")),
}
FIND = {
    "jobs": "SELECT * FROM jobs WHERE CAST(id AS TEXT) = ?",
    "instance-pools": "SELECT * FROM pools WHERE id = ?",
    "directories": "SELECT * FROM objects WHERE CAST(id AS TEXT) = ? AND type = 'DIRECTORY'",
}
# Recorded: a job shows what administrators inherit, a pool does not. A directory is documented to inherit too.
INHERITED = {"jobs": "/jobs/", "directories": "/directories/"}
# The objects on which somebody has a level, alone or with everybody; each level includes that the object can be seen.
GIVEN = (
    "SELECT object FROM permissions"
    " WHERE (kind != 'group_name' AND principal = ? OR kind = 'group_name' AND principal = 'users')"
)


class Entry(Body):
    user_name: str | None = None
    service_principal_name: str | None = None
    group_name: str | None = None
    permission_level: str

    def principal(self) -> tuple[Kind, str]:
        """Who is meant. Raises ApiError unless exactly one is named."""
        named: list[tuple[Kind, str]] = [(kind, getattr(self, kind)) for kind in KINDS if getattr(self, kind)]
        if len(named) != 1:
            raise invalid("Exactly one of user_name, group_name or service_principal_name must be given.")
        return named[0]


class Entries(Body):
    access_control_list: list[Entry] | None = None


def grant(db: sqlite3.Connection, name: str, kind: Kind, principal: str, level: str) -> None:
    """Give one level on the object called `/<kind of object>/<id>`."""
    db.execute("INSERT INTO permissions VALUES (?, ?, ?, ?)", (name, kind, principal, level))


def forget(db: sqlite3.Connection, name: str) -> None:
    """Drop what was given on an object, when it is deleted."""
    db.execute("DELETE FROM permissions WHERE object = ?", (name,))


def forget_principal(db: sqlite3.Connection, application_id: str) -> None:
    """Drop what a service principal was given, when it is deleted. Jobs that it owns keep it, and run no more."""
    given = "kind = 'service_principal_name' AND principal = ? AND level != 'IS_OWNER'"
    db.execute(f"DELETE FROM permissions WHERE {given}", (application_id,))  # noqa: S608 - ours


def may(db: sqlite3.Connection, who: Caller, name: str, levels: tuple[str, ...]) -> bool:
    """Whether somebody has one of these levels on the very object."""
    marks = ", ".join("?" * len(levels))
    given = f"{GIVEN} AND object = ? AND level IN ({marks})"
    return who.admin or db.execute(given, (who.name, name, *levels)).fetchone() is not None


def check_job(call: Call, job_id: int, *, run: bool) -> None:
    """Refuse a caller who may not run the job, or not even see it. Raises ApiError."""
    levels = tuple(level for level in LEVELS["jobs"][1] if not run or level != "CAN_VIEW")
    if not may(call.db, call.caller, f"/jobs/{job_id}", levels):
        words = " or ".join(
            level.removeprefix("CAN_").removeprefix("IS_").replace("_", " ").title() for level in levels
        )
        raise ApiError(
            403, "PERMISSION_DENIED", f"User {call.caller.name} does not have {words} permissions on job {job_id}"
        )


def _target(call: Call) -> tuple[str, str]:
    """The kind of object and its name. Raises ApiError if there is no such object."""
    kind, number = call.path["kind"], call.path["id"]
    if kind not in LEVELS:
        raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for permissions of '{kind}'")
    row = call.db.execute(FIND[kind], (number,)).fetchone()
    if row is None:
        raise missing(f"{LEVELS[kind][0]} {number} does not exist.")
    # Recorded: "Cannot modify permissions of directory N" for /Shared.
    if kind == "directories" and call.body and row["path"] in PROTECTED:
        raise invalid(f"Cannot modify permissions of directory {number}")
    return kind, f"/{kind}/{number}"


def _above(db: sqlite3.Connection, number: str) -> list[str]:
    """The directories that one lies in, the nearest first, as objects of permissions."""
    path: str = db.execute("SELECT path FROM objects WHERE CAST(id AS TEXT) = ?", (number,)).fetchone()["path"]
    query = "SELECT id FROM objects WHERE path = ?"
    parents = [str(parent) for parent in PurePosixPath(path).parents]
    return [f"/directories/{db.execute(query, (parent,)).fetchone()['id']}" for parent in parents]


def get(call: Call) -> dict[str, Any]:
    """Direct levels first, then those that are inherited."""
    kind, name = _target(call)
    shown: dict[tuple[str, str], dict[str, Any]] = {}
    for source in [name, *(_above(call.db, call.path["id"]) if kind == "directories" else [])]:
        for row in call.db.execute("SELECT * FROM permissions WHERE object = ? ORDER BY rowid", (source,)):
            principal = {row["kind"]: row["principal"]}
            if row["kind"] != "group_name":
                principal["display_name"] = row["principal"]
            entry = shown.setdefault((row["kind"], row["principal"]), {**principal, "all_permissions": []})
            level: dict[str, Any] = {"permission_level": row["level"], "inherited": source != name}
            if source != name:
                level["inherited_from_object"] = [source]
            entry["all_permissions"].append(level)
    entries = list(shown.values())
    if kind in INHERITED:
        level = {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": [INHERITED[kind]]}
        entries.append({"group_name": "admins", "all_permissions": [level]})
    return {"object_id": name, "object_type": LEVELS[kind][0], "access_control_list": entries}


def _write(call: Call, replace: bool) -> dict[str, Any]:
    kind, name = _target(call)
    if replace:
        forget(call.db, name)
    entries = [(entry.principal(), entry.permission_level) for entry in call.read(Entries).access_control_list or []]
    for (principal_kind, principal), _ in entries:
        call.db.execute(
            "DELETE FROM permissions WHERE object = ? AND kind = ? AND principal = ?",
            (name, principal_kind, principal),
        )
    for (principal_kind, principal), level in entries:
        if level not in LEVELS[kind][1]:
            raise invalid(f"Permission level {level} is not supported for {LEVELS[kind][0]} objects.")
        if level == "IS_OWNER" and principal_kind == "group_name":
            raise invalid("A group cannot be the owner of a job.")
        grant(call.db, name, principal_kind, principal, level)
    owners = "SELECT count(*) FROM permissions WHERE object = ? AND level = 'IS_OWNER'"
    if kind == "jobs" and call.db.execute(owners, (name,)).fetchone()[0] != 1:
        raise invalid("The job must have exactly one owner.")
    return get(call)


def put(call: Call) -> dict[str, Any]:
    """Replace every direct entry."""
    return _write(call, replace=True)


def patch(call: Call) -> dict[str, Any]:
    """Add entries, or change those of the principals named."""
    return _write(call, replace=False)


ROUTES: list[Route] = [
    ("GET", "/api/2.0/permissions/{kind}/{id}", get),
    ("PUT", "/api/2.0/permissions/{kind}/{id}", put),
    ("PATCH", "/api/2.0/permissions/{kind}/{id}", patch),
]
