"""Set-up: the virtual environment and the engine, so that one command is enough on a fresh machine.

Idempotent, and quick when there is nothing to do. Needs Python's standard library alone. Progress goes to standard
error, so that `eval "$(make -s env)"` sees none of it.
"""

import fcntl
import subprocess
import sys
import venv

from toolchain.engine import ensure_engine
from toolchain.paths import LOCAL, REPO, VENV, SetupError, fingerprint, is_current

PYTHON = (3, 11)
REQUIREMENTS = [
    REPO / name for name in ("requirements-dev.txt", "requirements.txt", "policies/requirements.txt", "constraints.txt")
]


def set_up() -> None:
    """Bring the checkout to where every command works.

    Raises:
        SetupError: the step that failed, and what to do.
    """
    if sys.version_info < PYTHON:
        raise SetupError(
            f"This Python is {sys.version.split()[0]}; {PYTHON[0]}.{PYTHON[1]} or later is needed. Name another one, "
            "for example: make up PYTHON=python3.12"
        )
    LOCAL.mkdir(mode=0o700, exist_ok=True)
    with (LOCAL / "set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _ensure_venv()
        ensure_engine(report)


def report(line: str) -> None:
    """Print one line of progress."""
    print(f"set-up: {line}", file=sys.stderr, flush=True)


def _ensure_venv() -> None:
    stamp, expected = VENV / ".installed-from", fingerprint(REQUIREMENTS, sys.version)
    if is_current(stamp, expected):
        return
    report("installing Python packages into .venv (about a minute) …")
    try:
        venv.create(VENV, with_pip=True, clear=not stamp.is_file())
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            f"A virtual environment could not be made: {error}. On Debian and Ubuntu: apt install python3-venv"
        ) from None
    stamp.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *(VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("-r", REQUIREMENTS[0], "-c", REPO / "constraints.txt"),
        ],
        stdout=sys.stderr,
        check=False,
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
