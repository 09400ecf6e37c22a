"""Who a key belongs to, as FiftyOne's API tells its owner."""

from typing import Any

from emulator.api import Body, Call
from emulator.fiftyone_settings import undocumented


def whoami(call: Call) -> dict[str, Any]:
    """The account of the one key that there is."""
    call.read(Body)
    role = undocumented(call.home).role.upper()
    return {"result": {"id": "stand-in", "name": "Stand-in service account", "email": None, "role": role}}
