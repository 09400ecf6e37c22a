"""A stack of a test's own: this repository's program, a project folder and a file backend beside it, a real engine."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from emulator.identity import ACCOUNT_ID, APPLICATION_ID
from tests.engine.workspace import REPO, Workspace
from toolchain.engine import engine_environment
from toolchain.environment import without_other_workspaces
from toolchain.interrupted import was_interrupted
from toolchain.paths import POLICY_PACK
from toolchain.stack import LEFT_OVERS, RUN_MARK

SECRETS = {
    "FIFTYONE_DATABASE_URI": "mongodb://example:hidden-database-password@db.invalid/",
    "FIFTYONE_ENCRYPTION_KEY": "hidden-encryption-key",
    "FIFTYONE_PYPI_URL": "https://hidden-index-token@pypi.invalid/simple/",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run of `pulumi` ended with and printed."""

    code: int
    output: str

    def operations(self, verb: str) -> list[str]:
        """The logical names of the resources that the run's output gives this verb, such as `created`."""
        lines = [
            line.split() for line in self.output.splitlines() if " databricks:index:" in line or "dynamic/" in line
        ]
        return [words[2] for words in lines if len(words) > 3 and verb in words[3:]]


@dataclass(kw_only=True)
class Stack:
    folder: Path
    workspace: Workspace
    name: str = "test"
    environ: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def create(cls, folder: Path, workspace: Workspace, **settings: Any) -> "Stack":
        stack = cls(folder=folder, workspace=workspace)
        (folder / "state").mkdir()
        definition = yaml.safe_load((REPO / "Pulumi.yaml").read_text())
        definition["main"] = str(REPO)
        definition["runtime"]["options"]["virtualenv"] = sys.prefix
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(definition))
        stack.environ = {
            **without_other_workspaces(),
            **engine_environment(),
            **SECRETS,
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "DATABRICKS_CONFIG_FILE": str(folder / "no-profiles"),
            "DATABRICKS_HOST": workspace.address,
            "DATABRICKS_TOKEN": workspace.token,
            "DATABRICKS_ACCOUNT_ID": ACCOUNT_ID,
            "FIFTYONE_API_URI": f"{workspace.address}/fiftyone",
            "FIFTYONE_API_KEY": workspace.credential("fiftyone-api-key"),
            "SERVICE_PRINCIPAL_CLIENT_SECRET": workspace.credential("service-principal-secret"),
        }
        assert stack.pulumi("stack", "init", stack.name).code == 0
        stack.settings = {**base(), **settings}
        return stack

    @property
    def settings(self) -> dict[str, Any]:
        """The stack file's settings, to read and, as a whole, to set."""
        return yaml.safe_load(self._file.read_text()).get("config") or {}

    @settings.setter
    def settings(self, config: dict[str, Any]) -> None:
        content = yaml.safe_load(self._file.read_text())
        self._file.write_text(yaml.safe_dump({**content, "config": config}))

    @property
    def _file(self) -> Path:
        return self.folder / f"Pulumi.{self.name}.yaml"

    def orchestrator(self, **entries: Any) -> None:
        """Change settings of the orchestrator `gpu`."""
        settings = self.settings
        settings["orchestrators"]["gpu"].update(entries)
        self.settings = settings

    def pulumi(self, *arguments: str, given: str | None = None) -> Run:
        """Run `pulumi` on the stack, without a terminal."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.folder,
            env=self.environ,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Run(code=done.returncode, output=done.stdout)

    def with_pack(self, verb: str, *flags: str, pack: Path = POLICY_PACK) -> Run:
        """A preview, or an `up`, that the policy pack looks at; its own tests alone do, for time."""
        return self.pulumi("--stack", self.name, verb, "--policy-pack", str(pack), *flags)

    def make_up(self, **rotation: str) -> Run:
        """Deploy as `make up` does, which first takes in what an interrupted run has left; a lock is not put back."""
        recovered = None
        if was_interrupted(self.name, self.environ, self.folder):
            recovered = self.recover()
            if recovered.code:
                return recovered
        before = self.environ
        left = LEFT_OVERS if recovered else {}
        self.environ = {**before, **left, **rotation}
        try:
            run = self.pulumi("--stack", self.name, "up", "--yes", "--skip-preview")
        finally:
            self.environ = before
        return Run(code=run.code, output=f"{recovered.output if recovered else ''}{run.output}")

    def recover(self) -> Run:
        """Take in what an interrupted run has left."""
        done = subprocess.run(
            [sys.executable, "-m", "recovery", self.name, str(self.folder)],
            cwd=REPO,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Run(code=done.returncode, output=done.stdout)

    def start(self, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
        """Begin what the test will interrupt, as make targets do: children carry the mark of the run."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", "--stack", self.name, *arguments],
            cwd=self.folder,
            env={**self.environ, **environ, RUN_MARK: f"{self.name}/{uuid4()}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, *flags: str) -> Run:
        """Deploy; the test fails where the engine does."""
        return self.succeeds("up", "--yes", "--skip-preview", *flags)

    def succeeds(self, verb: str, *flags: str) -> Run:
        run = self.pulumi("--stack", self.name, verb, *flags)
        assert run.code == 0, run.output
        return run

    def secret(self, key: str, value: str) -> None:
        """Set one key, encrypted, as the messages of refused settings say; the value goes by standard input."""
        assert self.pulumi("--stack", self.name, "config", "set", "--secret", key, given=value).code == 0

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.succeeds("stack", "output", "--json").output)

    def state(self) -> str:
        return self.succeeds("stack", "export").output


def base() -> dict[str, Any]:
    """Settings of one orchestrator with a pool of its own for registration."""
    return {
        "databricks:authType": "pat",
        "fiftyone:managementModule": "emulator.fiftyone_management",
        "fiftyone:version": "2.13.1",
        "servicePrincipal": {"clientId": APPLICATION_ID},
        "orchestrators": {"gpu": {"nodeType": "g2-standard-8", "registrationNodeType": "c3-standard-4-lssd"}},
    }
