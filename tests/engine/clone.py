"""A fresh clone of this repository, in a folder of the test's, and commands in it as a person types them."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.engine.workspace import REPO, Workspace
from toolchain.engine import OURS, engine_environment
from toolchain.environment import without_other_workspaces


class Clone:
    """A clone of what is in this working tree, committed or not, with the engine that runs these tests on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=REPO)
        for name in filter(None, listed.split("\0")):
            if (REPO / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPO / name, folder / name)
        self._git("init", "--quiet")
        self._git("add", "--all")
        self._git("-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "-m", "Start")
        home = {name: value for name, value in engine_environment().items() if name == "PULUMI_HOME"}
        path = os.pathsep.join([str(OURS), os.environ["PATH"]])
        # `make test` must not speak for the make that a person starts.
        own = without_other_workspaces()
        own = {name: value for name, value in own.items() if not name.startswith("MAKE") and name != "ARGS"}
        self.environ = {**own, **home, "PATH": path, "EMULATOR_PORT": "0"}

    def _git(self, *arguments: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder or self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout

    def run(self, command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a line of shell as a person would, with `environ` in their shell."""
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def succeeds(self, command: str, **environ: str) -> str:
        done = self.run(command, **environ)
        assert done.returncode == 0, done.stdout
        assert "hidden" not in done.stdout
        assert self._git("status", "--porcelain") == ""
        return done.stdout

    def writes(self) -> int:
        return len(Workspace(self.folder / ".local" / "emulator", "").writes())
