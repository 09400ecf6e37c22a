"""The SDK is loaded with FiftyOne's address and key alone, and each way in which it cannot be says what to do."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest

from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.sdk_module import SURFACE, load

URI: Final = "https://api.example.com"
KEY: Final = "s3cr3t-key"
NAME: Final = "fakeone.management"
# The whole of what a module is checked for.
COMPLETE: Final = """
class OrchestratorEnvironment:
    DATABRICKS = "databricks"
def function(): ...
add_secret = delete_orchestrator = delete_secret = get_orchestrator = get_secret_info = function
list_orchestrators = list_secrets = register_orchestrator = update_secret = function
"""

Package = Callable[..., None]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `FIFTYONE_*` at first; what the module does to them is undone afterwards."""
    ours = {"FIFTYONE_API_URI", "FIFTYONE_API_KEY", "FIFTYONE_CONFIG_PATH"}
    for name in ours | {name for name in os.environ if name.startswith("FIFTYONE_")}:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Writes a package `fakeone` that can be imported during the test, given its files."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(**files: str) -> None:
        folder = tmp_path / "fakeone"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        if name.partition(".")[0] == "fakeone":
            del sys.modules[name]


def loaded(name: str = NAME) -> Any:
    return load(name, uri=URI, key=KEY)


def refused(name: str = NAME) -> str:
    with pytest.raises(FiftyOneError) as caught:
        loaded(name)
    assert not caught.value.again
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ is (caught.value.__context__ is not None)
    assert KEY not in str(caught.value)
    return str(caught.value)


def test_a_module_that_has_all_that_is_needed_is_what_is_loaded(package: Package) -> None:
    package(__init__="", management=COMPLETE)
    assert loaded() is sys.modules[NAME]


def test_a_package_that_is_missing_is_to_be_installed_from_the_private_index() -> None:
    text = refused("fakeone.management")
    assert text.startswith("FiftyOne's management SDK, fakeone.management, is not installed.")
    assert "PIP_EXTRA_INDEX_URL=… .venv/bin/pip install fiftyone==VERSION" in text
    assert "--index-url" not in text, "the address of a private index holds a token, and arguments are seen"


def test_the_open_source_package_is_not_taken_for_fiftyone_enterprise(package: Package) -> None:
    package(__init__="")
    text = refused()
    assert text.startswith("FiftyOne's management SDK, fakeone.management, is not installed.")
    assert "not with the open-source package of the same name" in text


@pytest.mark.parametrize(
    "files", [{"__init__": "import lacking_one"}, {"__init__": "", "management": "import lacking_one"}]
)
def test_a_dependency_that_is_missing_is_named(package: Package, files: dict[str, str]) -> None:
    package(**files)
    text = refused()
    assert "needs `lacking_one`, which is not installed" in text
    assert "private package index" not in text


def test_a_part_of_the_sdk_that_is_missing_is_named(package: Package) -> None:
    package(__init__="", management="import fakeone.internal")
    assert "needs `fakeone.internal`, which is not installed" in refused()


@pytest.mark.parametrize("name", SURFACE)
def test_an_sdk_that_is_too_old_is_told_by_what_it_lacks(package: Package, name: str) -> None:
    package(__init__="", management=f"{COMPLETE}\ndel {name}\n")
    text = refused()
    assert f"fakeone.management, is too old: it has no {name}" in text
    assert "2.11 or later" in text


def test_an_sdk_that_knows_orchestrators_and_not_databricks_is_too_old(package: Package) -> None:
    package(__init__="", management=COMPLETE.replace("DATABRICKS", "KUBERNETES"))
    assert "is too old: it has no OrchestratorEnvironment.DATABRICKS." in refused()


@pytest.mark.parametrize("raised", ["RuntimeError", "ImportError", "ValueError"])
def test_an_import_that_fails_is_said_and_not_quoted(package: Package, raised: str) -> None:
    package(__init__="", management=f"import os\nraise {raised}(os.environ['FIFTYONE_API_KEY'])")
    assert f"fakeone.management, fails while it is imported ({raised})" in refused()


def test_each_failure_has_a_message_of_its_own(package: Package) -> None:
    package(__init__="", old="", broken="1 / 0", lacking="import lacking_one", management=COMPLETE)
    found = [refused(f"fakeone.{name}").replace(name, "") for name in ("absent", "old", "broken", "lacking")]
    assert len(set(found)) == 4


@pytest.mark.parametrize("management", [COMPLETE, "", "1 / 0"])
def test_the_environment_holds_of_fiftyone_the_address_the_key_and_no_configuration_file(
    package: Package, monkeypatch: pytest.MonkeyPatch, management: str
) -> None:
    package(__init__="", management=management)
    for name, value in {
        "FIFTYONE_DATABASE_URI": "mongodb://user:password@example.com",
        "FIFTYONE_API_KEY": "another",
        "FIFTYONE_API_URI": "https://other.example.com",
        "FIFTYONE_CONFIG_PATH": "/home/me/.fiftyone/config.json",
        "NOT_FIFTYONE_DATABASE_URI": "stays",
    }.items():
        monkeypatch.setenv(name, value)
    others = {name: value for name, value in os.environ.items() if not name.startswith("FIFTYONE_")}
    with nullcontext() if management == COMPLETE else pytest.raises(FiftyOneError):
        loaded()
    ours = {name: value for name, value in os.environ.items() if name.startswith("FIFTYONE_")}
    assert dict(os.environ) == others | ours
    no_file = Path(ours.pop("FIFTYONE_CONFIG_PATH"))
    assert ours == {"FIFTYONE_API_URI": URI, "FIFTYONE_API_KEY": KEY}
    assert not no_file.exists()
    with pytest.raises(NotADirectoryError):
        no_file.touch()


def test_the_module_finds_that_environment_already_while_it_is_imported(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", "mongodb://example.com")
    package(
        __init__="import os\nfound = {name for name in os.environ if name.startswith('FIFTYONE_')}",
        management=COMPLETE,
    )
    loaded()
    assert sys.modules["fakeone"].found == {"FIFTYONE_API_URI", "FIFTYONE_API_KEY", "FIFTYONE_CONFIG_PATH"}
