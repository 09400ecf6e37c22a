"""What a requirements file made by hand asks for beyond the stack's own. Source: guide, "Create requirements.txt"."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from components.refusal import RefusalError
from components.requirements_file import OPENCV, check_requirements

# The text of a file of the workspace, or None where it cannot be read.
Read = Callable[[str], str | None]


def lacking(paths: Iterable[str], *, version: str, read: Read) -> Iterator[str]:
    """What a person has to look at: files that cannot be read, and a pin of fiftyone's that is not the settings'."""
    for path in paths:
        text = read(path)
        if text is None:
            yield f"{path}, which cannot be read from here,"
        elif (pin := _named(text).get("fiftyone")) and str(Requirement(pin).specifier) != f"=={version}":
            # Not an address, which may hold a token.
            yield f"fiftyone{Requirement(pin).specifier or ' by address, or unpinned'}"


def more_lines(paths: Iterable[str], ours: str, *, read: Read) -> list[str]:
    """Lines whose package our text has not, or has in another version; fiftyone and opencv are the program's."""
    own = _named(ours)
    lines = [
        line
        for path in paths
        for name, line in _named(read(path) or "").items()
        if name != "fiftyone" and not name.startswith(OPENCV) and _asks_more(line, own.get(name))
    ]
    return list(dict.fromkeys(lines))


def _asks_more(line: str, ours: str | None) -> bool:
    asked = Requirement(line)
    return ours is None or (bool(asked.specifier) and asked.specifier != Requirement(ours).specifier)


def _named(text: str) -> Mapping[str, str]:
    """Requirements by package; what is none, or what the settings would refuse, is left out."""
    found: dict[str, str] = {}
    for line in (line.partition(" #")[0].strip() for line in text.splitlines()):
        try:
            name = canonicalize_name(Requirement(line).name)
            if name != "fiftyone" and not name.startswith(OPENCV):
                check_requirements([line])
            found[name] = line
        except (InvalidRequirement, RefusalError):
            continue
    return found
