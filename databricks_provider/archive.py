"""The archive of a stack's plugins, as dynamic resources: files in a folder of their own, named by their content.

`Archive` uploads, before any job names the new file. `ArchiveRetention`, which depends on the jobs, deletes what no run
can need any more: it keeps the file that jobs name now and the one they named before, because runs that began with that
may still fetch it. The state holds paths, size and hash alone; the bytes are packed anew for each upload, from the
folder that the stack's configuration names.
"""

import hashlib
import io
import json
import re
import tempfile
from collections.abc import Iterable
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
from databricks_provider.file_store import FileStore
from databricks_provider.workspace_client import CONNECTION

CHECKOUT = Path(__file__).parent.parent
ARCHIVE_NAME = re.compile(r"plugins-[0-9a-f]{16}\.tar")
CHUNK = 1 << 20
WORTH_PROGRESS = 10 * CHUNK


class ArchiveProvider(ResourceProvider):
    """Uploads archives, finds them, and deletes the folder. Its import path is part of every stack's state."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        _upload(props)
        return CreateResult(id_=props["folder"], outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        moved = _olds["folder"] != _news["folder"]
        return DiffResult(
            changes=moved or _olds["sha256"] != _news["sha256"],
            replaces=["folder"] if moved else [],
            delete_before_replace=False,
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _upload(_news)
        return UpdateResult(outs=_news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """A file that is gone shows as one of no content, so that the next update uploads it again."""
        there = archive_name(props["sha256"]) in FileStore(CONNECTION.client, id_).names()
        return ReadResult(id_=id_, outs=props if there else {**props, "sha256": ""})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        _sweep(_id, keep=())
        FileStore(CONNECTION.client, _id).remove()


class ArchiveRetentionProvider(ResourceProvider):
    """Deletes archives once all jobs have moved on. Its import path is part of every stack's state."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_="archives", outs={**props, "previous": ""})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=any(_olds[name] != _news[name] for name in ("folder", "sha256")))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        previous = _olds["sha256"] if _olds["folder"] == _news["folder"] else ""
        _sweep(_news["folder"], keep=(_news["sha256"], previous))
        return UpdateResult(outs={**_news, "previous": previous})


def archive_name(sha256: str) -> str:
    """The file's name for an archive's hash."""
    return f"plugins-{sha256[:16]}.tar"


def _upload(props: dict[str, Any]) -> None:
    plugins = json.loads(CONNECTION.setting("fiftyone-databricks:plugins"))
    archive = plugin_archive(CHECKOUT / plugins["source"])
    size = int(props["size"])
    with tempfile.TemporaryFile() as file:
        archive.write(file)
        file.seek(0)
        if hashlib.file_digest(file, "sha256").hexdigest() != props["sha256"]:
            raise RuntimeError("The plugins changed while they were deployed: run the same command again.")
        file.seek(0)
        print(f"uploading {len(archive.files)} files of plugins, {_shown(size)}, to {props['folder']}", flush=True)
        content = io.BufferedReader(_Progress(file, size), CHUNK)
        FileStore(CONNECTION.client, props["folder"]).put(archive_name(props["sha256"]), content)


def _sweep(folder: str, *, keep: Iterable[str]) -> None:
    """Delete the archives of a folder that are none of `keep`, given by hash; other files are not ours."""
    store, kept = FileStore(CONNECTION.client, folder), {archive_name(sha256) for sha256 in keep}
    for name in store.names() - kept:
        if ARCHIVE_NAME.fullmatch(name):
            store.delete(name)


def _shown(size: int) -> str:
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
        folder: the stack's folder for archives, in the workspace or on a volume.
        sha256: hash of the archive that the stack's folder of plugins packs into.
        size: its size in bytes.
    """

    def __init__(
        self, resource_name: str, *, folder: str, sha256: str, size: int, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(ArchiveProvider(), resource_name, {"folder": folder, "sha256": sha256, "size": size}, opts)


class ArchiveRetention(Resource, module="databricks", name="ArchiveRetention"):
    """What becomes of earlier archives; depends on every job that names one.

    Args:
        folder: as of `Archive`.
        sha256: hash of the archive that the jobs name now.
    """

    def __init__(
        self, resource_name: str, *, folder: str, sha256: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(ArchiveRetentionProvider(), resource_name, {"folder": folder, "sha256": sha256}, opts)
