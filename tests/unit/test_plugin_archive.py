"""The same files give the same bytes anywhere; what is no plugin, leaves the folder or looks secret stays out."""

import hashlib
import io
import os
import shutil
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from components.plugin_archive import plugin_archive
from components.refusal import RefusalError


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    add(folder / "hello" / "fiftyone.yml", 'name: "@example/hello"\n')
    add(folder / "hello" / "__init__.py", "hello = 1\n")
    return folder


def add(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def packed(folder: Path) -> bytes:
    stream = io.BytesIO()
    plugin_archive(folder).write(stream)
    return stream.getvalue()


def names(folder: Path) -> list[str]:
    return tarfile.open(fileobj=io.BytesIO(packed(folder))).getnames()


def test_times_modes_and_the_order_of_the_disk_do_not_count(plugins: Path, tmp_path: Path) -> None:
    add(plugins / "hello" / "ünï" / "a file.py", "x")
    other = tmp_path / "other"
    for file in sorted(plugins.rglob("*"), reverse=True):
        if file.is_file():
            copy = add(other / file.relative_to(plugins), file.read_text())
            copy.chmod(0o755)
            os.utime(copy, (1, 1))
    assert packed(plugins) == packed(other)


def test_these_very_bytes_come_out_whatever_the_machine(plugins: Path) -> None:
    """Computed once and written down: another Python, system or umask must give the same."""
    assert hashlib.sha256(packed(plugins)).hexdigest() == EXPECTED


def test_what_is_measured_is_what_is_written(plugins: Path) -> None:
    content = packed(plugins)
    assert plugin_archive(plugins).measure() == (hashlib.sha256(content).hexdigest(), len(content))


def test_one_byte_more_is_another_archive(plugins: Path) -> None:
    before = plugin_archive(plugins).measure()
    add(plugins / "hello" / "__init__.py", "hello = 2\n")
    assert plugin_archive(plugins).measure() != before


def test_a_link_that_stays_in_the_folder_becomes_its_file(plugins: Path) -> None:
    (plugins / "hello" / "link.py").symlink_to("__init__.py")
    with tarfile.open(fileobj=io.BytesIO(packed(plugins))) as archive:
        assert archive.getmember("hello/link.py").isreg()


def test_a_source_that_is_itself_a_link_is_followed(plugins: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(plugins)
    assert packed(tmp_path / "link") == packed(plugins)


def test_secrets_and_clutter_are_left_out_and_secrets_are_said(plugins: Path) -> None:
    for name in (".env", ".env.local", "id_rsa", "server.PEM", "credentials.json", ".netrc", "prod.env"):
        add(plugins / "hello" / name, "hidden")
    for name in ("service_account-1.json", ".ssh/deploy", "secrets.yaml"):
        add(plugins / "hello" / name, "hidden")
    add(plugins / "hello" / "node_modules" / "a.js")
    add(plugins / "hello" / "__pycache__" / "x.pyc")
    add(plugins / "hello" / ".git" / "config")
    assert names(plugins) == ["hello/__init__.py", "hello/fiftyone.yml"]
    left_out = "\n".join(plugin_archive(plugins).left_out)
    assert left_out.count("looks like a secret") == 10
    assert "hidden" not in left_out


def test_a_link_to_what_is_left_out_is_left_out_as_well(plugins: Path) -> None:
    add(plugins / "hello" / ".env", "hidden")
    add(plugins / "hello" / ".git" / "config", "hidden")
    (plugins / "hello" / "settings.txt").symlink_to(".env")
    (plugins / "hello" / "config").symlink_to(".git/config")
    assert names(plugins) == ["hello/__init__.py", "hello/fiftyone.yml"]


def test_a_package_that_is_called_credentials_is_code(plugins: Path) -> None:
    add(plugins / "hello" / "credentials" / "__init__.py")
    assert "hello/credentials/__init__.py" in names(plugins)


def test_plugins_are_found_where_fiftyone_finds_them(plugins: Path) -> None:
    add(plugins / "group" / "deep" / "fiftyone.yaml", "name: deep\n")
    # It looks neither into a plugin nor into a hidden folder.
    add(plugins / "hello" / "tests" / "fiftyone.yml", "nothing: here\n")
    add(plugins / ".hidden" / "fiftyone.yml", "name: hidden\n")
    assert names(plugins) == [
        "group/deep/fiftyone.yaml",
        "hello/__init__.py",
        "hello/fiftyone.yml",
        "hello/tests/fiftyone.yml",
    ]


def test_a_file_that_cannot_be_read_is_refused(plugins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(path: object, mode: int) -> bool:
        return not str(path).endswith("__init__.py")

    monkeypatch.setattr("os.access", unreadable)
    with pytest.raises(RefusalError, match="which cannot be read"):
        plugin_archive(plugins)


def test_a_folder_beside_the_plugins_that_is_none_is_left_out_and_said(plugins: Path) -> None:
    add(plugins / "notes" / "a.md")
    assert names(plugins) == ["hello/__init__.py", "hello/fiftyone.yml"]
    assert plugin_archive(plugins).left_out == ("`notes`, which holds no plugin",)


def test_a_folder_that_is_one_plugin_is_packed_whole(plugins: Path) -> None:
    assert names(plugins / "hello") == ["__init__.py", "fiftyone.yml"]


def leaving_link(folder: Path) -> None:
    (folder / "hello" / "passwd").symlink_to("/etc/passwd")


def leaving_folder(folder: Path) -> None:
    (folder / "hello" / "up").symlink_to("../..")


def inner_folder_link(folder: Path) -> None:
    (folder / "hello" / "loop").symlink_to(".")


def dangling_link(folder: Path) -> None:
    (folder / "hello" / "gone").symlink_to("nowhere")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "hello" / "pipe")


def unix_socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder / "hello")
    try:
        socket.socket(socket.AF_UNIX).bind("s")
    finally:
        os.chdir(here)


def line_break(folder: Path) -> None:
    add(folder / "hello" / "a\nb.py")


def backslash(folder: Path) -> None:
    add(folder / "hello" / "..\\up.py")


def not_utf8(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder / "hello") + b"/\xff.py")).touch()


def same_but_for_case(folder: Path) -> None:
    add(folder / "hello" / "A.py")
    add(folder / "hello" / "a.py")


def same_but_for_composition(folder: Path) -> None:
    add(folder / "hello" / "\u00e9.py")
    add(folder / "hello" / "e\u0301.py")


def same_plugin_twice(folder: Path) -> None:
    shutil.copytree(folder / "hello", folder / "hello2")


def nameless(folder: Path) -> None:
    add(folder / "hello" / "fiftyone.yml", "version: 1")


def no_yaml(folder: Path) -> None:
    add(folder / "hello" / "fiftyone.yml", "name: [")


def no_plugin(folder: Path) -> None:
    (folder / "hello" / "fiftyone.yml").unlink()


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (leaving_link, "leaves the folder"),
        (leaving_folder, "leaves the folder"),
        (inner_folder_link, "leads to no file"),
        (dangling_link, "leads to no file"),
        (pipe, "neither a file nor a folder"),
        (unix_socket, "neither a file nor a folder"),
        (line_break, "not every system can write"),
        (backslash, "not every system can write"),
        (not_utf8, "not every system can write"),
        (same_but_for_case, "not every system tells apart"),
        (same_but_for_composition, "not every system tells apart"),
        (same_plugin_twice, "holds the plugin `@example/hello` twice"),
        (nameless, "names no plugin"),
        (no_yaml, "names no plugin"),
        (no_plugin, "holds no plugin"),
        (no_folder, "is no folder"),
    ],
)
def test_what_cannot_be_packed_is_refused_by_name(plugins: Path, spoil: Callable[[Path], None], expected: str) -> None:
    spoil(plugins)
    with pytest.raises(RefusalError, match=expected):
        plugin_archive(plugins)


# The folder of the fixture `plugins`, packed.
EXPECTED = "934dd574cb9eb5c1e0acbb269ef0ab1ffee4665d29554ad38f791b07bdb9a583"
