"""No command of README.md is unaccounted for, and every make target that a page names exists."""

import re
from pathlib import Path

import pytest

from tests.engine import readme
from tests.engine.readme import INSTEAD, LOCAL, NOT_RUN, REAL, blocks, commands, sections

REPO = Path(__file__).parents[2]
PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted((REPO / "docs").glob("*.md"))]


def test_commands_stand_in_the_sections_that_are_run_and_nowhere_else() -> None:
    assert {section for section in sections() if blocks(section, "sh")} == {LOCAL, REAL}
    fences = re.findall(r"^\s*(?:```|~~~)(\w*)$", (REPO / "README.md").read_text(), re.MULTILINE)
    assert set(fences) == {"", "sh", "mermaid"}


def test_what_is_not_run_or_run_otherwise_is_still_on_the_page() -> None:
    shown = [*commands(LOCAL), *commands(REAL)]
    assert len(shown) == len(set(shown))
    assert {*NOT_RUN, *INSTEAD} <= set(shown)
    assert all(NOT_RUN.values())


def test_a_remark_is_no_part_of_a_command_and_a_command_is_never_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "```sh\n# a remark\nmake up  # another\necho 'a#b'\n```\n"
    monkeypatch.setattr(readme, "sections", lambda: {LOCAL: text})
    assert commands(LOCAL) == ["make up", "echo 'a#b'"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    rules = re.findall(r"^([a-z][a-z -]*):(?:\s|$)", (REPO / "Makefile").read_text(), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    code = re.findall(r"`[^`\n]+`", page.read_text()) + re.findall(r"^make .*$", page.read_text(), re.MULTILINE)
    named = {verb for text in code for verb in re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", text)}
    assert named <= targets
