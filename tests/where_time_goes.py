"""Where the time of a run of pytest went: by tier, and the slowest files, in seconds of a worker."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

SHOWN_FILES = 10


def summary(terminalreporter: Any) -> None:
    """Say it where there is more than one file."""
    seconds: defaultdict[str, float] = defaultdict(float)
    tests: defaultdict[str, set[str]] = defaultdict(set)
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        if isinstance(report, pytest.TestReport):
            file = report.nodeid.partition("::")[0]
            seconds[file] += report.duration
            tests[file].add(report.nodeid)
    if len(seconds) > 1:
        terminalreporter.section("where the time went, in seconds of a worker")
        for line in lines(seconds, {file: len(ids) for file, ids in tests.items()}):
            terminalreporter.write_line(line)


def lines(seconds: Mapping[str, float], tests: Mapping[str, int]) -> list[str]:
    """All tiers, then the slowest files, each with its number of tests."""
    tier_seconds: defaultdict[str, float] = defaultdict(float)
    tier_tests: Counter[str] = Counter()
    for file, spent in seconds.items():
        tier = "/".join(file.split("/")[:2])
        tier_seconds[tier] += spent
        tier_tests[tier] += tests[file]
    tiers = [f"{spent:6.0f}  {tier}, {tier_tests[tier]} tests" for tier, spent in _longest(tier_seconds)]
    files = [f"{spent:6.0f}  {file}, {tests[file]} tests" for file, spent in _longest(seconds)[:SHOWN_FILES]]
    return [*tiers, "of which the slowest files:", *files]


def _longest(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda each: each[1], reverse=True)
