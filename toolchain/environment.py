"""The environment in which `pulumi` works on a stack; `python3 -m toolchain.environment STACK` prints it for a shell.

For `local` it is complete and shuts out what the shell says of other workspaces. For every other stack it only adds
the engine and the virtual environment, and keeps proxies off loopback: backend, passphrase and credentials are the
user's own.
"""

import json
import os
import secrets
import shlex
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from toolchain.engine import engine_environment
from toolchain.paths import EMULATOR, REPO, SECRETS, STATE, VENV, SetupError

PROJECT = "fiftyone-databricks"
LOCAL_STACK = "local"
# Published on purpose: it guards throw-away secrets alone, and the salt of Pulumi.local.yaml belongs to it.
LOCAL_PASSPHRASE = "throw-away"
# What a shell may say of other workspaces, clouds and backends. PULUMI_HOME is where an engine on PATH has its plugins.
SHUT_OUT = (
    *("ARM_", "AWS_", "AZURE_", "CLOUDSDK_", "DATABRICKS_", "FIFTYONE_", "GOOGLE_", "PULUMI_"),
    "SERVICE_PRINCIPAL_",
)


def stack_environment(stack: str) -> dict[str, str]:
    """The whole environment for a stack; for `local`, its emulator is running and the stack exists afterwards.

    Raises:
        SetupError: the emulator could not be started, or the stack not be made.
    """
    if stack != LOCAL_STACK:
        # A shell that `make env` prepared for `local` must not lend its workspace and passphrase to another stack.
        is_local = os.environ.get("PULUMI_BACKEND_URL") == STATE.as_uri()
        kept = without_other_workspaces() if is_local else dict(os.environ)
        return {**kept, **engine_environment(), **_loopback_without_proxy()}
    environ = {
        **without_other_workspaces(),
        **engine_environment(),
        **_loopback_without_proxy(),
        **_local_variables(),
    }
    if not (STATE / ".pulumi" / "stacks" / PROJECT / f"{LOCAL_STACK}.json").is_file():
        make_stack(LOCAL_STACK, REPO, environ)
    return environ


def make_stack(stack: str, project: Path, environ: dict[str, str]) -> None:
    """Make a stack of the project in a folder, on the backend that the environment names. Raises SetupError."""
    done = subprocess.run(
        ["pulumi", "stack", "init", stack, "--non-interactive"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(f"the stack could not be made in {environ['PULUMI_BACKEND_URL']}: {done.stderr.strip()}")


def take_on(environ: Mapping[str, str]) -> None:
    """Make this process's environment that of a stack; the clients of both APIs read it."""
    os.environ.clear()
    os.environ.update(environ)


def without_other_workspaces() -> dict[str, str]:
    """This process's environment without what it says of workspaces, clouds, backends and deployments."""
    return {name: value for name, value in os.environ.items() if name == "PULUMI_HOME" or not name.startswith(SHUT_OUT)}


def _local_variables() -> dict[str, str]:
    address = start_emulator()
    STATE.mkdir(parents=True, exist_ok=True)
    return {
        "PULUMI_BACKEND_URL": STATE.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": LOCAL_PASSPHRASE,
        # A profile of the user's must not be found; the file is never made.
        "DATABRICKS_CONFIG_FILE": str(EMULATOR / "no-profiles"),
        "DATABRICKS_HOST": address,
        "DATABRICKS_TOKEN": (EMULATOR / "token").read_text().strip(),
        "FIFTYONE_API_URI": f"{address}/fiftyone",
        "FIFTYONE_API_KEY": (EMULATOR / "fiftyone-api-key").read_text().strip(),
        **_throw_away_secrets(),
    }


def _loopback_without_proxy() -> dict[str, str]:
    """Keeps a proxy out of the way between engine, program and emulator, in both spellings: each has its readers."""
    variables: dict[str, str] = {}
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        variables[name] = ",".join([*hosts, *(host for host in ("127.0.0.1", "localhost") if host not in hosts)])
    return variables


def start_emulator() -> str:
    """The address of the running emulator, which was started if need be; the port is kept from the first start on.

    Raises:
        SetupError: with the emulator's own message, such as a port that is taken.
    """
    port = os.environ.get("EMULATOR_PORT")
    done = subprocess.run(
        [VENV / "bin" / "python", "-m", "emulator", "start", "--home", EMULATOR, *(["--port", port] if port else [])],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupError(done.stderr.strip())
    return done.stdout.strip()


def _throw_away_secrets() -> dict[str, str]:
    """The secrets of `local`: made once, at random, and worth nothing outside the emulator."""
    if not SECRETS.is_file():
        made = {
            "FIFTYONE_DATABASE_URI": f"mongodb://throw-away:{secrets.token_hex(8)}@127.0.0.1/",
            "FIFTYONE_ENCRYPTION_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "FIFTYONE_PYPI_URL": f"https://throw-away:{secrets.token_hex(8)}@pypi.invalid/simple/",
        }
        with os.fdopen(os.open(SECRETS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
    return json.loads(SECRETS.read_text())


def shell_lines(stack: str) -> list[str]:
    """What a POSIX shell evaluates to get the environment of a stack, and nothing else of this process's own."""
    wanted = stack_environment(stack)
    removed = sorted(os.environ.keys() - wanted.keys())
    changed = sorted(name for name, value in wanted.items() if os.environ.get(name) != value)
    return [f"unset {name}" for name in removed] + [f"export {name}={shlex.quote(wanted[name])}" for name in changed]


if __name__ == "__main__":
    try:
        print("\n".join(shell_lines(sys.argv[1])))
    except SetupError as error:
        sys.exit(f"the environment of stack `{sys.argv[1]}` could not be made: {error}")
