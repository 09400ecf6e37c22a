"""A call of one of the APIs as a proxy sees it, by a name that tests go by."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

# FiftyOne's management API here is POST throughout; what only asks is told by its name.
ASKING = ("get_", "list_")


@dataclass(frozen=True, kw_only=True)
class Call:
    """`name` of FiftyOne's is `function argument`, such as `add_secret HOST_GPU`; Databricks' is its method and path.

    `about` is what else tells one call from another: the query, or the path that a body names. `agent` is who asks.
    """

    name: str
    about: str
    agent: str

    @property
    def is_fiftyone(self) -> bool:
        return not self.name.partition(" ")[2].startswith("/")

    @property
    def writes(self) -> bool:
        if self.is_fiftyone:
            return not self.name.startswith(ASKING)
        return not self.name.startswith(("GET ", "HEAD "))


def read_call(method: str, path: str, agent: str, body: bytes) -> Call:
    """The call that a request is."""
    plain, _, query = path.partition("?")
    arguments: dict[str, Any] = {}
    # Uploads are no JSON, and nothing of them is needed.
    if body.startswith(b"{"):
        arguments = json.loads(body)
    if plain.startswith("/fiftyone/management/"):
        subject = arguments.get("key") or arguments.get("instance_id") or ""
        return Call(name=f"{plain.rpartition('/')[2]} {subject}".strip(), about="", agent=agent)
    return Call(name=f"{method} {plain}", about=unquote(query) or str(arguments.get("path", "")), agent=agent)
