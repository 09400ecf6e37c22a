"""Who the workspace is and who can call: its user, the administrator, and one service principal, which is none."""

from typing import Any

from emulator.api import Call, Caller, Route
from emulator.store import ME

ME_ID = "1000012345"
WORKSPACE_ID = "900800700600"
ACCOUNT_ID = "0c7a1de5-7a9d-4c5e-8f2b-6b1d94e0a3f7"
# The service principal that every workspace has; its secret lies in the home folder.
APPLICATION_ID = "5ad3c0de-41b7-4e0a-9c62-2f8e7d1b6a90"
SERVICE_PRINCIPAL_ID = "1000067890"
SERVICE_PRINCIPAL_NAME = "stand-in-service-principal"

USER = Caller(ME, admin=True)
SERVICE_PRINCIPAL = Caller(APPLICATION_ID, admin=False)


def host_metadata(call: Call) -> dict[str, Any]:
    """What clients ask before they have a token."""
    return {"oidc_endpoint": f"{call.base_url}/oidc", "workspace_id": WORKSPACE_ID}


def me(call: Call) -> dict[str, Any]:
    """The caller. A service principal's user name is its application id."""
    if call.caller == USER:
        return {"id": ME_ID, "userName": ME, "displayName": "Stand-in deployer", "active": True}
    return {
        "id": SERVICE_PRINCIPAL_ID,
        "userName": call.caller.name,
        "displayName": SERVICE_PRINCIPAL_NAME,
        "active": True,
    }


ROUTES: list[Route] = [
    ("GET", "/.well-known/databricks-config", host_metadata),
    ("GET", "/api/2.0/preview/scim/v2/Me", me),
]
