"""Runs one Pulumi verb on one stack, as the make targets do: `python3 -m toolchain.stack VERB STACK [FLAGS]`.

Owns what a verb needs around it: the stack's environment, a stack to work on, a backend to preview on where there is
none, recovery before it and the signs of what that is for, and what `destroy` of `local` leaves. The plan and the work
are Pulumi's own.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from toolchain.engine import pulumi_homes
from toolchain.environment import LOCAL_STACK, make_stack, stack_environment
from toolchain.interrupted import was_interrupted
from toolchain.locks import backend_folder, of_dead_runs, put_back, saved
from toolchain.next_steps import say_next
from toolchain.paths import EMULATOR, LOCAL, POLICY_PACK, REPO, VENV, SetupError
from toolchain.patience import run_to_its_end
from toolchain.pulumi_json import PulumiError

# A pack on this machine must be named on each command (pulumi #5541), and as a whole path for a project elsewhere.
PACK = ["--policy-pack", str(POLICY_PACK)]
FLAGS = {
    # So that the plan shows that a replacement stands before what it replaces goes.
    "up": ["--show-replacement-steps", *PACK],
    "preview": ["--show-replacement-steps", *PACK],
    # Without it, both use the settings and credentials that the state remembers from the last `up`.
    "refresh": ["--run-program"],
    "destroy": ["--run-program"],
}
# With the program, it breaks a state that lacks what the program asks for (pulumi #21645).
AFTER_INTERRUPTION: dict[str, list[str]] = {"refresh": []}
# How the credential that FiftyOne starts jobs with is treated (databricks_provider/rotation.py): a rotation that is
# due is no drift, which `refresh` looks for.
ROTATE_CREDENTIAL = {"rotate": "now", "refresh": "never"}
# Has the dynamic resources look for what a run that went wrong has left (docs/recovery.md).
LEFT_OVERS = {"LOOK_FOR_LEFT_OVERS": "yes"}
# Tells the processes of a run, which inherit it, from those of another: the stack's name and a number drawn anew.
RUN_MARK = "FIFTYONE_DATABRICKS_RUN"
# What a copied stack file leaves out, because only the passphrase or key of the real backend could read it.
ENCRYPTED = ("encryptionsalt:", "encryptedkey:", "secretsprovider:")


def run(verb: str, stack: str, flags: list[str], further: Mapping[str, str] = MappingProxyType({})) -> int:
    """Run the verb, with `further` in its environment; returns Pulumi's exit code.

    Raises:
        SetupError: something that the verb needs is missing.
        PulumiError: the backend cannot be asked for what a run before has left.
    """
    environ = stack_environment(stack) | dict(further)
    if verb == "preview" and stack != LOCAL_STACK and not has_backend(environ):
        return _preview_without_backend(stack, flags, environ)
    if stack == LOCAL_STACK:
        flags = [*flags, "--yes"] if verb != "preview" else flags
    if verb in ROTATE_CREDENTIAL:
        environ["ROTATE_CREDENTIAL"] = ROTATE_CREDENTIAL[verb]
    pulumi_verb = "up" if verb == "rotate" else verb

    def work(own_flags: list[str], environ: dict[str, str]) -> int:
        marked = environ | {RUN_MARK: f"{stack}/{uuid4()}"}
        return _pulumi([pulumi_verb, "--stack", stack, *own_flags, *flags], marked)

    if pulumi_verb != "preview" and was_interrupted(stack, environ):
        own_flags = AFTER_INTERRUPTION.get(pulumi_verb, FLAGS[pulumi_verb])
        code = after_recovery(stack, environ, lambda: work(own_flags, environ | LEFT_OVERS))
    else:
        code = work(FLAGS[pulumi_verb], environ)
    if code:
        return code
    if verb == "destroy" and stack == LOCAL_STACK:
        _stop_emulator()
    say_next(verb, stack, environ.get("DATABRICKS_HOST", ""))
    return 0


def after_recovery(stack: str, environ: dict[str, str], work: Callable[[], int]) -> int:
    """Take in what an interrupted or failed run has left (recovery/), then do the work; the exit code of either.

    What fails puts back the lock of a killed run: a plan that was refused or declined leaves no other sign that there
    is still something to look for. Raises PulumiError.
    """
    folder = backend_folder(environ)
    signs = saved(of_dead_runs(stack, folder)) if folder else {}
    code = 1
    try:
        code = _recover(stack, environ) or work()
    finally:
        if code:
            put_back(signs)
    return code


def _recover(stack: str, environ: dict[str, str]) -> int:
    return run_to_its_end([str(VENV / "bin" / "python"), "-m", "recovery", stack, str(REPO)], environ, REPO)


def _pulumi(arguments: list[str], environ: dict[str, str], folder: Path = REPO) -> int:
    return run_to_its_end(["pulumi", *arguments], environ, folder)


def _stop_emulator() -> None:
    print("The embedded workspace: ", end="", flush=True)
    subprocess.run([VENV / "bin" / "python", "-m", "emulator", "stop", "--home", EMULATOR], cwd=REPO, check=True)


def has_backend(environ: dict[str, str]) -> bool:
    """Whether the user has said where stacks are kept: in the environment, or by logging in."""
    if environ.get("PULUMI_BACKEND_URL") or environ.get("PULUMI_ACCESS_TOKEN"):
        return True
    logins = [home / "credentials.json" for home in pulumi_homes(environ)]
    return any(login.is_file() and json.loads(login.read_text()).get("current") for login in logins)


def _preview_without_backend(stack: str, flags: list[str], environ: dict[str, str]) -> int:
    """Preview on a throw-away backend, with a copy of the stack file that holds nothing encrypted."""
    file = REPO / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        raise SetupError(f"there is no {file.name}; copy Pulumi.dev.yaml and fill it in")
    print(
        f"No Pulumi backend is configured (PULUMI_BACKEND_URL) and nobody is logged in, so `{stack}` is previewed on\n"
        "a throw-away one: everything shows as create, and secrets are read from the environment alone.\n",
        flush=True,
    )
    with tempfile.TemporaryDirectory(dir=LOCAL) as scratch:
        project = Path(scratch)
        (project / "state").mkdir()
        definition = (REPO / "Pulumi.yaml").read_text()
        definition = definition.replace("virtualenv: .venv", f"virtualenv: {json.dumps(str(VENV))}")
        (project / "Pulumi.yaml").write_text(f"{definition}main: {json.dumps(str(REPO))}\n")
        (project / file.name).write_text(without_encrypted(file.read_text()))
        environ = {
            **environ,
            "PULUMI_BACKEND_URL": (project / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "throw-away",
        }
        environ.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        make_stack(stack, project, environ)
        return _pulumi(["preview", "--stack", stack, *FLAGS["preview"], *flags], environ, project)


def without_encrypted(text: str) -> str:
    """A stack file's text without salt, secrets provider and `secure:` values, line by line: comments stay.

    Set-up has Python's standard library alone, so the lines are read as `pulumi config set` writes them, or with the
    value on one line.
    """
    kept: list[str] = []
    for line in text.splitlines():
        if line.strip().startswith("secure:"):
            kept.pop()
        elif not line.startswith(ENCRYPTED) and not re.search(r":\s*\{\s*secure:", line):
            kept.append(line)
    return "\n".join(kept) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except (SetupError, PulumiError) as error:
        sys.exit(f"make {sys.argv[1]} STACK={sys.argv[2]}: {error}")
    except KeyboardInterrupt:
        os._exit(130)
