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


def archives(workspace: Workspace, folder: str = "/Shared/fiftyone-test/plugins") -> set[str]:
    return {str(entry.path).rpartition("/")[2] for entry in workspace.client.workspace.list(folder)}


def write(source: Path, text: str) -> None:
    (source / "hello" / "__init__.py").write_text(text)


def deployed(stack: Stack) -> str:
    return str(stack.outputs()["pluginsDir"]).rpartition("/")[2]


def test_one_byte_changed_is_one_upload_and_the_archive_before_stays_until_the_deployment_after_next(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    first = deployed(stack)
    assert archives(workspace) == {first}

    def step(text: str) -> tuple[str, list[str]]:
        before = len(workspace.requests())
        stack.up("--expect-no-changes")
        assert not any("workspace" in request["path"] for request in workspace.requests()[before:])
        write(source, text)
        before = len(workspace.requests())
        stack.up()
        return deployed(stack), [path.rpartition("/")[2] for path in workspace.writes(since=before)]

    second, steps = step("2")
    assert steps == ["mkdirs", "import", "reset"]
    assert archives(workspace) == {first, second}
    third, steps = step("3")
    # What nothing can need any more goes last, when the jobs have moved on.
    assert steps == ["mkdirs", "import", "reset", "delete"]
    assert archives(workspace) == {second, third}
    again, _ = step("2")
    assert again == second
    assert archives(workspace) == {second, third}
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_an_archive_that_a_job_still_names_outlives_deployments_that_fail(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    named = deployed(stack)
    good = stack.settings
    for text in ("2", "3"):
        write(source, text)
        stack.orchestrator(pool="no-such-pool", nodeType=None)
        assert stack.pulumi("--stack", stack.name, "up", "--yes", "--skip-preview").code != 0
        assert named in archives(workspace)
    stack.settings = good
    stack.up()
    assert archives(workspace) == {named, deployed(stack)}
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_another_folder_takes_the_archive_with_it(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    write(source, "2")
    stack.up()
    stack.settings = {**stack.settings, "workspaceDir": "/Workspace/Shared/elsewhere"}
    stack.up()
    assert archives(workspace, "/Shared/elsewhere/plugins") == {deployed(stack)}
    assert [str(entry.path) for entry in workspace.client.workspace.list("/Shared")] == ["/Shared/elsewhere"]
    stack.up("--expect-no-changes")


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
    (archive,) = [
        entry for entry in json.loads(state)["deployment"]["resources"] if entry["type"].endswith("databricks:Archive")
    ]
    assert archive["outputs"].keys() - {"__provider"} == {"folder", "sha256", "size"}
    assert "999.bin" not in state
    listed = workspace.client.files.list_directory_contents(f"{volume}/archives/fiftyone-test")
    assert max(entry.file_size or 0 for entry in listed) > 100_000_000
    stack.up("--expect-no-changes")
    stack.succeeds("destroy", "--yes", "--run-program")
    assert list(workspace.client.files.list_directory_contents(f"{volume}/archives")) == []


def test_an_archive_deleted_behind_our_back_is_noticed_by_refresh_and_uploaded_again(
    new_stack: Callable[..., Stack], workspace: Workspace, source: Path
) -> None:
    stack = new_stack(plugins={"source": str(source)})
    stack.up()
    write(source, "2")
    stack.up()
    both = archives(workspace)
    workspace.client.workspace.delete(f"/Shared/fiftyone-test/plugins/{deployed(stack)}")
    assert stack.succeeds("refresh", "--yes", "--run-program").operations("updated") == ["archive"]
    stack.up()
    assert archives(workspace) == both
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_a_folder_that_holds_no_plugin_creates_nothing(
    new_stack: Callable[..., Stack], workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    stack = new_stack(plugins={"source": str(tmp_path / "empty")})
    run = stack.pulumi("up", "--yes", "--stack", stack.name)
    assert run.code != 0
    assert "plugins.source is" in run.output
    assert workspace.writes() == []
