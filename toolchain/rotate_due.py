"""Rotates the credential of a stack where that is due, and deploys nothing else: `make rotate-due`, for schedules.

Where anything else would change it stops, and names it: what is not deployed yet waits for its own deployment. A
rotation that was cut off is finished, because what is left of it is the same three kinds of resource.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from toolchain.environment import stack_environment
from toolchain.interrupted import was_interrupted
from toolchain.paths import REPO, SetupError
from toolchain.pulumi_json import PulumiError
from toolchain.stack import LEFT_OVERS, after_recovery, run

# What a rotation changes (docs/access.md): the credential, what FiftyOne holds of it, and what retires earlier ones.
OF_A_ROTATION = re.compile(r"databricks:Credential(Retention)?::|fiftyone:Secret::CLIENT_SECRET_")
QUIET = ("same", "read")


def rotate_due(stack: str) -> int:
    """Rotate if that is all there is to do; Pulumi's exit code.

    Raises:
        SetupError: the stack cannot be previewed, or something else would change.
    """
    environ = stack_environment(stack)
    if not was_interrupted(stack, environ):
        return _rotate_due(stack, environ, {})
    # The plan is to show all that `up` would do.
    return after_recovery(stack, environ, lambda: _rotate_due(stack, environ, LEFT_OVERS))


def _rotate_due(stack: str, environ: dict[str, str], further: Mapping[str, str]) -> int:
    done = subprocess.run(
        ["pulumi", "preview", "--json", "--non-interactive", "--stack", stack],
        cwd=REPO,
        env={**environ, **further},
        capture_output=True,
        text=True,
        check=False,
    )
    plan: dict[str, Any] = json.loads(done.stdout or "{}")
    if done.returncode:
        said = [str(entry["message"]) for entry in plan.get("diagnostics", []) if entry.get("severity") == "error"]
        raise SetupError("the stack cannot be previewed: " + (" ".join(said) or done.stderr).strip())
    changed = list(changes(plan))
    if others := [f"{urn.rpartition('::')[2]} ({operation})" for urn, operation in changed if not _rotates(urn)]:
        first = " ".join([*(f"{name}={value}" for name, value in further.items()), f"make up STACK={stack}"])
        raise SetupError(
            f"more than a rotation would change, so nothing was done: {', '.join(others)}. Deploy that first: `{first}`"
        )
    if not changed:
        print(f"{stack}: no rotation is due")
        return 0
    return run("up", stack, ["--yes"], further)


def changes(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a plan would change, by URN, and how."""
    for step in plan.get("steps", []):
        if step["op"] not in QUIET:
            yield step["urn"], step["op"]


def _rotates(urn: str) -> bool:
    return OF_A_ROTATION.search(urn) is not None


if __name__ == "__main__":
    try:
        sys.exit(rotate_due(sys.argv[1]))
    except (SetupError, PulumiError) as error:
        sys.exit(f"make rotate-due STACK={sys.argv[1]}: {error}")
    except KeyboardInterrupt:
        os._exit(130)
