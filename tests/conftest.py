"""What the whole of the tests says at its end."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    if left_out := [report.nodeid for report in skipped if report.nodeid.startswith("tests/browser/")]:
        terminalreporter.write_line(
            f"{len(left_out)} tests of the console were LEFT OUT: this machine has no Chromium. On Debian and Ubuntu: "
            "apt install chromium",
            yellow=True,
        )
