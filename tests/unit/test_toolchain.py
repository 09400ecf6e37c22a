"""Set-up builds only what has changed and says which step failed; a preview's copy of a stack file holds no secret."""

import os
from pathlib import Path

import pytest
import yaml

from toolchain import build
from toolchain.build import CLI, build_program
from toolchain.engine import engine_environment
from toolchain.environment import shell_lines, stack_environment, without_other_workspaces
from toolchain.paths import STATE, SetupError
from toolchain.stack import without_encrypted

# Stands in for Go: it writes the file that it is asked to build, and counts that it was.
FAKE_GO = """#!/bin/sh
case "$1" in
  version) echo "go version ${GO_VERSION:-go1.26.1} linux/amd64" ;;
  build) [ -z "$GO_FAILS" ] || { echo "cannot find module" >&2; exit 1; }
    while [ "$1" != -o ]; do shift; done
    echo built > "$2"; echo x >> "$(dirname "$2")/builds" ;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to build into, with the stand-in for Go on PATH."""
    program = tmp_path / "path" / "go"
    program.parent.mkdir()
    program.write_text(FAKE_GO)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return tmp_path / "built"


def test_a_build_is_done_once_and_again_when_its_inputs_change(
    go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toolchain" / "cli").mkdir(parents=True)
    module = tmp_path / "toolchain" / "cli" / "go.mod"
    module.write_text("one")
    monkeypatch.setattr(build, "REPO", tmp_path)
    lines: list[str] = []
    assert build_program(CLI, go, lines.append)
    assert not build_program(CLI, go, lines.append)
    module.write_text("two")
    assert build_program(CLI, go, lines.append)
    assert (go / "builds").read_text().split() == ["x", "x"]
    assert lines[0].startswith("building the Pulumi CLI 3.200.0 from Go modules")


def test_a_failed_build_says_which_step_failed_and_is_tried_again(go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_FAILS", "1")
    with pytest.raises(
        SetupError, match=r"(?s)Building the Pulumi CLI 3\.200\.0 failed at `go build`.*cannot find mod"
    ):
        build_program(CLI, go, print)
    monkeypatch.delenv("GO_FAILS")
    assert build_program(CLI, go, print)


@pytest.mark.parametrize("version", ["go1.24.9", "devel"])
def test_go_that_is_too_old_is_named_with_what_to_do(go: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("GO_VERSION", version)
    with pytest.raises(SetupError, match=rf"{version}.*needs Go 1\.25 or later"):
        build_program(CLI, go, print)


def test_missing_go_is_said_with_what_to_do(go: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"Go was not found.*install Pulumi"):
        build_program(CLI, go, print)


def test_a_previews_copy_of_a_stack_file_keeps_all_but_what_is_encrypted() -> None:
    text = """secretsprovider: passphrase
encryptionsalt: v1:abc
config:
  # a comment
  fiftyone:version: 2.13.1
  fiftyone:databaseUri:
    secure: v1:def
  secretEnv.TOKEN: {secure: v1:ghi}
  orchestrators:
    gpu:
      nodeType: x
"""
    config = {"fiftyone:version": "2.13.1", "orchestrators": {"gpu": {"nodeType": "x"}}}
    assert yaml.safe_load(without_encrypted(text)) == {"config": config}


def test_other_stacks_keep_the_users_environment_and_gain_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "https://mine.example.com")
    lines = shell_lines("dev")
    assert not any("DATABRICKS" in line or line.startswith("unset") for line in lines)
    assert any(line.startswith("export PATH=") for line in lines)


def test_a_shell_that_was_prepared_for_local_lends_nothing_of_it_to_another_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DATABRICKS_TOKEN", "FIFTYONE_DATABASE_URI", "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.setenv(name, "local's")
    monkeypatch.setenv("PULUMI_BACKEND_URL", STATE.as_uri())
    lines = shell_lines("dev")
    for name in ("DATABRICKS_TOKEN", "FIFTYONE_DATABASE_URI", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL"):
        assert f"unset {name}" in lines


def test_a_proxy_is_kept_from_loopback_in_both_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "internal.example.com")
    monkeypatch.delenv("NO_PROXY", raising=False)
    environ = stack_environment("dev")
    assert environ["no_proxy"] == "internal.example.com,127.0.0.1,localhost"
    assert environ["NO_PROXY"] == "127.0.0.1,localhost"


def test_a_second_evaluation_adds_nothing_to_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    first = engine_environment()["PATH"]
    monkeypatch.setenv("PATH", first)
    assert engine_environment()["PATH"] == first


def test_what_belongs_to_other_workspaces_is_shut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABRICKS_TOKEN", "ARM_CLIENT_ID", "FIFTYONE_API_KEY", "PULUMI_BACKEND_URL", "GOOGLE_CREDENTIALS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PULUMI_HOME", "/kept")
    kept = without_other_workspaces()
    assert not {"DATABRICKS_TOKEN", "ARM_CLIENT_ID", "FIFTYONE_API_KEY", "PULUMI_BACKEND_URL"} & kept.keys()
    assert kept["PULUMI_HOME"] == "/kept"
