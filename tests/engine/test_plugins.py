"""Plugins are uploaded when they change and only then; the archive before stays for the runs that began with it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.stack import Stack
from tests.engine.workspace import Workspace


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    (folder / "hello").mkdir(parents=True)
    (folder / "hello" / "fiftyone.yml").write_text("name: hello\n")
    return folder


def archives(workspace: Workspace) -> list[str]:
    listed = workspace.client.workspace.list("/Shared/fiftyone-test")
    return [str(entry.path) for entry in listed if str(entry.path).endswith(".tar")]


def test_one_byte_changed_is_one_upload_and_the_archive_before_stays_until_the_deployment_after_next(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    seen = archives(workspace)
    assert len(seen) == 1
    for round_ in (1, 2):
        before = len(workspace.requests())
        stack.up("--expect-no-changes")
        assert not any("workspace" in request["path"] for request in workspace.requests()[before:])
        (source / "hello" / "__init__.py").write_text(f"{round_}")
        before = len(workspace.requests())
        stack.up()
        steps = [path.rpartition("/")[2] for path in workspace.writes(since=before)]
        assert steps[0] == "import"
        assert sorted(steps) == ["import", "reset"] if round_ == 1 else ["delete", "import", "reset"]
        new = set(archives(workspace)) - set(seen)
        assert len(new) == 1
        assert set(archives(workspace)) == {seen[-1], *new}
        seen += new
    environment = stack.outputs()["pluginsDir"]
    assert environment == f"/Workspace{seen[-1]}"
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_a_thousand_files_of_100_mb_go_to_a_volume_and_the_state_does_not_grow(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    volume = "/Volumes/main/default/stand-in"
    stack = new_stack(plugins={"source": str(source), "volume": f"{volume}/archives"})
    stack.up()
    for number in range(1000):
        with (source / "hello" / f"{number}.bin").open("wb") as file:
            file.truncate(100_000)
    run = stack.up()
    assert "uploading plugins: 100 % of" in run.output
    state = stack.state()
    (archive,) = [entry for entry in json.loads(state)["deployment"]["resources"] if entry["type"].endswith(":Archive")]
    assert archive["outputs"].keys() - {"__provider"} == {"path", "sha256", "size", "previous"}
    assert "999.bin" not in state
    listed = workspace.client.files.list_directory_contents(f"{volume}/archives")
    assert max(entry.file_size or 0 for entry in listed) > 100_000_000
    stack.up("--expect-no-changes")
    stack.succeeds("destroy", "--yes", "--run-program")
    assert list(workspace.client.files.list_directory_contents(f"{volume}/archives")) == []


def test_an_archive_deleted_behind_our_back_is_noticed_by_refresh_and_uploaded_again(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    (path,) = archives(workspace)
    workspace.client.workspace.delete(path)
    assert stack.succeeds("refresh", "--yes", "--run-program").operations("deleted") == ["archive"]
    stack.up()
    assert archives(workspace) == [path]


def test_a_folder_that_holds_no_plugin_creates_nothing(
    new_stack: Callable[..., Stack], workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    stack = new_stack(plugins={"source": str(tmp_path / "empty")})
    run = stack.pulumi("up", "--yes", "--stack", stack.name)
    assert run.code != 0
    assert "plugins.source is" in run.output
    assert workspace.writes() == []
