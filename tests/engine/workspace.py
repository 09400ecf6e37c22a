"""An embedded workspace of a test's own, and what it was asked: the server runs as a process, as it does for users."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from databricks.sdk import WorkspaceClient

REPO = Path(__file__).parents[2]
READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Workspace:
    home: Path
    address: str

    @classmethod
    def start(cls, home: Path) -> "Workspace":
        return cls(home, _emulator("start", home, "--port", "0"))

    def stop(self) -> str:
        """End the server; what it says the workspace still holds."""
        return _emulator("stop", self.home)

    @property
    def token(self) -> str:
        return self.credential("token")

    def credential(self, file: str) -> str:
        """A credential that the server made, by its file in the home folder."""
        return (self.home / file).read_text().strip()

    @property
    def client(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.address, token=self.token, auth_type="pat")

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far, in order: method, path, status."""
        log = self.home / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def writes(self, *, since: int = 0) -> list[str]:
        """What was asked to change something, after the first `since` requests."""
        return [request["path"] for request in self.requests()[since:] if request["method"] not in READS]

    def secret(self, scope: str, key: str) -> str:
        import base64

        return base64.b64decode(self.client.secrets.get_secret(scope, key).value or "").decode()

    def is_empty(self) -> bool:
        w = self.client
        shared = [entry.path for entry in w.workspace.list("/Shared")]
        return not (list(w.instance_pools.list()) or list(w.jobs.list()) or list(w.secrets.list_scopes()) or shared)


def _emulator(verb: str, home: Path, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "emulator", verb, "--home", home, *flags],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
