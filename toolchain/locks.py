"""The locks that runs of the engine hold on a stack, as a backend on this machine shows them.

Owns where such a backend has its files, the reading, and that a lock is put back where what it stands for is not done
with. A bucket does not show whose process holds a lock, and Pulumi's service has none: there the engine refuses, and
names it. Source: pulumi/pulumi, pkg/backend/diy/lock.go.
"""

import json
import os
import socket
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from toolchain.environment import PROJECT
from toolchain.paths import REPO
from toolchain.pulumi_json import pulumi_json


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Who says to be at work on the stack; `since` is a time in ISO 8601."""

    file: Path
    pid: int
    username: str
    hostname: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} of {self.username} on {self.hostname}, since {self.since}"


def backend_folder(environ: Mapping[str, str], project: Path = REPO) -> Path | None:
    """Where a backend on this machine keeps its files; None for any other. Raises PulumiError."""
    address = str(pulumi_json(["whoami", "--json"], environ, project).get("url", ""))
    if not address.startswith("file://"):
        return None
    # As the engine reads it: `file://~` is the home folder, and a relative path begins at the project.
    path = Path(unquote(address.removeprefix("file://").partition("?")[0])).expanduser()
    return project / path / ".pulumi"


def locks(stack: str, folder: Path) -> Iterator[Lock]:
    """The locks of a stack whose backend keeps its files in the folder."""
    for file in sorted((folder / "locks" / "organization" / PROJECT / stack).glob("*.json")):
        with suppress(FileNotFoundError):  # its run has ended meanwhile
            yield _lock(file)


def of_dead_runs(stack: str, folder: Path) -> list[Lock]:
    """The locks whose process is gone from this machine; recovery/, which sees more of a process, removes them."""
    return [lock for lock in locks(stack, folder) if lock.hostname == socket.gethostname() and not _exists(lock.pid)]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def without(removed: Iterable[Lock]) -> Generator[None]:
    """Remove these locks, and put them back if what follows fails; `pulumi cancel` removes all, live ones too."""
    contents = saved(removed)
    for file in contents:
        file.unlink(missing_ok=True)
    try:
        yield
    except BaseException:
        put_back(contents)
        raise


def saved(held: Iterable[Lock]) -> dict[Path, bytes]:
    """What to put back, should what follows fail: a lock goes on telling of the run that held it."""
    return {file: file.read_bytes() for lock in held for file in _files(lock) if file.is_file()}


def put_back(contents: Mapping[Path, bytes]) -> None:
    """Put back locks that were removed."""
    for file, content in contents.items():
        file.write_bytes(content)


def _files(lock: Lock) -> tuple[Path, Path]:
    return lock.file, lock.file.with_name(f"{lock.file.name}.attrs")


def _lock(file: Path) -> Lock:
    content = json.loads(file.read_text())
    return Lock(
        file=file,
        pid=int(content["pid"]),
        username=content["username"],
        hostname=content["hostname"],
        since=content["timestamp"],
    )
