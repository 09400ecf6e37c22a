"""What the tests drive the stand-in with, and the bodies that Pulumi's provider sends."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from databricks.sdk import WorkspaceClient

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    home: Path
    address: str
    token: str

    def http(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False)

    def sdk(self) -> WorkspaceClient:
        return WorkspaceClient(host=self.address, token=self.token, auth_type="pat")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`python -m emulator …`, to its end. Its pipes are read to their end, which a server that held them would stop."""
    command = [sys.executable, "-m", "emulator", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def started(home: Path, *arguments: str) -> Server:
    result = run("start", "--home", home, *arguments)
    assert result.returncode == 0, result.stderr
    return Server(home, result.stdout.strip(), (home / "token").read_text())


CLUSTER: dict[str, Any] = {
    "spark_version": "16.4.x-scala2.13",
    "kind": "CLASSIC_PREVIEW",
    "data_security_mode": "DATA_SECURITY_MODE_DEDICATED",
    "runtime_engine": "STANDARD",
    "num_workers": 1,
    "spark_env_vars": {"WHERE": "{{secrets/absent-scope/absent-key}}"},
}


def task(key: str, **more: Any) -> dict[str, Any]:
    """A task as the provider sends it."""
    python = {"python_file": "/Shared/a/main.py", "parameters": ["--command", "{{job.parameters.command}}"]}
    return {"task_key": key, "job_cluster_key": "main", "spark_python_task": python, **more}


def job(name: str, pool_id: str, **more: Any) -> dict[str, Any]:
    """A job as the provider sends it."""
    return {
        "name": name,
        "max_concurrent_runs": 5,
        "queue": {"enabled": True},
        "parameters": [{"name": "command", "default": "run"}],
        "job_clusters": [{"job_cluster_key": "main", "new_cluster": {**CLUSTER, "instance_pool_id": pool_id}}],
        "tasks": [task("b", libraries=[{"requirements": "/Shared/a/requirements.txt"}]), task("a")],
        **more,
    }
