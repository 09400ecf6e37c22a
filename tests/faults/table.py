"""The size and the result of the matrix, as a table at the end of a run of pytest: resources and verbs by classes."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.cell import Cell

PROPERTY = "fault"
SHORT = {
    "connection refused": "refused",
    "reset before the act, and out of reach from then on": "reset",
    "cut after the act": "cut",
    "cut after the act, and out of reach from then on": "gone",
    "slow beyond the timeout": "slow",
    "429 with Retry-After": "429",
    "stale read after a write": "stale",
    "the workspace restarts": "restart",
    "SIGKILL after the act": "kill",
    "SIGKILL before the act": "kill-",
    "SIGINT": "int",
    "SIGINT twice, after the act": "int2",
    "two at once": "two",
    "reset before the act, and out of reach from then on, taken back": "reset, back",
    "cut after the act, and out of reach from then on, taken back": "gone, back",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole-matrix", action="store_true", help="meet all faults, and not only a cut of them")


def note(record_property: Callable[[str, object], None], cells: list[Cell]) -> None:
    """Keep cells for the table, and fail on those that are red."""
    for cell in cells:
        record_property(PROPERTY, [cell.resource, cell.verb, cell.fault, cell.name, list(cell.wrong)])
    red = [cell for cell in cells if cell.wrong]
    assert cells
    assert not red, "\n".join([f"{len(red)} of {len(cells)} are red", *(f"{cell.name}: {cell.wrong}" for cell in red)])


def summary(terminalreporter: Any) -> None:
    noted = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == PROPERTY and report.when == "call"
    ]
    if noted:
        terminalreporter.section("faults")
        for line in lines(noted):
            terminalreporter.write_line(line)


def lines(noted: list[list[Any]]) -> list[str]:
    """The table: how many faults each resource met in each verb, by class, and how many of them ended wrong."""
    counts: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for resource, verb, fault, _, wrong in noted:
        count = counts[resource, verb][SHORT.get(str(fault), str(fault))]
        count[0] += 1
        count[1] += bool(wrong)
    found = {name for row in counts.values() for name in row}
    columns = [name for name in SHORT.values() if name in found]
    columns += sorted(found.difference(columns))
    table = [["resource", "verb", *columns]]
    for resource, verb in sorted(counts):
        row = counts[resource, verb]
        table.append([resource, verb, *(_shown(row[column]) if column in row else "" for column in columns)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown = ["  ".join(f"{entry:<{width}}" for entry, width in zip(row, widths, strict=True)).rstrip() for row in table]
    red = [(name, wrong) for *_, name, wrong in noted if wrong]
    shown.append(f"{len(noted)} faults, {len(noted) - len(red)} green, {len(red)} red")
    return [*shown, *(f"red: {name}: {wrong[0]}" for name, wrong in red)]


def _shown(count: list[int]) -> str:
    met, red = count
    return f"{met} ({red} red)" if red else str(met)
