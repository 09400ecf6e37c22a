"""The requirements file of a job: FiftyOne's pin, the guide's packages, the caps that keep runs alive, extra pins.

Owns what the file says; knows nothing of where it is put. Source of the packages: guide, "Create requirements.txt".
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from components.refusal import RefusalError

DEFAULTS = Path(__file__).parent.parent / "job" / "requirements.txt"

# On Databricks' FIPS images this version and later abort with an OpenSSL self-test failure when cv2 is imported.
OPENCV_ABORTS_FROM = "4.13.0.90"
OPENCV = "opencv-"
OPENCV_PACKAGES = ("opencv-python", "opencv-python-headless")


def requirements_text(*, version: str, extra: Iterable[str]) -> str:
    """The file's text: one requirement a line, each package once.

    `extra` are requirements that `check_requirements` accepts; one that names a default's package replaces it, except
    that opencv stays capped.
    """
    defaults = [line for line in DEFAULTS.read_text().splitlines() if line and not line.startswith("#")]
    lines = [f"fiftyone=={version}", *defaults, *OPENCV_PACKAGES, *extra]
    chosen = {canonicalize_name(Requirement(line).name): line for line in lines}
    for name in [name for name in chosen if name.startswith(OPENCV)]:
        requirement = Requirement(chosen[name])
        requirement.specifier &= SpecifierSet(f"<{OPENCV_ABORTS_FROM}")
        chosen[name] = str(requirement)
    return "\n".join(chosen.values()) + "\n"


def check_requirements(lines: Sequence[str], *, version: str | None = None) -> None:
    """Refuse lines that are no requirement, come twice, or let in a version that cannot work.

    With `version`, the deployment's, a pin of fiftyone must agree with it.

    Raises:
        RefusalError: names the line; one with an address, which may hold a credential, is not shown.
    """
    seen: set[str] = set()
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            shown = "a line" if "/" in line or "@" in line else f"`{line}`"
            raise RefusalError(
                f"holds {shown} that is not a requirement, so the library install of every run would fail",
                mend="write it as `name==version`; options such as `-r` or `--index-url` have no place here",
            ) from None
        name = canonicalize_name(requirement.name)
        address = urlsplit(requirement.url or "")
        if "@" in address.netloc or address.query:
            raise RefusalError(
                f"holds an address with a user, password or token for `{name}`, which would stand in a workspace file "
                "in the clear",
                mend="use the private index, `fiftyone:pypiUrl`",
            )
        if name in seen:
            raise RefusalError(f"names `{name}` twice, and pip takes one", mend="keep one")
        seen.add(name)
        if name == "fiftyone" or name.startswith(OPENCV):
            _check_pin(name, requirement, version)


def _check_pin(name: str, requirement: Requirement, version: str | None) -> None:
    if requirement.url or requirement.marker:
        raise RefusalError(
            f"asks for `{name}` by address or under a condition, which would undo its pin", mend="name a version alone"
        )
    if name == "fiftyone" and version is not None and str(requirement.specifier) != f"=={version}":
        raise RefusalError(
            f"asks for `{requirement}` while the deployment runs fiftyone {version}, and workers must run the same",
            mend="drop the line, `fiftyone:version` pins it",
        )
    if name.startswith(OPENCV) and not _allows_some_below(requirement.specifier):
        raise RefusalError(
            f"asks for `{requirement}`, but opencv from {OPENCV_ABORTS_FROM} on aborts on Databricks' FIPS images",
            mend="pin an earlier version",
        )


def _allows_some_below(specifier: SpecifierSet) -> bool:
    """Whether `specifier` can mean a version below the one that aborts: one that it names, or one next to those."""
    both = specifier & SpecifierSet(f"<{OPENCV_ABORTS_FROM}")
    named = [part.version.removesuffix(".*") for part in specifier]
    return any(version in both for version in [*named, *(f"{version}.1" for version in named), "0", "4.13.0.89"])
