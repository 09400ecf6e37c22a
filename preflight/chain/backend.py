"""What the backend knows of an earlier run that did not come to its end: operations without one, and a lock.

Owns the looking alone. Only a backend on this machine shows its locks; Pulumi's service refuses on its own.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from preflight.chain.check import BrokenError, Check, NotLookedError
from preflight.chain.deployed import Deployed
from recovery.dead_runs import is_over
from toolchain.locks import Lock, backend_folder, locks

STATE: Final = "state"


def backend(deployed: Deployed, environ: Mapping[str, str], project: Path) -> Iterator[Check]:
    """Whether the state is whole, and free."""
    yield Check(subject="something is deployed", key=STATE, look=lambda: _deployed(deployed))
    yield Check(subject="nothing pending", key="pending", look=lambda: _pending(deployed))
    yield Check(subject="not locked", key="lock", look=lambda: _locks(deployed.stack, environ, project))


def _deployed(deployed: Deployed) -> str:
    if not list(deployed.of_type("Job")):
        raise BrokenError("the state has no job", f"`make up STACK={deployed.stack}`")
    return f"{len(deployed.resources)} resources"


def _pending(deployed: Deployed) -> None:
    if deployed.pending:
        raise BrokenError(
            f"a run was interrupted at {', '.join(deployed.pending)}: whether that was done is not known",
            f"`make up STACK={deployed.stack}`, which finds out",
        )


def _locks(stack: str, environ: Mapping[str, str], project: Path) -> None:
    folder = backend_folder(environ, project)
    if folder is None:
        raise NotLookedError("a backend that is not on this machine does not show its locks")
    for lock in locks(stack, folder):
        _check_holder(stack, lock)


def _check_holder(stack: str, lock: Lock) -> None:
    over = is_over(lock)
    if over is None:
        raise NotLookedError(f"{lock} holds the lock, which another machine knows the end of")
    if not over:
        raise NotLookedError(f"{lock} is at work on the stack, so what is said here may be over when it ends")
    raise BrokenError(f"{lock} holds the lock and is no more, so nothing can be deployed", f"`make up STACK={stack}`")
