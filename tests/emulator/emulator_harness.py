"""What the tests drive the stand-in with, and the bodies that Pulumi's provider sends."""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from databricks.sdk import WorkspaceClient
from databricks.sdk.service import iam, workspace

# Published by the stand-in (identity.py), as an administrator would read it in a workspace's settings.
APPLICATION_ID = "5ad3c0de-41b7-4e0a-9c62-2f8e7d1b6a90"
ACCOUNT_ID = "0c7a1de5-7a9d-4c5e-8f2b-6b1d94e0a3f7"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    home: Path
    address: str
    token: str

    def http(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False)

    def credential(self, name: str) -> str:
        return (self.home / name).read_text()

    def principal(self, secret: str | None = None, application_id: str = APPLICATION_ID) -> WorkspaceClient:
        """A service principal's client, which gets its token at once; that of every workspace unless told."""
        secret = self.credential("service-principal-secret") if secret is None else secret
        return WorkspaceClient(host=self.address, client_id=application_id, client_secret=secret, auth_type="oauth-m2m")

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


@dataclass(frozen=True)
class Principal:
    """A service principal that was made by the API."""

    id: str
    application_id: str

    @property
    def rule_set(self) -> str:
        return f"accounts/{ACCOUNT_ID}/servicePrincipals/{self.application_id}/ruleSets/default"


def new_principal(w: WorkspaceClient, display_name: str) -> Principal:
    made = w.service_principals.create(display_name=display_name, active=True)
    return Principal(made.id or "", made.application_id or "")


def may_be_run_as(w: WorkspaceClient, principal: Principal) -> None:
    """Give the user what naming the service principal in a job needs, beside what its maker has."""
    rules = w.account_access_control_proxy.get_rule_set(principal.rule_set, "")
    role = iam.GrantRule("roles/servicePrincipal.user", [f"users/{w.current_user.me().user_name}"])
    update = iam.RuleSetUpdateRequest(principal.rule_set, rules.etag, [*(rules.grant_rules or []), role])
    w.account_access_control_proxy.update_rule_set(principal.rule_set, update)


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


ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
Run = dict[str, Any]


@dataclass(frozen=True)
class Runner:
    """Jobs of one task or more, each a small Python program, and what becomes of their runs."""

    w: WorkspaceClient
    http: httpx.Client
    name: str

    def upload(self, path: str, content: str) -> str:
        """A file in the test's own folder; its path."""
        target = f"/Workspace/Shared/{self.name}/{path}"
        self.w.workspace.mkdirs(target.rpartition("/")[0])
        self.w.workspace.upload(target, io.BytesIO(content.encode()), format=workspace.ImportFormat.RAW, overwrite=True)
        return target

    def task(self, key: str, code: str, *parameters: str, **more: Any) -> dict[str, Any]:
        python = {"python_file": self.upload(f"{key}.py", code), "parameters": list(parameters)}
        return {"task_key": key, "job_cluster_key": "main", "spark_python_task": python, **more}

    def settings(self, *tasks: dict[str, Any], env: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
        cluster = {**CLUSTER, "node_type_id": "m5.xlarge", "spark_env_vars": dict(env or {})}
        clusters = [{"job_cluster_key": "main", "new_cluster": cluster}]
        return {"name": self.name, "job_clusters": clusters, "tasks": list(tasks), **more}

    def job(self, *tasks: dict[str, Any], **more: Any) -> int:
        return self.call("create", self.settings(*tasks, **more))["job_id"]

    def reset(self, job_id: int, *tasks: dict[str, Any], **more: Any) -> None:
        self.call("reset", {"job_id": job_id, "new_settings": self.settings(*tasks, **more)})

    def cancel(self, *run_ids: int) -> None:
        for run_id in run_ids:
            self.call("runs/cancel", {"run_id": run_id})

    def call(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(f"/api/2.2/jobs/{verb}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def start(self, job_id: int, **more: Any) -> int:
        return self.call("run-now", {"job_id": job_id, **more})["run_id"]

    def get(self, run_id: int) -> Run:
        return self.http.get("/api/2.2/jobs/runs/get", params={"run_id": run_id}).json()

    def output(self, run_id: int, key: str = "main") -> dict[str, Any]:
        task_id = next(task["run_id"] for task in self.get(run_id)["tasks"] if task["task_key"] == key)
        return self.http.get("/api/2.2/jobs/runs/get-output", params={"run_id": task_id}).json()

    def until(self, run_id: int, condition: Callable[[Run], bool]) -> Run:
        deadline = time.monotonic() + 30
        while not condition(run := self.get(run_id)):
            assert time.monotonic() < deadline, run
            time.sleep(0.02)
        return run

    def ended(self, run_id: int) -> Run:
        return self.until(run_id, lambda run: run["state"]["life_cycle_state"] in ENDED)

    def printed(self, run_id: int, text: str, key: str = "main") -> None:
        """Wait until the log has a text."""
        self.until(run_id, lambda _: text in self.output(run_id, key)["logs"])


def result(run: Run) -> tuple[str, str, str]:
    """The three words by which a run or a task has ended, old form and new."""
    state, status = run["state"], run["status"]
    assert status["state"] == "TERMINATED"
    return state["life_cycle_state"], state["result_state"], status["termination_details"]["code"]


def living(pid: int) -> bool:
    """Whether a process runs, which one that only waits to be waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
