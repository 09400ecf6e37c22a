"""A run gets exactly the plugins that were deployed, in a folder of its own, and nothing hostile gets out of it."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.unit.test_entrypoint import ENTRYPOINT

# Shows where the run finds its plugins, what lies there, and the plugin's text.
SHOW = '#!/bin/sh\ncd "$FIFTYONE_PLUGINS_DIR" && pwd && find . -type f | sort && cat hello/fiftyone.yml\n'


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    folder = tmp_path / "commands"
    folder.mkdir()
    program = folder / "fiftyone"
    program.write_text(SHOW)
    program.chmod(0o755)
    return folder


def run(
    commands: Path, archive: Path | str, sha256: str | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    expected = {"ENTRYPOINT_PLUGINS_SHA256": sha256} if sha256 else {}
    scratch = commands.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, ENTRYPOINT, "--command", "fiftyone x"],
        env={
            **os.environ,
            "PATH": path,
            "TMPDIR": str(scratch),
            "ENTRYPOINT_PLUGINS": str(archive),
            **expected,
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def tar(file: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> str:
    """Write an archive with one good plugin and `entries`; its hash."""
    with tarfile.open(file, "w") as archive:
        for entry, content in ((tarfile.TarInfo("hello/fiftyone.yml"), b"name: hello\n"), *entries):
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found, b"" if link else b"x"


def test_the_archive_is_unpacked_into_a_folder_of_the_runs_own_that_is_gone_afterwards(
    commands: Path, tmp_path: Path
) -> None:
    done = run(commands, tmp_path / "a.tar", tar(tmp_path / "a.tar"))
    assert done.returncode == 0, done.stderr
    folder, file, text = done.stdout.splitlines()[1:]
    assert (file, text) == ("./hello/fiftyone.yml", "name: hello")
    assert folder.startswith(str(tmp_path / "scratch"))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_archive_that_was_changed_is_refused_before_anything_starts(commands: Path, tmp_path: Path) -> None:
    sha256 = tar(tmp_path / "a.tar")
    with (tmp_path / "a.tar").open("ab") as file:
        file.write(b"\0")
    done = run(commands, tmp_path / "a.tar", sha256)
    assert done.returncode == 1
    assert "are not those that were deployed" in done.stderr
    assert "hello" not in done.stdout


def test_an_archive_that_is_gone_is_said(commands: Path, tmp_path: Path) -> None:
    done = run(commands, tmp_path / "gone.tar", "0" * 64)
    assert done.returncode == 1
    assert "could not be read: FileNotFoundError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../escaped"),
        entry("/tmp/escaped-absolute"),
        entry("hello/link", tarfile.SYMTYPE, "/etc/passwd"),
        entry("hello/up", tarfile.SYMTYPE, "../../.."),
        entry("hello/hard", tarfile.LNKTYPE, "../../escaped"),
        entry("hello/device", tarfile.CHRTYPE),
    ],
    ids=lambda hostile: hostile[0].name,
)
def test_hostile_names_write_nothing_outside(
    commands: Path, tmp_path: Path, hostile: tuple[tarfile.TarInfo, bytes]
) -> None:
    sha256 = tar(tmp_path / "a.tar", hostile)
    before = {path for path in tmp_path.rglob("*") if "scratch" not in path.parts}
    done = run(commands, tmp_path / "a.tar", sha256)
    assert {path for path in tmp_path.rglob("*") if "scratch" not in path.parts} == before
    assert not Path("/tmp/escaped-absolute").exists()
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        # What merely names a place outside is written inside.
        assert "tmp/escaped-absolute" in done.stdout
    else:
        assert "cannot be unpacked" in done.stderr


def test_a_zip_serves_as_well(commands: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("hello/fiftyone.yml", "name: zipped\n")
        archive.writestr("../../escaped", "x")
    done = run(commands, tmp_path / "a.zip")
    assert done.returncode == 0, done.stderr
    assert "name: zipped" in done.stdout
    assert list(tmp_path.rglob("escaped")) == []


def test_what_is_no_archive_is_said(commands: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("<html>")
    done = run(commands, tmp_path / "a.tar")
    assert done.returncode == 1
    assert "cannot be unpacked as tar or zip" in done.stderr


def test_a_broken_archive_is_said_and_shows_no_traceback(commands: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("hello/fiftyone.yml"), io.BytesIO())
        archive.addfile(entry("x")[0], io.BytesIO())
    whole = (tmp_path / "a.tgz").read_bytes()
    (tmp_path / "a.tgz").write_bytes(whole[: len(whole) // 2])
    done = run(commands, tmp_path / "a.tgz")
    assert done.returncode == 1
    assert "cannot be unpacked as tar or zip" in done.stderr
    assert "Traceback" not in done.stderr


# The clouds' libraries, as far as the entrypoint calls them: each copies a file, and checks what it is asked for.
LIBRARIES = {
    "gs://bucket/dir/a.tar": {
        "google/__init__.py": "",
        "google/cloud/__init__.py": "",
        "google/cloud/storage.py": """
import os, shutil
class Client:
    def bucket(self, name):
        assert name == "bucket"
        return self
    def blob(self, key):
        assert key == "dir/a.tar"
        return self
    def download_to_filename(self, file):
        shutil.copyfile(os.environ["REMOTE"], file)
""",
    },
    "s3://bucket/dir/a.tar": {
        "boto3.py": """
import os, shutil
class Client:
    def download_file(self, bucket, key, file):
        assert (bucket, key) == ("bucket", "dir/a.tar")
        shutil.copyfile(os.environ["REMOTE"], file)
def client(service):
    assert service == "s3"
    return Client()
""",
    },
    "abfss://container@account.dfs.core.windows.net/dir/a.tar": {
        "azure/__init__.py": "",
        "azure/identity.py": "class DefaultAzureCredential: pass\n",
        "azure/storage/__init__.py": "",
        "azure/storage/filedatalake.py": """
import os, shutil
class DataLakeServiceClient:
    def __init__(self, account_url, credential):
        assert account_url == "https://account.dfs.core.windows.net"
    def get_file_client(self, file_system, file_path):
        assert (file_system, file_path) == ("container", "dir/a.tar")
        return self
    def download_file(self):
        return self
    def readinto(self, stream):
        with open(os.environ["REMOTE"], "rb") as file:
            shutil.copyfileobj(file, stream)
""",
    },
}


@pytest.mark.parametrize("url", LIBRARIES)
def test_an_archive_in_the_cloud_is_fetched_with_the_clouds_library_and_checked(
    commands: Path, tmp_path: Path, url: str
) -> None:
    for name, text in LIBRARIES[url].items():
        file = tmp_path / "libraries" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    sha256 = tar(tmp_path / "remote.tar")
    place = {"REMOTE": str(tmp_path / "remote.tar"), "PYTHONPATH": str(tmp_path / "libraries")}
    done = run(commands, url, sha256, **place)
    assert done.returncode == 0, done.stderr
    assert "name: hello" in done.stdout
    assert "are not those that were deployed" in run(commands, url, "0" * 64, **place).stderr


def test_a_library_that_is_missing_is_named(commands: Path, tmp_path: Path) -> None:
    done = run(commands, "s3://bucket/a.tar")
    assert done.returncode == 1
    assert "cannot be fetched without the Python package of boto3" in done.stderr
