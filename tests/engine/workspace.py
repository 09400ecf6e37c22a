"""An embedded workspace of a test's own, and what it was asked: the server runs as a process, as it does for users."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from databricks.sdk import WorkspaceClient

from emulator.identity import APPLICATION_ID
from tests.engine.fiftyone import FiftyOne

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

    @property
    def fiftyone(self) -> FiftyOne:
        return FiftyOne(self.home, self.address)

    def pass_days(self, days: float) -> dict[str, str]:
        """Set the clock of credentials that many days ahead; what the program needs to know of it."""
        (self.home / "clock-offset-seconds").write_text(str(days * 86400))
        return {"ROTATION_CLOCK": (datetime.now(UTC) + timedelta(days=days)).isoformat()}

    def token_for(self, client_id: str, secret: str) -> str:
        """An access token from client credentials, or nothing where they are refused."""
        form = {"grant_type": "client_credentials", "scope": "all-apis"}
        answer = httpx.post(
            f"{self.address}/oidc/v1/token", data=form, auth=(client_id, secret), timeout=60, trust_env=False
        )
        assert answer.status_code in (200, 401), answer.text
        return answer.json().get("access_token", "")

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far, in order: method, path, status."""
        log = self.home / "requests.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def writes(self, *, since: int = 0) -> list[str]:
        """What was asked to change something, after the first `since` requests."""
        return [request["path"] for request in self.requests()[since:] if not _reads(request)]

    def secret(self, scope: str, key: str) -> str:
        import base64

        return base64.b64decode(self.client.secrets.get_secret(scope, key).value or "").decode()

    def ended(self, run_id: int) -> str:
        """How a run ended, in the platform's word, once it has."""
        run = self.client.jobs.wait_get_run_job_terminated_or_skipped(run_id)
        return run.state.result_state.value if run.state and run.state.result_state else ""

    def is_empty(self) -> bool:
        w = self.client
        shared = [entry.path for entry in w.workspace.list("/Shared")]
        principals = [found for found in w.service_principals.list() if found.application_id != APPLICATION_ID]
        platform = [*w.instance_pools.list(), *w.jobs.list(), *w.secrets.list_scopes(), *shared, *principals]
        return not (platform or self.fiftyone.secrets() or self.fiftyone.orchestrators())


def _reads(request: dict[str, Any]) -> bool:
    """FiftyOne's management API here is POST throughout; what it is asked for is the name."""
    return request["method"] in READS or "/management/get_" in request["path"] or "/management/list_" in request["path"]


def _emulator(verb: str, home: Path, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "emulator", verb, "--home", home, *flags],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
