"""The archive of a stack's plugins, as a dynamic resource: one file in the workspace or a volume, named by its content.

The state holds path, size and hash alone. The bytes are packed anew from the folder that the stack's configuration
names whenever they have to be uploaded. An archive that was replaced stays until the next one is replaced, because
runs that began with it may still fetch it.
"""

import hashlib
import io
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

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

from components.plugin_archive import plugin_archive
from databricks_provider.workspace_client import WorkspaceConnection

CHECKOUT = Path(__file__).parent.parent
VOLUMES = "/Volumes/"
CHUNK = 1 << 20
WORTH_PROGRESS = 10 * CHUNK

_connection = WorkspaceConnection()


class ArchiveProvider(ResourceProvider):
    """Uploads, finds and deletes archives. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        _connection.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        _upload(props)
        return CreateResult(id_="plugins", outs={**props, "previous": ""})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in ("path", "sha256")))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _upload(_news)
        if _olds["previous"] not in ("", _news["path"]):
            _delete(_olds["previous"])
        return UpdateResult(outs={**_news, "previous": _olds["path"]})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whether the file is there; runs themselves check what it says."""
        return ReadResult(id_=id_, outs=props) if _is_there(props["path"]) else ReadResult(id_="", outs={})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        for path in filter(None, (_props["previous"], _props["path"])):
            _delete(path)


def _upload(props: dict[str, Any]) -> None:
    path, client = props["path"], _connection.client
    plugins = json.loads(_connection.setting("fiftyone-databricks:plugins"))
    archive = plugin_archive(CHECKOUT / plugins["source"])
    with tempfile.TemporaryFile() as file:
        archive.write(file)
        file.seek(0)
        if hashlib.file_digest(file, "sha256").hexdigest() != props["sha256"]:
            raise RuntimeError("The plugins changed while they were deployed: run the same command again.")
        file.seek(0)
        print(f"uploading {len(archive.files)} files of plugins, {_shown(props['size'])}, to {path}", flush=True)
        content = io.BufferedReader(_Progress(file, int(props["size"])), CHUNK)
        if path.startswith(VOLUMES):
            client.files.create_directory(path.rpartition("/")[0])
            client.files.upload(path, content, overwrite=True)
        else:
            from databricks.sdk.service.workspace import ImportFormat

            client.workspace.upload(path, content, format=ImportFormat.RAW, overwrite=True)


def _is_there(path: str) -> bool:
    from databricks.sdk.errors import NotFound

    with suppress(NotFound):
        if path.startswith(VOLUMES):
            _connection.client.files.get_metadata(path)
        else:
            _connection.client.workspace.get_status(path)
        return True
    return False


def _delete(path: str) -> None:
    from databricks.sdk.errors import NotFound

    with suppress(NotFound):
        if path.startswith(VOLUMES):
            _connection.client.files.delete(path)
        else:
            _connection.client.workspace.delete(path)


def _shown(size: float) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


class _Progress(io.RawIOBase):
    """A file that prints, quarter by quarter, how much of it an upload has read."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size, self._said = file, size, 0

    def readinto(self, buffer: Any, /) -> int:
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        quarter = 4 * self._file.tell() // max(self._size, 1)
        if quarter > self._said and self._size > WORTH_PROGRESS:
            self._said = quarter
            print(f"uploading plugins: {25 * quarter} % of {_shown(self._size)}", flush=True)
        return len(chunk)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class Archive(Resource, module="databricks", name="Archive"):
    """The stack's archive of plugins.

    Args:
        path: where it goes, in the workspace or on a volume; its name holds its hash.
        sha256: hash of the archive that the stack's folder of plugins packs into.
        size: its size in bytes.
    """

    path: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        path: pulumi.Input[str],
        sha256: str,
        size: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"path": path, "sha256": sha256, "size": size}
        super().__init__(ArchiveProvider(), resource_name, props, opts)
