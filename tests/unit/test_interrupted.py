"""What the backend tells of runs before: nothing on a clean day, and whatever has not come right since."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.lock_files import written_lock
from toolchain.interrupted import lost_deletes, was_interrupted


def entry(kind: str, result: str = "succeeded", message: str = "") -> dict[str, str]:
    return {"kind": kind, "result": result, "message": message}


def interrupted(
    folder: Path,
    history: list[dict[str, str]],
    pending: list[Any] | None = None,
    *,
    fails: bool = False,
    backend: str = "",
    asked: Callable[[str, dict[str, str], Path], bool] = was_interrupted,
) -> bool:
    """With a `pulumi` that answers as the engine does: newest first, and an export with what is pending."""
    deployment: dict[str, Any] = {"pending_operations": pending} if pending else {}
    (folder / "--json").write_text(json.dumps({"user": "somebody", "url": backend or folder.as_uri()}))
    (folder / "history").write_text(json.dumps(history))
    (folder / "export").write_text(json.dumps({"version": 3, "deployment": deployment}))
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{'exit 255' if fails else f'cat {folder}/$2'}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return asked("dev", {"PATH": f"{folder}:/usr/bin:/bin"}, folder)


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


@pytest.mark.parametrize("kind", ["creating", "updating", "deleting"])
def test_a_killed_run_is_known_by_what_is_pending(tmp_path: Path, kind: str) -> None:
    assert interrupted(tmp_path, [entry("update")], [{"type": kind, "resource": {"urn": "lost"}}])


@pytest.mark.parametrize(
    ("history", "pending", "expected"),
    [
        ([entry("update", "failed"), entry("destroy"), entry("update")], "creating", True),
        ([entry("destroy", "failed"), entry("update")], "", True),
        ([entry("update")], "deleting", True),
        ([entry("update", "failed"), entry("update"), entry("destroy", "failed")], "creating", False),
        ([entry("refresh", "failed", "recovery"), entry("update", "failed"), entry("update")], "", True),
        ([entry("refresh", "succeeded", "recovery"), entry("update", "failed"), entry("update")], "", False),
        # It may be for credentials that the state remembers and that hold no more.
        ([entry("refresh", "failed"), entry("update")], "", False),
    ],
)
def test_deletes_may_be_unknown_after_a_destroy_and_where_one_was_cut_off(
    tmp_path: Path, history: list[dict[str, str]], pending: str, expected: bool
) -> None:
    operations = [{"type": pending, "resource": {"urn": "lost"}}] if pending else []
    assert interrupted(tmp_path, history, operations, asked=lost_deletes) is expected


def test_deletes_may_be_unknown_where_a_killed_run_holds_the_lock(tmp_path: Path) -> None:
    written_lock(tmp_path / ".pulumi")
    assert interrupted(tmp_path, [entry("update")], asked=lost_deletes)


def test_a_lock_is_a_sign_and_another_stacks_is_none(tmp_path: Path) -> None:
    for stack, expected in (("other", False), ("dev", True)):
        written_lock(tmp_path / ".pulumi", stack)
        assert interrupted(tmp_path, [entry("update")]) is expected


def test_a_backend_elsewhere_shows_no_locks_and_the_other_signs(tmp_path: Path) -> None:
    assert not interrupted(tmp_path, [entry("update")], backend="s3://bucket")
    assert interrupted(tmp_path, [entry("update", "failed")], backend="s3://bucket")


def test_a_backend_that_refuses_is_left_to_the_command_that_follows(tmp_path: Path) -> None:
    assert not interrupted(tmp_path, [entry("update", "failed")], fails=True)
