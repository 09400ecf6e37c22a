"""Who the workspace is and who is calling."""

from typing import Any

from emulator.api import Call, Route
from emulator.store import ME

ME_ID = "1000012345"
WORKSPACE_ID = "900800700600"


def host_metadata(call: Call) -> dict[str, Any]:
    """What clients ask before they have a token."""
    return {"oidc_endpoint": f"{call.base_url}/oidc", "workspace_id": WORKSPACE_ID}


def me(_: Call) -> dict[str, Any]:
    """The one user of the stand-in."""
    return {"id": ME_ID, "userName": ME, "displayName": "Stand-in deployer", "active": True}


ROUTES: list[Route] = [
    ("GET", "/.well-known/databricks-config", host_metadata),
    ("GET", "/api/2.0/preview/scim/v2/Me", me),
]
