"""What a deployment leaves in a server of the test's own: a job, an orchestrator with one plugin, and secrets."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from tests.emulator.emulator_harness import APPLICATION_ID, Runner, Server

# Prints a secret, and the second line only once somebody has written into the pipe that the command names.
ENTRYPOINT = """import os, shlex, subprocess, sys
command = shlex.split(sys.argv[2])
print("the secret is", os.environ["DATABASE_URI"], flush=True)
if command[0] == "fiftyone":
    sys.exit(subprocess.run(command).returncode)
print("before", flush=True)
open(command[0]).read()
print("after", flush=True)
"""
COMMAND = ["--command", "{{job.parameters.command}}"]
SECRET = "mongodb://hidden-database-password@db.invalid/"
VARIABLE = "a-variable-of-the-cluster"
OPERATORS = ["@me/hello/one", "@me/hello/two"]


@dataclass(frozen=True)
class Deployment:
    server: Server
    http: httpx.Client
    name: str = "gpu"

    @cached_property
    def runner(self) -> Runner:
        return Runner(self.server.sdk(), self.http, self.name)

    @cached_property
    def job_id(self) -> int:
        w = self.runner.w
        w.secrets.create_scope("scope-of-gpu")
        w.secrets.put_secret("scope-of-gpu", "database-uri", string_value=SECRET)
        plugin = self.runner.upload("plugins/hello/fiftyone.yml", "name: '@me/hello'\noperators: [one, two]\n")
        env = {
            "API_URL": f"{self.server.address}/fiftyone",
            "DATABASE_URI": "{{secrets/scope-of-gpu/database-uri}}",
            "FIFTYONE_INTERNAL_SERVICE": "1",
            "FIFTYONE_PLUGINS_DIR": str(Path(plugin).parents[1]),
            "VARIABLE": VARIABLE,
        }
        tasks = [self.runner.task(key, ENTRYPOINT, *COMMAND) for key in ("execute", "register")]
        job_id = self.runner.job(*tasks, env=env, parameters=[{"name": "command", "default": "none"}])
        entry = {"service_principal_name": APPLICATION_ID, "permission_level": "CAN_MANAGE_RUN"}
        body = {"access_control_list": [entry]}
        self.http.patch(f"/api/2.0/permissions/jobs/{job_id}", json=body).raise_for_status()
        w.instance_pools.create("pool-of-gpu", "g2-standard-8", max_capacity=4)
        return job_id

    @property
    def client_secret(self) -> str:
        return self.server.credential("service-principal-secret")

    def register(self) -> None:
        config = {"jobId": str(self.job_id), "executionTaskId": "execute", "registrationTaskId": "register"}
        secrets = {"host": self.server.address, "accountId": "an-account", "clientId": APPLICATION_ID}
        body: dict[str, Any] = {
            "instance_id": self.name,
            "description": "An orchestrator of the test's own",
            "environment": "databricks",
            "config": {"databricks": config},
            "secrets": {"databricks": {**secrets, "clientSecret": self.client_secret}},
        }
        headers = {"X-API-Key": self.server.credential("fiftyone-api-key")}
        self.http.post("/fiftyone/management/register_orchestrator", json=body, headers=headers).raise_for_status()

    def waiting_run(self, pipe: Path) -> str:
        """A run that goes on once somebody writes into a pipe, made here; the address of its page."""
        os.mkfifo(pipe)
        run_id = self.runner.start(self.job_id, only=["execute"], job_parameters={"command": str(pipe)})
        return self.runner.get(run_id)["run_page_url"]
