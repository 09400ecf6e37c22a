"""What the backend knows of an earlier run that did not come to its end: operations without one, and a lock.

Owns the looking alone. Only a backend on this machine shows its locks; Pulumi's service refuses on its own.
"""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from components.settings import PROJECT
from preflight.chain.check import BrokenError, Check, NotLookedError
from preflight.chain.deployed import Deployed

STATE: Final = "state"


def backend(deployed: Deployed, environ: Mapping[str, str], project: Path) -> Iterator[Check]:
    """Whether the state is whole, and free."""
    yield Check(subject="something is deployed", key=STATE, look=lambda: _deployed(deployed))
    yield Check(subject="nothing pending", key="pending", look=lambda: _pending(deployed))
    yield Check(subject="not locked", key="lock", look=lambda: _lock(deployed.stack, _address(environ, project)))


def _deployed(deployed: Deployed) -> str:
    if not list(deployed.of_type("Job")):
        raise BrokenError("the state has no job", f"`make up STACK={deployed.stack}`")
    return f"{len(deployed.resources)} resources"


def _pending(deployed: Deployed) -> None:
    if deployed.pending:
        stack = deployed.stack
        raise BrokenError(
            f"a run was interrupted at {', '.join(deployed.pending)}: whether that was done is not known",
            f"`make refresh STACK={stack} ARGS=--clear-pending-creates && make up STACK={stack}`, then `make verify "
            f"STACK={stack}` for what stands there twice",
        )


def _address(environ: Mapping[str, str], project: Path) -> str:
    """The backend's URL, as the engine itself resolves it."""
    done = subprocess.run(
        ["pulumi", "whoami", "--json", "--non-interactive"],
        cwd=project,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    return str(json.loads(done.stdout).get("url", "")) if done.returncode == 0 else ""


def _lock(stack: str, address: str) -> None:
    if not address.startswith("file://"):
        raise NotLookedError("a backend that is not on this machine does not show its locks")
    # pulumi/pulumi, pkg/backend/diy/lock.go.
    folder = Path(unquote(urlsplit(address).path)) / ".pulumi" / "locks" / "organization" / PROJECT / stack
    for file in sorted(folder.glob("*.json")):
        _check_holder(stack, json.loads(file.read_text()))


def _check_holder(stack: str, lock: Mapping[str, Any]) -> None:
    who = f"process {lock['pid']} of {lock['username']} on {lock['hostname']}, since {lock['timestamp']}"
    if lock["hostname"] != socket.gethostname():
        raise NotLookedError(f"{who} holds the lock, which another machine knows the end of")
    if _runs(int(lock["pid"])):
        raise NotLookedError(f"{who} is at work on the stack, so what is said here may be over when it ends")
    raise BrokenError(
        f"{who} holds the lock and is no more, so nothing can be deployed",
        f'`eval "$(make -s env STACK={stack})" && pulumi cancel {stack} --yes`',
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
