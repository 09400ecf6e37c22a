"""A workspace folder of the stack's own, as a dynamic resource that takes over nothing of anybody else's.

pulumi-databricks makes a folder that may exist already, and its files overwrite what has their names; destroying the
stack would then delete what others put there.
"""

from contextlib import suppress
from typing import Any

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from databricks_provider.sdk_import import SDK_IMPORT
from databricks_provider.workspace_client import CONNECTION


class FolderProvider(ResourceProvider):
    """Makes, finds and deletes folders. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the folder; an empty one that is there already may be what is left of an interrupted create."""
        path = props["path"]
        if found := _contents(path):
            raise ValueError(
                f"The workspace folder {path} exists and holds {found}, which this stack did not put there and would "
                "overwrite or delete some day. Name another folder as `workspaceDir`, or empty this one."
            )
        CONNECTION.client.workspace.mkdirs(path)
        return CreateResult(id_=path, outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        moved, taken_over = _olds["path"] != _news["path"], "deleteRecursive" in _olds
        return DiffResult(changes=moved or taken_over, replaces=["path"] if moved else [], delete_before_replace=False)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """The folder as pulumi-databricks' `Directory` made it, now this resource's: in the state alone."""
        return UpdateResult(outs=_news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            CONNECTION.client.workspace.get_status(id_)
            return ReadResult(id_=id_, outs=props)
        return ReadResult(id_="", outs={})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        if found := _contents(_id):
            raise ValueError(
                f"The workspace folder {_id} still holds {found}, which is not this stack's, so it was not deleted. "
                "Move that elsewhere and run the same command again."
            )
        with suppress(NotFound):
            CONNECTION.client.workspace.delete(_id)


def _contents(path: str) -> str:
    """The names of what lies in a folder, or nothing for one that is empty or missing."""
    with SDK_IMPORT:
        from databricks.sdk.errors import NotFound

    with suppress(NotFound):
        entries = CONNECTION.client.workspace.list(path)  # pyright: ignore[reportUnknownMemberType]
        return ", ".join(sorted(str(entry.path).rpartition("/")[2] for entry in entries))
    return ""


class Folder(Resource, module="databricks", name="Folder"):
    """A folder of the workspace, made with its parents; deleted only when it is empty, and never its parents.

    Args:
        path: its path, as the workspace API writes it (without `/Workspace`).
    """

    path: pulumi.Output[str]

    def __init__(
        self, resource_name: str, *, path: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(FolderProvider(), resource_name, {"path": path}, opts)
