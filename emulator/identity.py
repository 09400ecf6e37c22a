"""Who the workspace is and who can call: its user, the administrator, and service principals, which are none."""

import json
from typing import Any

from emulator.api import Call, Caller, Route

# The service principal that every workspace has; its secret lies in the home folder.
from emulator.store import APPLICATION_ID as APPLICATION_ID
from emulator.store import ME

ME_ID = "1000012345"
WORKSPACE_ID = "900800700600"
ACCOUNT_ID = "0c7a1de5-7a9d-4c5e-8f2b-6b1d94e0a3f7"

USER = Caller(ME, admin=True)


def host_metadata(call: Call) -> dict[str, Any]:
    """What clients ask before they have a token."""
    return {"oidc_endpoint": f"{call.base_url}/oidc", "workspace_id": WORKSPACE_ID}


def me(call: Call) -> dict[str, Any]:
    """The caller. A service principal's user name is its application id."""
    if call.caller == USER:
        return {"id": ME_ID, "userName": ME, "displayName": "Stand-in deployer", "active": True}
    query = "SELECT * FROM service_principals WHERE application_id = ?"
    row = call.db.execute(query, (call.caller.name,)).fetchone()
    return {
        "id": str(row["id"]),
        "userName": row["application_id"],
        "displayName": row["display_name"],
        "active": json.loads(row["fields"])["active"],
    }


ROUTES: list[Route] = [
    ("GET", "/.well-known/databricks-config", host_metadata),
    ("GET", "/api/2.0/preview/scim/v2/Me", me),
]
