"""Asks Pulumi about a stack, and reads its answer as JSON; what the question is lies with who asks."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolchain.paths import REPO


class PulumiError(Exception):
    """Pulumi does not answer; the text is its own."""


def pulumi_json(arguments: Sequence[str], environ: Mapping[str, str], project: Path = REPO) -> Any:
    """What the command prints, secrets included where it was asked for them. Raises PulumiError."""
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=project,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PulumiError(" ".join(done.stderr.split()).removeprefix("error: "))
    return json.loads(done.stdout or "{}")
