"""docs/troubleshooting.md, made of the causes: `python -m troubleshooting.page` prints it."""

from collections.abc import Iterator

from troubleshooting.causes import CAUSES, mend_of

INTRODUCTION = """\
# From a message to its cause

<!-- Made by `make troubleshooting` of troubleshooting/causes.py; a test keeps it current. -->

What a run, Databricks or FiftyOne says, what it comes from, and what to do. `make verify`, `make run` and the refresh
of operators name the cause themselves where they meet one of these. `make verify STACK=…` follows the whole chain and
names its first broken link, and `make preflight STACK=…` finds conflicts of packages before a cluster does.
"""


def page() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for cause in CAUSES:
        mend = mend_of(cause, "…")
        yield f"## {cause.message}\n"
        yield f"{cause.cause}\n"
        yield f"**What to do:** {mend[0].upper()}{mend[1:]}\n"
        yield f"*Source: {cause.source}*\n"


if __name__ == "__main__":
    print(page(), end="")
