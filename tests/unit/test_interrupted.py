"""What the backend tells of runs before: nothing on a clean day, and whatever has not come right since."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from toolchain.interrupted import was_interrupted


def entry(kind: str, result: str = "succeeded") -> dict[str, str]:
    return {"kind": kind, "result": result}


def interrupted(
    folder: Path, history: list[dict[str, str]], pending: list[Any] | None = None, *, fails: bool = False
) -> bool:
    """With a `pulumi` that answers as the engine does: newest first, and an export with what is pending."""
    deployment: dict[str, Any] = {
        "resources": [{"urn": "known"}],
        **({"pending_operations": pending} if pending else {}),
    }
    (folder / "history").write_text(json.dumps(history))
    (folder / "export").write_text(json.dumps({"version": 3, "deployment": deployment}))
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{'exit 255' if fails else f'cat {folder}/$2'}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return was_interrupted("dev", {"PATH": f"{folder}:/usr/bin:/bin"}, folder)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [entry("update")],
        [entry("refresh"), entry("update"), entry("update", "failed")],
        [entry("destroy"), entry("update")],
    ],
)
def test_a_clean_day_asks_for_nothing(tmp_path: Path, history: list[dict[str, str]]) -> None:
    assert not interrupted(tmp_path, history)


@pytest.mark.parametrize(
    "history",
    [
        [entry("update", "failed")],
        # A refresh or a destroy after it hides a failed update in the last line alone.
        [entry("refresh"), entry("update", "failed"), entry("update")],
        [entry("update", "in-progress"), entry("update")],
        [entry("destroy", "failed"), entry("update")],
    ],
)
def test_what_has_not_succeeded_since_the_last_update_that_did_is_a_sign(
    tmp_path: Path, history: list[dict[str, str]]
) -> None:
    assert interrupted(tmp_path, history)


def test_a_killed_run_is_known_by_what_is_pending_until_the_state_has_it(tmp_path: Path) -> None:
    assert interrupted(tmp_path, [entry("update")], [{"type": "creating", "resource": {"urn": "lost"}}])
    assert interrupted(tmp_path, [entry("update")], [{"type": "updating", "resource": {"urn": "known"}}])
    # The engine keeps it for good, also when a later run has made the object.
    assert not interrupted(tmp_path, [entry("update")], [{"type": "creating", "resource": {"urn": "known"}}])


def test_a_backend_that_refuses_is_left_to_the_command_that_follows(tmp_path: Path) -> None:
    assert not interrupted(tmp_path, [entry("update", "failed")], fails=True)
