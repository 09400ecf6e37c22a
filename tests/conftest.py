"""What pytest has to know before it collects, and what the whole of the tests says at its end."""

import os
from collections.abc import Iterator

import pytest

from tests import where_time_goes
from tests.faults import table
from tests.faults.table import pytest_addoption as pytest_addoption


@pytest.fixture(autouse=True)
def environment_stays() -> Iterator[None]:
    """What one test leaves in the environment, others in the same process would deploy with. Named without values."""
    before = dict(os.environ)
    yield
    after = dict(os.environ)
    os.environ.clear()
    os.environ.update(before)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {"PYTEST_CURRENT_TEST"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table.summary(terminalreporter)
    where_time_goes.summary(terminalreporter)
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    if left_out := [report.nodeid for report in skipped if report.nodeid.startswith("tests/browser/")]:
        terminalreporter.write_line(
            f"{len(left_out)} tests of the console were LEFT OUT: this machine has no Chromium. On Debian and Ubuntu: "
            "apt install chromium",
            yellow=True,
        )
