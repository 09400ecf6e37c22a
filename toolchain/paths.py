"""Where things lie in a checkout: one folder for all that set-up makes, and what says whether it is still current."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

REPO = Path(__file__).parent.parent
LOCAL = REPO / ".local"
VENV = REPO / ".venv"
ENGINE = LOCAL / "engine"
PULUMI_HOME = LOCAL / "pulumi-home"
EMULATOR = LOCAL / "emulator"
STATE = LOCAL / "state"
SECRETS = LOCAL / "secrets.json"
POLICY_PACK = REPO / "policies"


class SetupError(Exception):
    """A step of set-up that failed; its text says which, why and what to do."""


def fingerprint(files: Iterable[Path], *words: str) -> str:
    """What a build or an installation depends on, as a hash: contents of files, and words such as versions."""
    digest = hashlib.sha256("\0".join(words).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_current(stamp: Path, expected: str) -> bool:
    """Whether `stamp`, written after a step succeeded, still says what the step depends on."""
    return stamp.is_file() and stamp.read_text() == expected
