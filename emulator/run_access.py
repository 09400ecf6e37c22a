"""What a run may use of the workspace, by whom it runs as: pools, secret scopes, workspace files.

Documented (docs.databricks.com/aws/en/jobs/privileges): a run is held to the grants of its run-as, not to those of who
starts it. Administrators may everything. Volumes are open: Unity Catalog is not part of the stand-in.
"""

import sqlite3
from collections.abc import Callable

from emulator import outcomes, permissions, service_principals
from emulator.api import Caller
from emulator.identity import USER
from emulator.secret_scopes import may_read
from emulator.task_directory import Refused


def identity(db: sqlite3.Connection, name: str) -> Caller:
    """Whom a run runs as. Raises Refused for one who is not, or no more, in the workspace."""
    if name == USER.name:
        return USER
    if service_principals.find(db, name) is None:
        message = f"Invalid user: '{name}' does not exist or deactivated"
        raise Refused(outcomes.error("UNAUTHORIZED_ERROR", message))
    return Caller(name, admin=False)


def check_pool(db: sqlite3.Connection, who: Caller, cluster_id: str, pool_id: str, pool_name: str) -> None:
    """Raises Refused for who may not attach a cluster to the pool."""
    if not permissions.may(db, who, f"/instance-pools/{pool_id}", permissions.LEVELS["instance-pools"][1]):
        reason = (
            f"PERMISSION_DENIED(CLIENT_ERROR): User {who.name} does not have Can Attach To permissions on instance "
            f"pool {pool_name} ({pool_id}). Please contact the owner or an administrator for access."
        )
        raise Refused(outcomes.cluster_failed(cluster_id, reason))


def check_scope(db: sqlite3.Connection, who: Caller, cluster_id: str, scope: str) -> None:
    """Raises Refused for who may not read the secrets of a scope that is there."""
    there = db.execute("SELECT 1 FROM scopes WHERE name = ?", (scope,)).fetchone()
    if there and not may_read(db, who, scope):
        # Recorded.
        reason = f"User {who.name} does not have READ permission on scope {scope}"
        raise Refused(
            outcomes.cluster_failed(
                cluster_id, f"SECRET_RESOLUTION_ERROR(CLIENT_ERROR): databricks_error_message:{reason}"
            )
        )


def readable(db: sqlite3.Connection, who: Caller) -> Callable[[str], bool]:
    """Tells of a path of the workspace whether it may be read: in a directory, or below one, with any level."""
    given = f"SELECT path FROM objects WHERE '/directories/' || id IN ({permissions.GIVEN})"  # noqa: S608 - ours
    folders = [f"{row['path'].rstrip('/')}/" for row in db.execute(given, (who.name,))]
    return lambda path: who.admin or any(f"{path}/".startswith(folder) for folder in folders)
