"""The version of a checkout stands in one place, the changelog, in order and in a form that people and tools know."""

import re
import subprocess
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[2]
HEADINGS = re.findall(r"^## (.*)$", (REPO / "CHANGELOG.md").read_text(), re.MULTILINE)
RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})")


def test_versions_are_dated_and_the_newest_comes_first() -> None:
    releases = [RELEASE.fullmatch(heading) for heading in HEADINGS if heading != "[Unreleased]"]
    assert all(releases)
    assert "[Unreleased]" not in HEADINGS[1:]
    versions = [tuple(int(part) for part in release.groups()[:3]) for release in releases if release]
    days = [date.fromisoformat(release[4]) for release in releases if release]
    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)


def test_changes_are_of_the_kinds_that_keep_a_changelog_has() -> None:
    kinds = re.findall(r"^### (.*)$", (REPO / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert kinds
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_no_other_file_says_what_the_version_is() -> None:
    pattern = r"^__version__|^version\s*[:=]"
    # A plugin has a version of its own.
    command = ["git", "grep", "-nE", pattern, "--", ":!examples"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.stdout == ""
