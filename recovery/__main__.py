"""Puts right what an interrupted or failed run has left, before the next one: `python -m recovery STACK PROJECT`.

First what still runs of a dead run is ended, then its lock is removed, then the state is repaired, and refreshed if it
may have what is gone, then what the workspace has of the stack's and the state does not is brought in. Keeps nothing of
its own, and may run again at any time: what fails on the way leaves the signs as they were. `make` runs it where the
backend shows one (toolchain/interrupted.py).
"""

import os
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from databricks.sdk.errors.base import DatabricksError

from adoption.import_file import SCOPE, Resource, run_import
from components.settings import Settings
from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from databricks_provider.workspace_client import workspace_client
from preflight.configuration import from_backend
from recovery import dead_runs
from recovery.orphans import POOL, gone, lacks, owned
from recovery.state import State, read, refresh, repair, write
from toolchain.interrupted import lost_deletes
from toolchain.locks import Lock, backend_folder, locks, without
from toolchain.paths import SetupError
from toolchain.pulumi_json import PulumiError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def recover(stack: str, environ: Mapping[str, str], project: Path) -> None:
    """Do so, and say what is done.

    Raises:
        SetupError: a run is at work on the stack, or may be; the settings are refused; or what was found cannot be
            brought in.
        PulumiError, DatabricksError, TimeoutError, ValueError: it could not be found out what is left.
    """
    _say(f"a run of {stack} before did not end well; looking for what it left")
    lost = lost_deletes(stack, environ, project)
    with _cleared_away(stack, backend_folder(environ, project)):
        repair(stack, environ, project)
        settings, client = _workspace(stack, environ, project)
        before = state = read(stack, environ, project)
        if lost or lacks(state.ids_of(POOL), state.ids_of(SCOPE), client):
            _say("what it deleted may be in the state still; refreshing that")
            refresh(stack, environ, project)
            state = read(stack, environ, project)
        found = owned(settings, before.begun_pools, client)
        superfluous = _bring_in(found, settings.stack, state, environ, project)
        # The signs go last: until all is brought in, whoever comes next has to look again.
        deleted = gone(state.jobs, client)
        if before.pending or deleted or state.has_unread_scope or superfluous:
            now = read(stack, environ, project)
            # A run that is at work after all refuses it.
            write(now, stack, environ, project, without=deleted)
            cut_off = [f"cut off {each}" for each in before.pending]
            unread = ["scope is made"] if state.has_unread_scope else []
            done = [*cut_off, *(f"job {state.jobs[job_id]} is deleted" for job_id in sorted(deleted)), *unread]
            for each in done:
                _say(each)
            for pool in (each for each in superfluous if each.id not in now.ids):
                client.instance_pools.delete(pool.id)
                _say(f"deleted instance pool {pool.id}, which was to be {pool.name}")


def _workspace(stack: str, environ: Mapping[str, str], project: Path) -> "tuple[Settings, WorkspaceClient]":
    """The stack's settings, and the workspace that they name. Raises SetupError where they are refused."""
    configuration = from_backend(stack, environ, project)
    if configuration.problem:
        raise SetupError(configuration.problem)
    try:
        settings = load_settings(
            stack=stack,
            config=configuration.values,
            secret_keys=configuration.secret_keys,
            environ=environ,
            previewing=True,
        )
    except SettingsError as error:
        raise SetupError(str(error)) from None
    return settings, workspace_client(configuration.get)


@contextmanager
def _cleared_away(stack: str, folder: Path | None) -> Generator[None]:
    """Without what a dead run has left on this machine, and in a backend that is a folder.

    What fails then puts its lock back, which says that it was killed. Raises SetupError where a run is at work.
    """
    dead = list(locks(stack, folder)) if folder else []
    for lock in dead:
        _check_over(lock, stack)
    if ended := dead_runs.end_processes(stack):
        _say(f"ended what still ran of it, {ended} processes")
    if folder and dead and dead_runs.mend_checkpoint(stack, folder):
        _say("it ended while the state was written; taken is the state before")
    for lock in dead:
        _say(f"removing the lock of {lock}, which is no more")
    with without(dead):
        yield


def _check_over(lock: Lock, stack: str) -> None:
    """Raises SetupError where it is not."""
    over = dead_runs.is_over(lock)
    if over is None:
        raise SetupError(
            f"{lock} holds the lock of {stack}, and this machine cannot see whether it still runs. If it does not: "
            f'`eval "$(make -s env STACK={stack})" && pulumi cancel {stack}`, then run the same command again'
        )
    if not over:
        raise SetupError(f"{lock} is at work on {stack}; run the same command again when it has ended")


def _bring_in(
    found: Iterable[Resource], stack: str, state: State, environ: Mapping[str, str], project: Path
) -> list[Resource]:
    """Bring in what was found and the state lacks; the pools that cannot be, because others have their place.

    Those are of a replacement that did not come to its end: no job was told of them, and their names are taken.
    """
    taken = set(state.urns)
    orphans, superfluous = list[Resource](), list[Resource]()
    for each in found:
        if each.id in state.ids:
            continue
        urn = each.urn(stack)
        if urn not in taken:
            taken.add(urn)
            orphans.append(each)
        elif each.kind == POOL:
            superfluous.append(each)
        else:
            _say(f"{each.kind.rpartition(':')[2]} {each.id} is {each.name} a second time; `make verify` tells more")
    if orphans:
        _say("made, and not in the state: " + ", ".join(f"{each.name} ({each.id})" for each in orphans))
        if run_import(orphans, stack, state.urns, environ, project):
            raise SetupError("what a run before has made could not be brought in, as shown above")
    return superfluous


def _say(text: str) -> None:
    print(f"recovery: {text}", flush=True)


def main(stack: str, project: Path) -> int:
    """Run from the command line; the exit code."""
    environ = dict(os.environ)
    try:
        recover(stack, environ, project)
    except (SetupError, PulumiError, DatabricksError, TimeoutError, ValueError, OSError) as error:
        print(f"recovery: nothing was deployed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
