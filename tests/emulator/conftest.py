"""A server process of its own for the tests, and the clients that drive it: databricks-sdk's, and a raw one."""

import importlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient

from tests.emulator.emulator_harness import Principal, Runner, Server, new_principal, run, started


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("workspace")
    yield started(home, "--port", "0")
    run("stop", "--home", home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home of the test's own, whose server is ended afterwards."""
    yield tmp_path / "home"
    run("stop", "--home", tmp_path / "home")


@pytest.fixture(scope="session")
def w(server: Server) -> WorkspaceClient:
    return server.sdk()


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[httpx.Client]:
    with server.http() as client:
        yield client


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"n-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def pool_id(w: WorkspaceClient, name: str) -> str:
    return w.instance_pools.create(name, "m5.xlarge", custom_tags={"team": "one"}).instance_pool_id or ""


@pytest.fixture
def made(w: WorkspaceClient, name: str) -> Principal:
    """A service principal of the test's own."""
    return new_principal(w, name)


@pytest.fixture
def runner(w: WorkspaceClient, http: httpx.Client, name: str) -> Runner:
    return Runner(w, http, name)


@pytest.fixture
def fom(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The stand-in of `fiftyone.management`, as a program has it whose environment names the server."""
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    monkeypatch.setenv("FIFTYONE_CONFIG_PATH", str(tmp_path / "none.json"))
    monkeypatch.setenv("FIFTYONE_API_URI", f"{server.address}/fiftyone")
    monkeypatch.setenv("FIFTYONE_API_KEY", server.credential("fiftyone-api-key"))
    module = importlib.import_module("emulator.fiftyone_management")
    module.reload_api_connection()
    yield module
    module.reload_api_connection()


@pytest.fixture
def choose(server: Server) -> Iterator[Callable[..., None]]:
    """Chooses among what FiftyOne's documentation leaves open; the defaults hold again afterwards."""
    file = server.home / "fiftyone.json"

    def write(**choices: str) -> None:
        file.write_text(json.dumps(choices))

    yield write
    file.unlink(missing_ok=True)


@pytest.fixture
def ahead(server: Server) -> Iterator[Callable[[float], object]]:
    """Sets the clock of credentials ahead of the machine's, in seconds; it is right again afterwards."""
    file = server.home / "clock-offset-seconds"
    yield lambda seconds: file.write_text(str(seconds))
    file.unlink(missing_ok=True)
