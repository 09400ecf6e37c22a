"""Runs the command that FiftyOne sends to a task of the job, with the deployed plugins, and ends as the command ended.

FiftyOne starts a task with the job parameter `command`, and the task passes it on as `--command` (guide, "Create Job
Entrypoint"). What the deployment wants of a run stands in its environment:

    ENTRYPOINT_COMMANDS        the programs that may be run, separated by commas; `fiftyone` alone if it is not set
    ENTRYPOINT_PLUGINS         an archive of plugins: a path, or an address in the cloud (gs://, s3://, abfss://)
    ENTRYPOINT_PLUGINS_SHA256  the archive's SHA-256; one that differs is refused

Needs nothing but the runtime's Python and, for an address in the cloud, the cloud's library that the runtime has.
"""

import argparse
import codecs
import contextlib
import hashlib
import importlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# On Databricks' FIPS images it makes opencv abort with an OpenSSL self-test failure when it is imported.
ABORTS_OPENCV = "OPENSSL_FORCE_FIPS_MODE"
CHUNK = 1 << 16
SECONDS_OF_SILENCE = 1.0


class RunError(Exception):
    """A run that cannot begin; its text says why and what to do."""


def main() -> int:
    """Get the plugins ready and run the command; its exit code, 128 and the signal's number if one ended it.

    Raises:
        RunError: nothing was started.
    """
    parser = argparse.ArgumentParser(description="Runs one command of FiftyOne's with the deployed plugins.")
    parser.add_argument("--command", required=True, help="the command line to run")
    command = split(parser.parse_args().command)
    environment = {name: value for name, value in os.environ.items() if name != ABORTS_OPENCV}
    # A cluster's libraries put their programs beside its Python, which is not on every runtime's PATH.
    environment["PATH"] = os.pathsep.join([environment.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    with tempfile.TemporaryDirectory(prefix="fiftyone-plugins-") as scratch:
        archive = environment.get("ENTRYPOINT_PLUGINS")
        if archive:
            plugins = unpacked(archive, environment.get("ENTRYPOINT_PLUGINS_SHA256"), Path(scratch))
            environment["FIFTYONE_PLUGINS_DIR"] = str(plugins)
            print(f"entrypoint: plugins are those of {archive}", flush=True)
        return run(command, environment)


def split(line: str) -> list[str]:
    """The words of a command line, for which no shell is asked. Raises RunError for one that may not be run."""
    try:
        command = shlex.split(line)
    except ValueError as error:
        raise RunError(f"--command cannot be read: {error}") from None
    allowed = os.environ.get("ENTRYPOINT_COMMANDS", "fiftyone").split(",")
    if not command or command[0] not in allowed:
        raise RunError(
            f"only {' and '.join(allowed)} may be run here, so nothing was started; `allowedCommands` in the stack's "
            "settings allows more"
        )
    return command


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command, pass its output on as it comes and signals to it; its exit code. Raises RunError."""
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise RunError(f"there is no `{command[0]}` on PATH: did the run's libraries install?")
    with started([program, *command[1:]], environment) as process:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Only a main thread may set handlers, and not every runtime starts a task in one.
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda received, _frame: process.send_signal(received))
        # The runtime shows what goes through sys.stdout, which need not be this process's own file descriptor.
        pass_on(process)
        code = process.wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def started(command: list[str], environment: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """A process whose output is read here. Raises RunError where the system cannot start it."""
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
    except OSError as error:
        raise RunError(f"`{command[0]}` cannot be started: {error}") from None
    with process:
        yield process


def pass_on(process: subprocess.Popen[bytes]) -> None:
    """Print a process's output as it comes, until it ends.

    What it leaves running may keep the output open and would keep the cluster, so silence after its end is the end.
    """
    if process.stdout is None:
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        ended = process.poll() is not None
        if select.select([process.stdout], [], [], SECONDS_OF_SILENCE)[0]:
            chunk = process.stdout.read(CHUNK)
            print(decoder.decode(chunk, final=not chunk), end="", flush=True)
            if not chunk:
                return
        elif ended:
            return


def unpacked(archive: str, sha256: str | None, scratch: Path) -> Path:
    """The folder that an archive of plugins was unpacked into, below `scratch`. Raises RunError."""
    file = scratch / "archive"
    try:
        fetch(archive, file)
    except ImportError as error:
        raise RunError(f"{archive} cannot be fetched without the Python package of {error.name}") from None
    except Exception as error:  # noqa: BLE001 - each cloud's library has exceptions of its own
        raise RunError(f"the plugins at {archive} could not be read: {type(error).__name__}: {error}") from None
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    if sha256 and found.hexdigest() != sha256:
        raise RunError(
            f"the plugins at {archive} are not those that were deployed (SHA-256 {found.hexdigest()}, expected "
            f"{sha256}), so nothing was started: deploy again, or set the new `sha256` if the change was meant"
        )
    folder = scratch / "plugins"
    folder.mkdir()
    try:
        # Both leave out or refuse whatever would be written outside of the folder.
        if tarfile.is_tarfile(file):
            with tarfile.open(file) as tar:
                tar.extractall(folder, filter="data")
        else:
            with zipfile.ZipFile(file) as archived:
                archived.extractall(folder)
    except Exception as error:  # noqa: BLE001 - a broken archive fails in many ways, as does a full disk
        raise RunError(f"the plugins at {archive} cannot be unpacked as tar or zip: {error!r}") from None
    file.unlink()
    return folder


def fetch(archive: str, file: Path) -> None:
    """Copy an archive to `file`, with the cluster's own identity where it lies in the cloud."""
    address = urlsplit(archive)
    key = address.path.lstrip("/")
    match address.scheme:
        case "gs":
            storage: Any = importlib.import_module("google.cloud.storage")
            storage.Client().bucket(address.netloc).blob(key).download_to_filename(str(file))
        case "s3":
            boto3: Any = importlib.import_module("boto3")
            boto3.client("s3").download_file(address.netloc, key, str(file))
        case "abfss":
            identity: Any = importlib.import_module("azure.identity")
            lake: Any = importlib.import_module("azure.storage.filedatalake")
            service = lake.DataLakeServiceClient(f"https://{address.hostname}", identity.DefaultAzureCredential())
            with file.open("wb") as stream:
                service.get_file_client(address.username or "", key).download_file().readinto(stream)
        case _:
            shutil.copyfile(archive, file)


if __name__ == "__main__":
    # Output is passed on whatever its characters; a runtime that shows it elsewhere sees to that itself.
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    try:
        code = main()
    except RunError as error:
        sys.exit(f"entrypoint: {error}")
    # Some runtimes take any SystemExit for a failure, so success just ends.
    if code:
        sys.exit(code)
