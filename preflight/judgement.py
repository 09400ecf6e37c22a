"""What changed packages mean for an image: pure judgement, of what an image has and what an installation would change.

Owns the rules and their words; who resolves is resolver.py. A replaced package is no fault by itself: pip replaces what
the requirements need otherwise. It is one where another package of the image, which stays, requires it otherwise.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from components.requirements_file import OPENCV, OPENCV_ABORTS_FROM
from preflight.result import Result, right, wrong
from preflight.runtime import Image

# The errors that dependency conflicts surface as are the guide's ("Common Issues", "Dependency Conflicts"). It does not
# say which conflict leads to which, beyond what their words do.
UNRESOLVED_SHOWS_AS: Final = "`Library installation error`"
CONFLICT_SHOWS_AS: Final = "`Could not reach driver of cluster` or `Cannot read the python file`"


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A package of the image that stays, and requires another otherwise than it would be installed."""

    package: str
    version: str
    needs: str
    specifier: str
    before: str
    after: str


def replaced(image: Image, changes: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Packages of the image that would change, by name with both versions."""
    return {
        name: (image.installed[name], version)
        for name, version in sorted(changes.items())
        if name in image.installed and Version(image.installed[name]) != Version(version)
    }


def violations(image: Image, changes: Mapping[str, str]) -> Iterator[Violation]:
    """Declared requirements of packages that stay, which the image meets and which would be met no longer."""
    gone = replaced(image, changes)
    for package, requirements in sorted(image.requires.items()):
        if package in gone:
            continue
        for requirement in requirements:
            name = canonicalize_name(requirement.name)
            if name in gone and not requirement.specifier.contains(Version(gone[name][1]), prereleases=True):
                before, after = gone[name]
                yield Violation(
                    package=package,
                    version=image.installed[package],
                    needs=name,
                    specifier=str(requirement.specifier),
                    before=before,
                    after=after,
                )


def shown(violation: Violation) -> str:
    """A violation as people read it: both sides, both versions, and what it looks like in a run."""
    v = violation
    return (
        f"{v.package} {v.version} of the image requires {v.needs}{v.specifier}, and {v.needs} {v.after} would replace "
        f'{v.before}. A run ends with `The requested operation requires that "{v.needs}{v.specifier}" is installed on '
        f'your machine, but found "{v.needs}=={v.after}"` or with {CONFLICT_SHOWS_AS}'
    )


def opencv(name: str, image: Image, changes: Mapping[str, str]) -> Result:
    """Whether opencv is below the version that aborts on Databricks' FIPS images."""
    found = {package: v for package, v in {**image.installed, **changes}.items() if package.startswith(OPENCV)}
    shown = ", ".join(f"{package} {version}" for package, version in sorted(found.items())) or "none"
    if any(Version(version) >= Version(OPENCV_ABORTS_FROM) for version in found.values()):
        return wrong(
            name,
            f"{shown}: opencv from {OPENCV_ABORTS_FROM} on aborts with an OpenSSL self-test failure on Databricks' "
            "FIPS images, as soon as a run imports cv2",
            f"add `<package><{OPENCV_ABORTS_FROM}` to the orchestrator's `requirements` for each of them",
        )
    return right(name, f"{shown}; below {OPENCV_ABORTS_FROM}, which aborts on Databricks' FIPS images")


def imports(name: str, source: str, image: Image, changes: Mapping[str, str]) -> Result:
    """Whether what the entrypoint imports at its beginning is there, such as the guide's nest_asyncio.

    A module is taken for a package of its own name.
    """
    tree = ast.parse(source).body
    modules = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
    wanted = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    present = {**image.installed, **changes}
    lacking = sorted(canonicalize_name(module) for module in wanted if canonicalize_name(module) not in present)
    if lacking:
        return wrong(
            name,
            f"the entrypoint imports {', '.join(lacking)}, which neither the image has nor the requirements bring: "
            "every run would end at once with ModuleNotFoundError",
            f"add {', '.join(f'`{package}`' for package in lacking)} to the orchestrator's `requirements`",
        )
    if wanted:
        return right(name, f"the entrypoint imports {', '.join(sorted(wanted))}, which is there")
    nest = present.get("nest-asyncio")
    there = f"the image has {nest}" if nest else "the image does not have it"
    return right(
        name,
        f"the entrypoint imports Python's own modules alone, and not nest_asyncio as the guide's does ({there})",
    )
