"""A scheduled rotation does what a rotation does and nothing else."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.unit.lock_files import ended_pid, written_lock
from toolchain import rotate_due as module
from toolchain.paths import SetupError
from toolchain.rotate_due import rotate_due

URN = "urn:pulumi:dev::fiftyone-databricks::a$pulumi-python:dynamic/"
ROTATION = ("databricks:Credential::credential", "databricks:CredentialRetention::credentials")
HANDED_OVER = "fiftyone:Secret::CLIENT_SECRET_GPU"


def step(kind: str, operation: str = "update") -> dict[str, str]:
    return {"urn": f"{URN}{kind}", "op": operation}


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[str], dict[str, str]]]:
    """What was deployed; the plan is what the folder's `plan` holds."""
    program = tmp_path / "pulumi"
    looks = f'echo "$LOOK_FOR_LEFT_OVERS" > {tmp_path}/looks'
    program.write_text(f"#!/bin/sh\n{looks}; cat {tmp_path}/plan; exit $(cat {tmp_path}/code)\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    runs: list[tuple[str, str, list[str], dict[str, str]]] = []

    def run(verb: str, stack: str, flags: list[str], further: dict[str, str]) -> int:
        runs.append((verb, stack, flags, further))
        return 0

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "was_interrupted", lambda stack, environ: False)
    monkeypatch.setattr(module, "stack_environment", lambda stack: {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    return runs


def planned(folder: Path, *steps: dict[str, str], code: int = 0, **rest: Any) -> None:
    (folder / "plan").write_text(json.dumps({"steps": list(steps), **rest}))
    (folder / "code").write_text(str(code))


@pytest.mark.parametrize("kinds", [(*ROTATION, HANDED_OVER), (ROTATION[1],), (HANDED_OVER, ROTATION[1])])
def test_a_rotation_and_what_is_left_of_one_are_done(
    tmp_path: Path, deployed: list[Any], kinds: tuple[str, ...]
) -> None:
    planned(tmp_path, *map(step, kinds), step("databricks:Secret::FIFTYONE_PYPI_URL", "same"))
    assert rotate_due("dev") == 0
    assert deployed == [("up", "dev", ["--yes"], {})]
    assert (tmp_path / "looks").read_text() == "\n"


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lock of a run that was killed, which recovery removes."""
    lock = written_lock(tmp_path, pid=ended_pid()).file

    def recover(*_: Any) -> int:
        lock.unlink()
        return 0

    monkeypatch.setattr(module, "was_interrupted", lambda *_: True)
    monkeypatch.setattr("toolchain.stack.backend_folder", lambda _: tmp_path)
    monkeypatch.setattr("toolchain.stack._recover", recover)
    return lock


def test_the_rotation_after_an_interrupted_run_looks_for_what_that_left(
    tmp_path: Path, deployed: list[Any], killed: Path
) -> None:
    planned(tmp_path, *map(step, ROTATION))
    assert rotate_due("dev") == 0
    assert deployed == [("up", "dev", ["--yes"], {"LOOK_FOR_LEFT_OVERS": "yes"})]
    assert (tmp_path / "looks").read_text() == "yes\n"
    assert not killed.exists()


def test_an_interrupted_run_that_is_put_right_leaves_no_sign_where_nothing_is_due(
    tmp_path: Path, deployed: list[Any], killed: Path
) -> None:
    planned(tmp_path, step(ROTATION[0], "same"))
    assert rotate_due("dev") == 0
    assert not killed.exists()
    assert deployed == []


def test_what_an_interrupted_run_has_left_is_taken_in_before_the_plan_is_judged_and_its_sign_stays(
    tmp_path: Path, deployed: list[Any], killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(tmp_path, step(ROTATION[0]))

    def recover(*_: Any) -> int:
        killed.unlink()
        planned(tmp_path, step(ROTATION[0]), step("fiftyone:Secret::HOST_GPU"))
        return 0

    monkeypatch.setattr("toolchain.stack._recover", recover)
    with pytest.raises(SetupError, match=r"more than a rotation.*`LOOK_FOR_LEFT_OVERS=yes make up STACK=dev`"):
        rotate_due("dev")
    assert killed.exists()
    assert deployed == []


def test_nothing_is_rotated_where_recovery_fails(
    deployed: list[Any], killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_too(*_: Any) -> int:
        killed.unlink()
        return -9

    monkeypatch.setattr("toolchain.stack._recover", killed_too)
    assert rotate_due("dev") == -9
    assert killed.exists()
    assert deployed == []


def test_nothing_is_done_where_nothing_is_due(tmp_path: Path, deployed: list[Any]) -> None:
    planned(tmp_path, step(ROTATION[0], "same"))
    assert rotate_due("dev") == 0
    assert deployed == []


@pytest.mark.parametrize("other", ["databricks:Secret::FIFTYONE_PYPI_URL", "fiftyone:Secret::HOST_GPU"])
def test_anything_else_stops_it_and_is_named(tmp_path: Path, deployed: list[Any], other: str) -> None:
    planned(tmp_path, *map(step, (*ROTATION, HANDED_OVER, other)))
    with pytest.raises(SetupError, match=f"more than a rotation would change.*{other.rpartition('::')[2]}"):
        rotate_due("dev")
    assert deployed == []


def test_a_stack_that_cannot_be_previewed_says_why(tmp_path: Path, deployed: list[Any]) -> None:
    planned(tmp_path, code=255, diagnostics=[{"severity": "error", "message": "no such scope"}])
    with pytest.raises(SetupError, match="cannot be previewed: no such scope"):
        rotate_due("dev")
    assert deployed == []
