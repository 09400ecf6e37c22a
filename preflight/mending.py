"""Which requirements keep an image whole, tried out: the image's own, on what would be replaced against them.

Owns the search and its words. Where a package cannot be kept so, the reason is the resolver's.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from preflight.judgement import Violation, violations
from preflight.resolver import NoAnswerError, NoSolutionError, RefusedError, Resolver
from preflight.runtime import Image

# A requirement more may bring other versions, which break something else.
ROUNDS: Final = 4


def mends(text: str, image: Image, resolver: Resolver, broken: Iterable[Violation], key: str) -> Mapping[str, str]:
    """What to do, by the package that would be replaced; `key` is the setting that the requirements belong to."""
    found = broken = list(broken)
    kept: dict[str, Requirement] = {}
    impossible: dict[str, str] = {}
    try:
        for _ in range(ROUNDS):
            wanted = {name: need for name, need in _needed(text, found).items() if name not in {*kept, *impossible}}
            if not wanted:
                break
            if not _reason(text, {**kept, **wanted}, image, resolver):
                kept |= wanted
            else:
                for name, need in wanted.items():
                    if reason := _reason(text, {**kept, name: need}, image, resolver):
                        impossible[name] = reason
                    else:
                        kept[name] = need
            found = list(violations(image, resolver.changes(_with(text, kept), image)))
    except (NoAnswerError, RefusedError) as error:
        return {violation.needs: f"could not be tried, because {error}" for violation in broken}
    lines = ", ".join(f"`{requirement}`" for requirement in kept.values())
    rest = f", but for {', '.join(sorted(impossible))}" if impossible else ""
    add = f"add {lines} to {key}: tried, and the image keeps what it requires{rest}"
    left = "have the package that requires it replaced too, by naming a newer one in"
    return dict.fromkeys(kept, add) | {
        name: f"it cannot be kept: {reason} {left[0].upper()}{left[1:]} {key}" for name, reason in impossible.items()
    }


def _needed(text: str, broken: Iterable[Violation]) -> dict[str, Requirement]:
    """What keeps each package that would be replaced against the image, beside what is asked for already.

    Of what the image requires, that is the part which the new version breaks, and of upper bounds the lowest.
    """
    needed = {canonicalize_name(Requirement(line).name): Requirement(line) for line in text.splitlines()}
    parts: dict[str, set[Specifier]] = {}
    for violation in broken:
        broken_parts = (part for part in SpecifierSet(violation.specifier) if violation.after not in part)
        parts.setdefault(violation.needs, set()).update(broken_parts)
    found: dict[str, Requirement] = {}
    for name, of_name in parts.items():
        below = sorted((part for part in of_name if part.operator == "<"), key=lambda part: Version(part.version))
        kept = [*below[:1], *(part for part in of_name if part.operator != "<")]
        found[name] = needed.get(canonicalize_name(name), Requirement(name))
        found[name].specifier &= SpecifierSet(",".join(map(str, kept)))
    return found


def _reason(text: str, more: Mapping[str, Requirement], image: Image, resolver: Resolver) -> str:
    """Why requirements cannot be met together with more of them; empty if they can."""
    try:
        resolver.possible(_with(text, more), image)
    except NoSolutionError as error:
        return str(error)
    return ""


def _with(text: str, more: Mapping[str, Requirement]) -> str:
    return "\n".join([text, *map(str, more.values())])
