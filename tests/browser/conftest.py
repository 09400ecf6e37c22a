"""A real browser on a server of the test's own. A machine without one leaves these tests out, unless REQUIRE_BROWSER is
set, and then they fail."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.deployment import Deployment
from tests.emulator.emulator_harness import Server, run, started

# A busy machine takes its time to start a run; what is there is seen at once.
PATIENCE_MS = 60_000
NAMES = ("chromium", "google-chrome", "chromium-browser")


# Of a module: while one runs, nothing else in this process can run an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip
        missing(f"none of {', '.join(NAMES)} is on PATH")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose program must have no error, of its own or of the browser's rules for it."""
    problems: list[str] = []
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    page.close()
    # What the browser itself says of a server that is gone, or of a refusal that the page shows.
    assert [problem for problem in problems if not problem.startswith("Failed to load resource")] == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    yield started(tmp_path / "home", "--port", "0")
    run("stop", "--home", tmp_path / "home")


@pytest.fixture
def deployment(server: Server) -> Iterator[Deployment]:
    with server.http() as http:
        deployment = Deployment(server, http)
        deployment.register()
        yield deployment
