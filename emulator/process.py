"""The server as a process: start it, find it, stop it.

Owns the home folder: `address`, `workspace.db`, `requests.jsonl`, `server.log`, two locks, and the credentials that are
made at random: `token` is the user's, `service-principal-secret` the service principal's, `fiftyone-api-key` that of
FiftyOne's API. `runs` and `volumes` in it are made by those who own them; `fiftyone.json` and `clock-offset-seconds` by
whoever wants them. The server holds `server.lock` for as long as it lives and writes its process id into it, so a held
lock means that the process named there is the server of this home, whatever became of ids that were used before.
`start.lock` is held by whoever starts or stops, so that two at once end with one server. Readable by the owner alone.
"""

import errno
import fcntl
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from emulator.store import held

HOST = "127.0.0.1"
# Below the ranges that systems take ports for outgoing connections from (Linux: 32768, macOS and Windows: 49152).
DEFAULT_PORT = 18765
DEADLINE_SECONDS = 30


class ServerError(Exception):
    """What stands in the way, in words for the user."""


class Home:
    """A folder that is one workspace."""

    def __init__(self, folder: Path) -> None:
        os.umask(0o077)
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self.database = self.folder / "workspace.db"
        self.log = self.folder / "server.log"

    def credential(self, name: str) -> str:
        """What a caller has to know, made once."""
        file = self.folder / name
        if not file.exists():
            _write(file, secrets.token_urlsafe(32))
        return file.read_text()

    def port(self) -> int | None:
        """The port kept from the last time."""
        file = self.folder / "address"
        return int(file.read_text().rpartition(":")[2]) if file.exists() else None

    def address(self) -> str:
        """Where the server of this home is, or was the last time."""
        return (self.folder / "address").read_text()

    def keep_port(self, port: int) -> None:
        _write(self.folder / "address", _address(port))

    @contextmanager
    def lock(self, name: str, wait: bool) -> Generator[IO[str]]:
        """Hold a lock file. Raises BlockingIOError if another process holds it and `wait` is false."""
        with (self.folder / name).open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file

    def server(self) -> int | None:
        """The process id of this home's server, if it is alive. Raises ServerError while it has none yet."""
        try:
            with self.lock("server.lock", wait=False):
                return None
        except BlockingIOError:
            text = (self.folder / "server.lock").read_text()
        if not text:
            raise ServerError(f"A server is just starting in {self.folder}: try again.")
        return int(text)


def _write(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


def _address(port: int) -> str:
    return f"http://{HOST}:{port}"


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    # Lets a server follow one that was killed; on the systems meant here it never takes a port that is listened on.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise ServerError(
            f"Port {port} of {HOST} is taken by another program or not allowed. Choose another with EMULATOR_PORT, "
            "for example: make up EMULATOR_PORT=18766"
        ) from None
    return listener


def _answers(port: int, token: str) -> bool:
    """Whether a server answers there that knows the token; waits for one that has not come up yet."""
    connection = http.client.HTTPConnection(HOST, port, timeout=DEADLINE_SECONDS)
    try:
        connection.request("GET", "/api/2.0/preview/scim/v2/Me", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def start(folder: Path, port: int | None) -> str:
    """The address of a server, started if none runs. Port 0 is the kept one, else any. Raises ServerError."""
    home = Home(folder)
    with home.lock("start.lock", wait=True):
        token, kept = home.credential("token"), home.port()
        if home.server() is not None and kept is not None:
            if port not in (None, 0, kept):
                raise ServerError(f"It is running at {_address(kept)}: stop it before starting it on port {port}.")
            if not _answers(kept, token):
                raise ServerError(f"It is running at {_address(kept)} and does not answer: see {home.log}.")
            return _address(kept)
        # The socket is made here and handed over: a taken port is known before anything is started, and a request
        # that comes early waits in its queue instead of being turned away.
        listener = _listen(port or kept or (DEFAULT_PORT if port is None else 0))
        bound: int = listener.getsockname()[1]
        with home.log.open("a") as log:
            subprocess.Popen(
                [sys.executable, "-m", "emulator", "serve", "--home", str(home.folder), "--fd", str(listener.fileno())],
                cwd=Path(__file__).parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        listener.close()
        if not _answers(bound, token):
            raise ServerError(f"The server did not come up at {_address(bound)}: see {home.log}.")
        return _address(bound)


def serve(folder: Path, port: int, fd: int | None = None) -> None:
    """Be the server, until SIGTERM, on a port or on a listening socket that was handed over. Raises ServerError."""
    # Only the server pays for importing itself: `start` is part of every command that its callers run.
    import uvicorn

    from emulator.fiftyone_api import KEY_FILE
    from emulator.oauth import SECRET_FILE
    from emulator.server import NAME, make_app

    home = Home(folder)
    try:
        with home.lock("server.lock", wait=False) as lock:
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            listener = _listen(port) if fd is None else socket.socket(fileno=fd)
            home.keep_port(listener.getsockname()[1])
            for name in (SECRET_FILE, KEY_FILE):
                home.credential(name)
            app = make_app(home.database, home.folder / "requests.jsonl", home.credential("token"))
            config = uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                lifespan="on",
                server_header=False,
                headers=[("server", NAME)],
                # Longer than clients keep idle connections, so that none is closed under a request.
                timeout_keep_alive=120,
                timeout_graceful_shutdown=5,
            )
            uvicorn.Server(config).run(sockets=[listener])
    except BlockingIOError:
        raise ServerError(f"Another server holds {home.folder}.") from None


def stop(folder: Path) -> str:
    """End the server of a home, if there is one; says what the workspace still holds. Raises ServerError."""
    if not folder.is_dir():
        return "not running; held nothing"
    home = Home(folder)
    with home.lock("start.lock", wait=True):
        pid = home.server()
        if pid is None:
            return f"not running; {held(home.database)}"
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while home.server() is not None:
            if time.monotonic() > deadline:
                raise ServerError(f"Process {pid} has not ended within {DEADLINE_SECONDS} seconds: see {home.log}.")
            time.sleep(0.02)
        return f"stopped; {held(home.database)}"
