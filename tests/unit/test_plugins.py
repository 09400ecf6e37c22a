"""Settings of plugins become what tells a run where they are; a folder too large for the workspace is refused."""

import json
from pathlib import Path

import pytest

from components.job_files import job_files
from components.plugins import WORKSPACE_LIMIT, PluginsPlace, plugins_place
from components.settings_errors import SettingsError
from tests.unit.settings_cases import configuration, settings


def place(**plugins: str) -> PluginsPlace:
    found = plugins_place(settings(configuration(plugins=json.dumps(plugins))))
    assert found is not None
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello" / "fiftyone.yml").write_text("name: hello\n")
    return tmp_path


def test_a_folder_that_stands_is_used_as_it_is() -> None:
    path = "/Volumes/main/fiftyone/plugins"
    assert place(path=path).environment == {"FIFTYONE_PLUGINS_DIR": path}


def test_an_archive_in_the_cloud_reaches_the_entrypoint_with_its_hash_if_there_is_one() -> None:
    assert place(url="gs://bucket/a.tar").environment == {"ENTRYPOINT_PLUGINS": "gs://bucket/a.tar"}
    named = place(url="gs://bucket/a.tar", sha256="0" * 64).environment
    assert named == {"ENTRYPOINT_PLUGINS": "gs://bucket/a.tar", "ENTRYPOINT_PLUGINS_SHA256": "0" * 64}


def test_the_library_for_azure_is_required_where_it_is_used_and_nowhere_else() -> None:
    def requirements(url: str) -> str:
        config = configuration(plugins=json.dumps({"url": url}))
        return job_files(settings(config))["gpu-requirements.txt"]

    assert "azure-identity" in requirements("abfss://container@account.dfs.core.windows.net/a.tar").splitlines()
    assert "azure" not in requirements("s3://bucket/a.tar")


def test_a_folder_here_goes_to_the_workspace_or_the_volume_named_by_its_content(source: Path) -> None:
    here = place(source=str(source))
    assert here.sha256 is not None
    assert here.location == f"/Workspace/Shared/fiftyone-dev/plugins/plugins-{here.sha256[:16]}.tar"
    there = place(source=str(source), volume="/Volumes/main/fiftyone/archives")
    # Stacks may share a volume; each has a folder of its own there.
    assert there.location == f"/Volumes/main/fiftyone/archives/fiftyone-dev/plugins-{here.sha256[:16]}.tar"


def test_over_the_workspaces_limit_the_alternatives_are_named(source: Path) -> None:
    with (source / "hello" / "weights.bin").open("wb") as file:
        file.truncate(WORKSPACE_LIMIT)
    with pytest.raises(SettingsError, match=r"packs into 10\.5 MB.*\n.*`plugins\.volume`.*`plugins\.url`"):
        place(source=str(source))
    assert place(source=str(source), volume="/Volumes/main/fiftyone/archives").size


def test_a_folder_without_plugins_is_refused_under_the_settings_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"- plugins\.source is `.*`, which holds no plugin"):
        place(source=str(tmp_path))
