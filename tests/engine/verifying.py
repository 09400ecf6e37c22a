"""`make verify` on a test's own stack, and the commands that it names, run as they stand there."""

import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from tests.engine.stack import Stack
from tests.engine.workspace import REPO
from toolchain.stack import FLAGS, PACK, ROTATE_CREDENTIAL


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What it ended with and printed."""

    code: int
    output: str

    @property
    def broken(self) -> list[str]:
        """What is wrong, without its mend."""
        return [line.removeprefix("✗ ") for line in self.output.splitlines() if line.startswith("✗ ")]

    @property
    def mend(self) -> str:
        return "\n".join(re.findall(r"^    mend: (.*)$", self.output, re.MULTILINE))

    @property
    def unchecked(self) -> list[str]:
        return [line for line in self.output.splitlines() if "not checked because" in line]


def verify(stack: Stack, *, run: bool = False, **environ: str) -> Verified:
    """Follow the chain, as `make verify` does; the test fails where that shows a secret or ends in a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "preflight.verify", stack.name, str(stack.folder)],
        cwd=REPO,
        env={**stack.environ, **({} if run else {"RUN": "no"}), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout, done.stdout
    for key, (value, _) in stack.workspace.fiftyone.secrets().items():
        assert not key.startswith("CLIENT_SECRET") or value not in done.stdout
    assert "hidden" not in done.stdout
    return Verified(code=done.returncode, output=done.stdout)


def passes(stack: Stack, *, run: bool = False) -> Verified:
    """The chain holds; the test fails where it does not."""
    verified = verify(stack, run=run)
    assert (verified.code, verified.broken) == (0, []), verified.output
    return verified


@contextmanager
def undone(stack: Stack) -> Generator[None]:
    """What is done to workspace, FiftyOne and state meanwhile is as if it had not been, for cases that need no mend."""
    database, state = stack.workspace.home / "workspace.db", stack.folder / "state"
    with (
        closing(sqlite3.connect(":memory:")) as before,
        closing(sqlite3.connect(database)) as db,
        tempfile.TemporaryDirectory() as scratch,
    ):
        db.backup(before)
        shutil.copytree(state, scratch, dirs_exist_ok=True)
        yield
        before.backup(db)
        shutil.rmtree(state)
        shutil.copytree(scratch, state)


def mend(stack: Stack, text: str) -> None:
    """Run the commands that mends name, each once, those by hand first; for `databricks` its SDK stands in."""
    commands = [part for named in re.findall(r"`([^`]+)`", text) for part in named.split(" && ")]
    assert commands, text
    for command in sorted(dict.fromkeys(commands), key=lambda command: command.startswith("make ")):
        _run(stack, command)


def _run(stack: Stack, command: str) -> None:
    client = stack.workspace.client
    by_hand: dict[str, Callable[..., object]] = {
        r"databricks jobs delete (\d+)": lambda job: client.jobs.delete(int(job)),
        r"databricks service-principals delete (\d+)": client.service_principals.delete,
        r"databricks workspace delete (\S+)": client.workspace.delete,
        r"databricks secrets put-secret (\S+) (\S+)": lambda scope, key: client.secrets.put_secret(
            scope, key, string_value="hidden-by-hand"
        ),
    }
    for pattern, act in by_hand.items():
        if found := re.fullmatch(pattern, command):
            act(*found.groups())
            return
    found = re.fullmatch(r'(?:(\w+=\w+) )?make (\w+) STACK=test(?: ARGS="?([^"]+)"?)?', command)
    if found is None:
        # A word in the text that is no command: a setting, or `make verify` for later.
        assert not command.startswith(("make", "pulumi", "databricks")), command
        return
    setting, verb, flags = found.groups()
    if verb == "verify":
        return
    environ = dict([setting.split("=")]) if setting else {}
    if verb in ROTATE_CREDENTIAL:
        environ["ROTATE_CREDENTIAL"] = ROTATE_CREDENTIAL[verb]
    if verb in ("up", "rotate") and not flags:
        run = stack.make_up(**environ)
        assert run.code == 0, run.output
        return
    given = [flag for flag in FLAGS[verb] if flag not in PACK]
    before = dict(stack.environ)
    stack.environ.update(environ)
    try:
        stack.succeeds(verb, "--yes", "--skip-preview", *given, *(flags or "").split())
    finally:
        stack.environ = before
