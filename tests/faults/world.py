"""One stack with everything in it, whose requests to both APIs pass a proxy, and which can go back to where it was.

Owns the processes and the folders. Going back copies the emulator's database and the stack's folder; it takes a moment,
where a deployment takes several seconds, and every case begins in the same place, with the same ids.
"""

import json
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.identity import APPLICATION_ID
from tests.engine.fault_proxy import FaultProxy
from tests.engine.fiftyone import write_operators
from tests.engine.stack import Run, Stack, base
from tests.engine.workspace import Workspace
from tests.faults.picture import Picture, picture

# How long clients go on trying, and wait for an answer; five minutes, a minute and half a minute otherwise.
IMPATIENT = {
    "databricks:retryTimeoutSeconds": 3,
    "databricks:httpTimeoutSeconds": 5,
    "fiftyone:timeoutSeconds": 5,
}


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What is to be deployed: an orchestrator's settings, what the environment says, the operators that plugins bring.

    Jobs run as the workspace's own service principal, as an `other`, or as the `deployer`. `second` is a second
    orchestrator, on the pool that is there.
    """

    run_as: str = "own"
    second: bool = False
    orchestrator: Mapping[str, Any] = field(default_factory=dict[str, Any])
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    operators: tuple[str, ...] = ("first",)


@dataclass
class World:
    folder: Path
    workspace: Workspace
    # Another emulator, which stands as the first one did when a case began.
    before: Workspace
    proxy: FaultProxy
    stack: Stack
    pool: str
    other_run_as: str
    _restarting: threading.Lock = field(default_factory=threading.Lock)

    def aim(self, aim: Aim) -> None:
        orchestrator = {"nodeType": "g2-standard-8", "registrationPool": self.pool, **aim.orchestrator}
        settings = {
            **base(),
            **IMPATIENT,
            "servicePrincipal": {"create": True},
            "plugins": {"source": str(self.folder / "plugins")},
            "orchestrators": {"gpu": orchestrator, **({"second": {"pool": self.pool}} if aim.second else {})},
        }
        if aim.run_as != "deployer":
            principal = APPLICATION_ID if aim.run_as == "own" else self.other_run_as
            settings["runAs"] = {"servicePrincipal": principal}
        self.stack.settings = settings
        self.stack.environ.update(aim.environ)
        shutil.rmtree(self.folder / "plugins", ignore_errors=True)
        write_operators(self.folder / "plugins", *aim.operators)

    def picture(self) -> Picture:
        exported = self.run("stack", "export", "--show-secrets")
        assert exported.code == 0, exported.output
        return picture(self.workspace.home, json.loads(exported.output)["deployment"])

    def second_up(self) -> Run:
        """What another `up` would do; it is green where it would do nothing."""
        return self.run("preview", "--expect-no-changes")

    def keep(self, name: str) -> None:
        """Remember how everything stands."""
        kept = self.folder / "kept" / name
        shutil.copytree(self.stack.folder, kept / "project")
        _copy(self.workspace.home / "workspace.db", kept / "workspace.db")

    def go_back(self, name: str) -> None:
        kept = self.folder / "kept" / name
        shutil.rmtree(self.stack.folder)
        shutil.copytree(kept / "project", self.stack.folder)
        for workspace in (self.workspace, self.before):
            # Ids of runs are given out again.
            shutil.rmtree(workspace.home / "runs", ignore_errors=True)
            _copy(kept / "workspace.db", workspace.home / "workspace.db")

    def restart(self) -> None:
        """Kill the emulator and start it again, at the same address."""
        with self._restarting:
            os.kill(int((self.workspace.home / "server.lock").read_text()), signal.SIGKILL)
            Workspace.start(self.workspace.home)

    def run(self, *arguments: str) -> Run:
        return self.stack.pulumi("--stack", self.stack.name, *arguments)


@contextmanager
def new_world(folder: Path) -> Iterator[World]:
    (folder / "project").mkdir(parents=True)
    (folder / "before").mkdir()
    workspace = Workspace.start(folder / "workspace")
    # The other one takes the same credentials.
    for file in ("token", "service-principal-secret", "fiftyone-api-key"):
        shutil.copy(workspace.home / file, folder / "before" / file)
    before = Workspace.start(folder / "before")
    proxy = FaultProxy(workspace.address, before.address)
    client = workspace.client
    pool = client.instance_pools.create("shared", "c3-standard-4-lssd").instance_pool_id or ""
    other = client.service_principals.create(display_name="other").application_id or ""
    stack = Stack.create(folder / "project", workspace)
    try:
        with proxy.running():
            stack.environ["DATABRICKS_HOST"] = proxy.address
            stack.environ["FIFTYONE_API_URI"] = f"{proxy.address}/fiftyone"
            del stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"]
            yield World(folder, workspace, before, proxy, stack, pool, other)
    finally:
        for each in (workspace, before):
            with suppress(OSError):
                each.stop()


def _copy(source: Path, target: Path) -> None:
    """Of a database that somebody has open."""
    with sqlite3.connect(source) as read, sqlite3.connect(target, timeout=30) as written:
        read.backup(written)
    read.close()
    written.close()
