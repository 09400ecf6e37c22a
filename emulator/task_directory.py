"""What a task finds when it starts: its folder, environment and command line. Starts nothing but the shell below.

Owns `HOME/runs/<task run id>/work`, which is gone when the task has ended. A cluster mounts `/Workspace` and `/Volumes`
at the root; here they are laid out in that folder as the store has them at that moment, of the workspace only what the
run may read (volumes are Unity Catalog's, which is not part of the stand-in), and every value of the
environment, parameter and path that begins with one of them is turned to there. Files are read-only; small ones are
copies, large ones of volumes share their content with the volume's.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.outcomes import Outcome, cluster_failed, error

REFERENCE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
SECRET = re.compile(r"\{\{secrets/([^/{}]+)/([^/{}]+)\}\}")
MOUNTS = ("/Workspace/", "/Volumes/")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Files of volumes above this are not copied for each run.
LINKED_BYTES = 1024 * 1024
SHELL_SECONDS = 30


class Refused(Exception):  # noqa: N818 - the end of a task, and no fault of the program's
    """The task ends before its program starts."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a task is to run with.

    `secrets` has a value for every reference that exists; `objects` is what `run_as` may read of the workspace, and
    `unreadable` the paths of the rest.
    """

    folder: Path
    cluster_id: str
    task: Mapping[str, Any]
    cluster: Mapping[str, Any]
    references: Mapping[str, str]
    secrets: Mapping[tuple[str, str], bytes]
    run_as: str
    objects: Sequence[tuple[str, bytes | None]]
    unreadable: Set[str]
    volumes: Path

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def home(self) -> Path:
        return self.work / "home"


@dataclass(frozen=True)
class Prepared:
    command: list[str]
    environment: dict[bytes, bytes]


def secret_references(cluster: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Scope and key of the values of `spark_env_vars` that are wholly a reference; others are text to a cluster."""
    values: list[str] = list(cluster.get("spark_env_vars", {}).values())
    return {(found[1], found[2]) for value in values if (found := SECRET.fullmatch(value))}


def prepare(order: Order) -> Prepared:
    """Lay everything out. Raises Refused with what the platform says if something is missing."""
    for scope, key in sorted(secret_references(order.cluster) - order.secrets.keys()):
        reason = f"Secret does not exist with scope: {scope} and key: {key}"
        raise Refused(_no_cluster(order, f"SECRET_RESOLUTION_ERROR(CLIENT_ERROR): databricks_error_message:{reason}"))
    for name in ("home", "tmp", "bin", "Workspace"):
        (order.work / name).mkdir(parents=True)
    _lay_out(order)
    _write_fiftyone(order.work / "bin" / "fiftyone")
    environment = _environment(order)
    notes = "".join(f"stand-in: {note}\n" for note in _libraries(order))
    (order.folder / "log").write_text(notes)
    python: dict[str, Any] = order.task["spark_python_task"]
    file = _stored_file(order, python["python_file"])
    if file is None and _unreadable(order, python["python_file"]):
        message = (
            f"Cannot read the python file {python['python_file']}. Either it does not exist, or the identity used to "
            f"run this job, {order.run_as}, lacks the required permissions (CAN_READ)."
        )
        raise Refused(error("UNAUTHORIZED_ERROR", message))
    if file is None:
        message = f"Cannot read the python file {python['python_file']}. Please check driver logs for more details."
        raise Refused(error("RUN_EXECUTION_ERROR", message))
    parameters = [_filled(value, order.references) for value in python.get("parameters", [])]
    return Prepared([sys.executable, str(file), *(_turned(value, order.work) for value in parameters)], environment)


def clear(folder: Path) -> None:
    """Remove all of a task's folder but its log."""
    shutil.rmtree(folder / "work", ignore_errors=True)


def _no_cluster(order: Order, reason: str) -> Outcome:
    return cluster_failed(order.cluster_id, reason)


def _filled(text: str, references: Mapping[str, str]) -> str:
    return REFERENCE.sub(lambda found: references.get(found[1], found[0]), text)


def _turned(value: str, work: Path) -> str:
    return f"{work}{value}" if f"{value}/".startswith(MOUNTS) else value


def _lay_out(order: Order) -> None:
    for path, content in order.objects:
        target = order.work / "Workspace" / path.lstrip("/")
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o400)
    shutil.copytree(
        order.volumes,
        order.work / "Volumes",
        copy_function=_copy,
        ignore=lambda folder, _: [".uploads"] if Path(folder) == order.volumes else [],
    )


def _copy(source: str, target: str) -> None:
    try:
        if Path(source).stat().st_size > LINKED_BYTES:
            os.link(source, target)
        else:
            shutil.copyfile(source, target)
            Path(target).chmod(0o400)
    except FileNotFoundError:
        # Deleted while it was read.
        return


def _stored_file(order: Order, path: str) -> Path | None:
    """A file of the workspace, whose paths come with or without `/Workspace` in front, or of a volume."""
    if not path.startswith("/"):
        return None
    file = Path(_turned(path, order.work) if path.startswith(MOUNTS) else f"{order.work}/Workspace{path}")
    within = file.resolve().is_relative_to(order.work.resolve())
    return file if within and file.is_file() else None


def _unreadable(order: Order, path: str) -> bool:
    """Whether a path that is none of the run's is one of the workspace's."""
    return f"/{path.removeprefix('/Workspace').lstrip('/')}" in order.unreadable


def _libraries(order: Order) -> list[str]:
    """What to say of the libraries, of which none is installed. Never shows a content: it may name an index."""
    notes: list[str] = []
    for library in order.task.get("libraries", []):
        kind, value = next(iter(library.items()))
        if kind == "requirements" and _stored_file(order, value) is None:
            why = "No such file or directory"
            if _unreadable(order, value):
                why = f"Permission denied: {order.run_as} lacks CAN_READ"
            message = (
                f"Library installation failed for library due to user error for {kind}: {value}. Error messages:\n"
                f"Could not open requirements file: {why}: '{value}'"
            )
            raise Refused(error("LIBRARY_INSTALLATION_ERROR", message))
        named = f" file {value}" if kind == "requirements" else ""
        notes.append(f"no library is installed here; a cluster would install those of the task's {kind}{named}")
    return notes


def _write_fiftyone(file: Path) -> None:
    """The command `fiftyone`, which a cluster has from the requirements."""
    program = Path(__file__).with_name("fiftyone_command.py")
    # -I: what the run sets for its own Python is not meant for this one.
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I {shlex.quote(str(program))} "$@"\n')
    file.chmod(0o500)


def _environment(order: Order) -> dict[bytes, bytes]:
    """The environment after a shell has read it, as on a cluster, from a file of `export NAME=value` lines."""
    base = {
        "HOME": str(order.home),
        "TMPDIR": str(order.work / "tmp"),
        "PATH": f"{order.work / 'bin'}:{SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    if version := re.match(r"\d+\.\d+", order.cluster["spark_version"]):
        base["DATABRICKS_RUNTIME_VERSION"] = version[0]
    variables: dict[str, str] = order.cluster.get("spark_env_vars", {})
    lines = [b"export %s=%s\n" % (name.encode(), _shell_value(value, order)) for name, value in variables.items()]
    file = order.work / "environment.sh"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as script:
        # The last line's status is not the file's: only what the shell cannot read fails.
        script.write(b"".join(lines) + b":\n")
    try:
        shell = subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", '. "$0" && exec /usr/bin/env -0', str(file)],
            env=base,
            cwd=order.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SHELL_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        # Not the shell's own words, which quote the file.
        reason = "SPARK_ERROR(CLIENT_ERROR): the shell could not take what is in spark_env_vars"
        raise Refused(_no_cluster(order, reason)) from None
    finally:
        file.unlink()
    given = {os.fsencode(name): os.fsencode(value) for name, value in base.items()}
    read = dict(entry.split(b"=", 1) for entry in shell.stdout.split(b"\0") if b"=" in entry)
    shells_own = {b"_", b"SHLVL", b"PWD", b"OLDPWD"} - {name.encode() for name in variables}
    return {
        name: value if value == given.get(name) else os.fsencode(_turned(os.fsdecode(value), order.work))
        for name, value in read.items()
        if name not in shells_own
    }


def _shell_value(value: str, order: Order) -> bytes:
    """A value as it stands in the job, for the shell to read; a secret's so that the shell leaves it alone."""
    if found := SECRET.fullmatch(value):
        return b"'" + order.secrets[found[1], found[2]].replace(b"'", b"'\"'\"'") + b"'"
    return value.encode()
