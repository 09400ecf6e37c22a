"""Links of the documentation lead to files and headings that there are; addresses elsewhere have a form."""

import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

REPO = Path(__file__).parents[2]
PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted((REPO / "docs").glob("*.md"))]
IDS = [str(page.relative_to(REPO)) for page in PAGES]
# Text and target; a bracket, and a pair of parentheses, may stand inside.
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?$", re.MULTILINE)


def prose(text: str) -> str:
    """A page without its blocks of code, in which nothing is a link or a heading."""
    return re.sub(r"^( {0,3})(```|~~~).*?^ {0,3}\2\s*$", "", text, flags=re.MULTILINE | re.DOTALL)


def slug(heading: str) -> str:
    """A heading's anchor as GitHub makes it: small letters, blanks as hyphens, and no punctuation but - and _."""
    plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = "".join(letter for letter in plain.strip().lower() if letter.isalnum() or letter in "-_ ")
    return kept.replace(" ", "-")


@cache
def anchors(text: str) -> set[str]:
    """The anchors of a page; a heading that comes again gets a number."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for heading in HEADING.findall(prose(text)):
        name = slug(heading)
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def links(text: str) -> list[str]:
    """What a page links to, without code in line, which may show what a link looks like."""
    return LINK.findall(re.sub(r"(?<!\[)`[^`\n]*`(?!\])", "", prose(text)))


def broken(page: Path, text: str) -> list[str]:
    """Links of a page to nowhere in this repository, and addresses that are none."""
    return [link for link in links(text) if not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme == "https" and "." in (parts.hostname or "") and not parts.username
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    name = str(target.relative_to(REPO)) if target.is_relative_to(REPO) else ""
    if not any(file == name or file.startswith(f"{name}/") for file in listed()):
        return False
    return not parts.fragment or (target.suffix == ".md" and parts.fragment in anchors(target.read_text()))


@cache
def listed() -> list[str]:
    """The files of the repository, committed or about to be: what only this machine has, nobody else finds."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True)
    return [name for name in done.stdout.split("\0") if (REPO / name).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page, page.read_text()) == []


@pytest.mark.parametrize("page", PAGES[1:], ids=IDS[1:])
def test_every_page_is_linked_from_another(page: Path) -> None:
    others = [other for other in PAGES if other != page]
    targets = {
        (other.parent / link.partition("#")[0]).resolve() for other in others for link in links(other.read_text())
    }
    assert page in targets


@pytest.mark.parametrize(
    ("link", "right"),
    [
        ("docs/access.md", True),
        ("docs/access.md#rotation", True),
        ("docs", True),
        ("docs/", True),
        ("#try-it", True),
        ("https://example.com/a#b", True),
        ("docs/access.md#rotations", False),
        ("docs/no-such-page.md", False),
        ("doc", False),
        ("../elsewhere.md", False),
        (".local/engine", False),
        ("Makefile#up", False),
        ("#nowhere", False),
        ("http://example.com/", False),
        ("https://token@example.com/", False),
        ("https://localhost", False),
    ],
)
def test_what_leads_nowhere_is_found(link: str, *, right: bool) -> None:
    text = f"## Try it\n\nSee [`this` page]({link}).\n"
    page = REPO / "README.md"
    if link.startswith("#"):
        assert (link[1:] in anchors(text)) is right
    else:
        assert (broken(page, text) == []) is right


def test_anchors_are_github_s() -> None:
    page = (
        "# `orchestrators.<instance id>`\n## What runs' images need: a/b, c_d\n## Same\n## Same\n```sh\n# none\n```\n"
    )
    assert anchors(page) == {"orchestratorsinstance-id", "what-runs-images-need-ab-c_d", "same", "same-1"}


def test_links_in_code_are_none() -> None:
    assert links("`[a](b)` and [`c`](d)\n```\n[e](f)\n```\n") == ["d"]
