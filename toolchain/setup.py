"""Set-up: the virtual environment and the engine, so that one command is enough on a fresh machine.

Idempotent, and quick when there is nothing to do. Needs Python's standard library alone. Progress goes to standard
error, so that `eval "$(make -s env)"` sees none of it.
"""

import sys

PYTHON = (3, 11)
if sys.version_info < PYTHON:  # before anything is imported that an older Python cannot read
    sys.exit(
        f"set-up failed: this Python is {sys.version.split()[0]}, and {PYTHON[0]}.{PYTHON[1]} or later is needed. "
        "Name another one, for example: make up PYTHON=python3.12"
    )

# ruff: noqa: E402
import fcntl
import subprocess
import venv

from toolchain.engine import ensure_engine
from toolchain.paths import LOCAL, REPO, VENV, SetupError, fingerprint, is_current
from toolchain.progress import counting

REQUIREMENTS = [
    REPO / name for name in ("requirements-dev.txt", "requirements.txt", "policies/requirements.txt", "constraints.txt")
]


def set_up() -> None:
    """Bring the checkout to where every command works.

    Raises:
        SetupError: the step that failed, and what to do.
    """
    LOCAL.mkdir(mode=0o700, exist_ok=True)
    with (LOCAL / "set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _ensure_venv()
        ensure_engine(report)


def report(line: str) -> None:
    """Print one line of progress."""
    print(f"set-up: {line}", file=sys.stderr, flush=True)


def _ensure_venv() -> None:
    stamp, expected = VENV / ".installed-from", f"{sys.version}\n{fingerprint(REQUIREMENTS)}"
    if is_current(stamp, expected):
        return
    report("installing Python packages into .venv (about a minute) …")
    try:
        same_python = stamp.is_file() and stamp.read_text().startswith(f"{sys.version}\n")
        venv.create(VENV, with_pip=True, symlinks=True, clear=not same_python)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            f"A virtual environment could not be made: {error}. On Debian and Ubuntu: apt install python3-venv"
        ) from None
    stamp.unlink(missing_ok=True)
    pip = [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    with counting("  …"):
        done = subprocess.run(
            [*pip, "-r", REQUIREMENTS[0], "-c", REPO / "constraints.txt"], stdout=sys.stderr, check=False
        )
    if done.returncode:
        raise SetupError(
            "Installing the Python packages failed, as shown above. Check that pip reaches its index (`pip config "
            "list`), then run the same command again."
        )
    stamp.write_text(expected)


if __name__ == "__main__":
    try:
        set_up()
    except SetupError as error:
        sys.exit(f"set-up failed: {error}")
