"""Files of one folder, in the workspace or on a volume: the two take uploads, listings and deletions differently."""

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from tenacity import RetryCallState, retry, retry_if_exception, stop_after_attempt

from databricks_provider.sdk_import import SDK_IMPORT

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

VOLUMES = "/Volumes/"


class FileStore:
    """One folder. What is missing counts as empty, and as deleted; other refusals of the platform are raised."""

    def __init__(self, client: "WorkspaceClient", folder: str) -> None:
        self._client, self._folder, self._on_volume = client, folder, folder.startswith(VOLUMES)

    def put(self, name: str, content: BinaryIO) -> None:
        """Write a file, and the folder if need be; one of that name is overwritten."""
        path = f"{self._folder}/{name}"
        if self._on_volume:
            self._client.files.create_directory(self._folder)
            self._client.files.upload(path, content, overwrite=True)
        else:
            self._client.workspace.mkdirs(self._folder)
            _upload(self._client, path, content)

    def names(self) -> set[str]:
        """The names of what lies in the folder."""
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            if self._on_volume:
                listed = [entry.path for entry in self._client.files.list_directory_contents(self._folder)]
            else:
                entries = self._client.workspace.list(self._folder)  # pyright: ignore[reportUnknownMemberType]
                listed = [entry.path for entry in entries]
            return {str(path).rstrip("/").rpartition("/")[2] for path in listed}
        return set()

    def delete(self, name: str) -> None:
        """Delete a file."""
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            if self._on_volume:
                self._client.files.delete(f"{self._folder}/{name}")
            else:
                self._client.workspace.delete(f"{self._folder}/{name}")

    def remove(self) -> None:
        """Delete the folder if nothing lies in it."""
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            if self.names():
                return
            if self._on_volume:
                self._client.files.delete_directory(self._folder)
            else:
                self._client.workspace.delete(self._folder)


def _passes(error: BaseException) -> bool:
    """Whether the platform asks to come again, or the connection got lost."""
    with SDK_IMPORT:
        from requests import ConnectionError as LostError
        from requests import Timeout

    return getattr(error, "retry_after_secs", None) is not None or isinstance(error, (LostError, Timeout))


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return getattr(error, "retry_after_secs", None) or state.attempt_number


@retry(retry=retry_if_exception(_passes), stop=stop_after_attempt(4), wait=_wait, reraise=True)
def _upload(client: "WorkspaceClient", path: str, content: BinaryIO) -> None:
    """Write a file of the workspace; databricks-sdk, which sends all else again, does not do so with a form's file."""
    with SDK_IMPORT:
        from databricks.sdk.service.workspace import ImportFormat

    content.seek(0)
    client.workspace.upload(path, content, format=ImportFormat.RAW, overwrite=True)
