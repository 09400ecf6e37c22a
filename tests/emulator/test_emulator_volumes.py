"""Files in volumes, as databricks-sdk drives them."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import AlreadyExists, BadRequest, InvalidParameterValue, NotFound

from tests.emulator.emulator_harness import run, started

VOLUME = "/Volumes/main/default/stand-in"


def test_a_file_is_written_read_overwritten_and_deleted(w: WorkspaceClient, name: str) -> None:
    path = f"{VOLUME}/{name}/deep er/ä.bin"
    for content in (b"", b"\x00one", b"two"):
        w.files.upload(path, io.BytesIO(content), overwrite=True)
        downloaded = w.files.download(path)
        assert downloaded.contents is not None
        assert downloaded.contents.read() == content
    found = w.files.get_metadata(path)
    assert (found.content_length, found.content_type) == (3, "application/octet-stream")
    assert found.last_modified
    with pytest.raises(AlreadyExists, match="already exists"):
        w.files.upload(path, io.BytesIO(b"three"), overwrite=False)
    w.files.delete(path)
    for call in (w.files.get_metadata, w.files.delete, w.files.download):
        with pytest.raises(NotFound):
            call(path)


def test_directories_and_their_contents(w: WorkspaceClient, name: str) -> None:
    folder = f"{VOLUME}/{name}"
    for _ in range(2):
        w.files.create_directory(f"{folder}/a/b")
    w.files.get_directory_metadata(f"{folder}/a")
    for number in range(3):
        w.files.upload(f"{folder}/f{number}", io.BytesIO(b"12345"))
    listed = list(w.files.list_directory_contents(folder))
    assert [(entry.path, entry.name, entry.is_directory, entry.file_size) for entry in listed] == [
        (f"{folder}/a", "a", True, None),
        *((f"{folder}/f{number}", f"f{number}", False, 5) for number in range(3)),
    ]
    with pytest.raises(BadRequest, match="not empty"):
        w.files.delete_directory(f"{folder}/a")
    with pytest.raises(AlreadyExists):
        w.files.create_directory(f"{folder}/f1/x")
    with pytest.raises(InvalidParameterValue):
        w.files.upload(f"{folder}/f1/x", io.BytesIO(b""))
    w.files.delete_directory(f"{folder}/a/b")
    for call in (w.files.get_directory_metadata, w.files.delete_directory):
        with pytest.raises(NotFound):
            call(f"{folder}/a/b")
    assert w.files.get_directory_metadata(VOLUME) is None


@pytest.mark.parametrize(
    "path", ["/Volumes/main/default/other/a", "/Volumes/main", "/Volumes/main/default/stand-in/../x"]
)
def test_what_is_in_no_volume(http: httpx.Client, path: str) -> None:
    answer = http.put("/api/2.0/fs/files" + path.replace("..", "%2E%2E"), content=b"x")
    assert (answer.status_code, answer.json()["error_code"]) in ((404, "NOT_FOUND"), (400, "INVALID_PARAMETER_VALUE"))


def test_a_hundred_megabytes_go_up_and_down_and_other_calls_are_answered(home: Path) -> None:
    server = started(home, "--port", "0")
    block = hashlib.sha256(b"seed").digest() * 32768
    content = block * 100
    path = f"{VOLUME}/large.bin"
    client = server.sdk()
    with ThreadPoolExecutor(1) as pool, server.http() as http:
        upload = pool.submit(client.files.upload, path, io.BytesIO(content), overwrite=True)
        while not upload.done():
            assert http.get("/api/2.2/jobs/list", timeout=10).is_success
        upload.result()
    downloaded = client.files.download(path).contents
    assert downloaded is not None
    assert hashlib.sha256(downloaded.read()).digest() == hashlib.sha256(content).digest()
    status = Path(f"/proc/{(home / 'server.lock').read_text()}/status")
    if status.exists():
        peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        assert peak < 150 * 1024, "the file is held in memory"
    assert run("stop", "--home", home).stdout == f"stopped; held 1 volume file ({path})\n"
    assert [file.name for file in (home / "volumes").rglob("*") if file.is_file()] == ["large.bin"]
