"""What pytest has to know before it collects, and what the whole of the tests says at its end."""

import pytest

from tests import where_time_goes
from tests.faults import table
from tests.faults.table import pytest_addoption as pytest_addoption


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
