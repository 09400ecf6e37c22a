"""FiftyOne as somebody beside the stack meets it: its API as it stands in the emulator, and what its database holds."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

INSTANCE = "gpu"
# The embedded FiftyOne's registration command.
REPORT = f"fiftyone stand-in report-operators {INSTANCE}"


@dataclass(frozen=True)
class FiftyOne:
    home: Path
    address: str

    def ask(self, function: str, **arguments: Any) -> Any:
        """Call a function of the management SDK's as an admin; the test fails where it refuses."""
        return self._post(f"management/{function}", arguments)["result"]

    def refresh(self, instance_id: str = INSTANCE) -> int:
        """Click "refresh"; the run's id."""
        return int(self._post(f"orchestrators/{instance_id}/refresh", {})["run_id"])

    def delegate(self, operator: str, instance_id: str = INSTANCE) -> int:
        """Run an operator as a delegated operation; the run's id."""
        return int(self._post(f"orchestrators/{instance_id}/delegate", {"operator": operator})["run_id"])

    def refused(self, operator: str, instance_id: str = INSTANCE) -> str:
        """Why a delegated operation is not started; the test fails where it is."""
        answer = self._answer(f"orchestrators/{instance_id}/delegate", {"operator": operator})
        assert not answer.is_success
        return answer.text

    def orchestrator(self, instance_id: str = INSTANCE) -> dict[str, Any]:
        return self.ask("get_orchestrator", instance_id=instance_id)

    def orchestrators(self) -> list[str]:
        return self.ask("list_orchestrators", include_deactivated=True)

    def secrets(self) -> dict[str, tuple[str, str]]:
        """Values and descriptions by key, out of the database: the API gives no value back."""
        with sqlite3.connect(self.home / "workspace.db") as db:
            rows = db.execute("SELECT key, value, description FROM fiftyone_secrets").fetchall()
        return {key: (value, description) for key, value, description in rows}

    def choose(self, **undocumented: str) -> None:
        """Decide what the documentation leaves open (emulator/fiftyone_settings.py)."""
        (self.home / "fiftyone.json").write_text(json.dumps(undocumented))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._answer(path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def _answer(self, path: str, body: dict[str, Any]) -> httpx.Response:
        key = (self.home / "fiftyone-api-key").read_text().strip()
        return httpx.post(
            f"{self.address}/fiftyone/{path}", json=body, headers={"X-API-Key": key}, timeout=60, trust_env=False
        )


def write_operators(source: Path, *names: str) -> None:
    """Have a folder of plugins hold one plugin with these operators."""
    (source / "hello").mkdir(parents=True, exist_ok=True)
    (source / "hello" / "fiftyone.yml").write_text(f"name: '@example/hello'\noperators: [{', '.join(names)}]\n")
