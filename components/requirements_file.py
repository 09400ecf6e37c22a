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
OPENCV_PACKAGES = ("opencv-python", "opencv-python-headless")


def requirements_text(*, version: str, extra: Iterable[str]) -> str:
    """The file's text: one requirement a line, each package once.

    `extra` are requirements that `check_requirements` accepts; one that names a default's package replaces it, except
    that opencv stays capped.
    """
    defaults = [line for line in DEFAULTS.read_text().splitlines() if line and not line.startswith("#")]
    lines = [f"fiftyone=={version}", *defaults, *OPENCV_PACKAGES, *extra]
    chosen = {canonicalize_name(Requirement(line).name): line for line in lines}
    for package in map(canonicalize_name, OPENCV_PACKAGES):
        chosen[package] = str(_capped(Requirement(chosen[package])))
    return "\n".join(chosen.values()) + "\n"


def check_requirements(lines: Sequence[str], *, version: str | None = None) -> None:
    """Refuse lines that are no requirement, come twice, or let in a version that cannot work.

    With `version`, the deployment's, a pin of fiftyone must agree with it.

    Raises:
        RefusalError: names the line. One that may hold a credential is not shown.
    """
    seen: dict[str, str] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            shown = "a line" if "@" in line else f"`{line}`"
            raise RefusalError(
                f"holds {shown} that is not a requirement, so the library install of every run would fail",
                mend="write it as `name==version`; options such as `-r` or `--index-url` have no place here",
            ) from None
        if requirement.url and "@" in urlsplit(requirement.url).netloc:
            raise RefusalError(
                f"holds a URL with a user or password for `{requirement.name}`, which would stand in a workspace file "
                "in the clear",
                mend="use the private index, `fiftyone:pypiUrl`",
            )
        name = canonicalize_name(requirement.name)
        if name in seen:
            raise RefusalError(f"names `{name}` twice, as `{seen[name]}` and `{line}`; pip takes one", mend="keep one")
        seen[name] = line
        _check_pin(name, requirement, version)


def _check_pin(name: str, requirement: Requirement, version: str | None) -> None:
    pin = str(requirement.specifier)
    if name == "fiftyone" and version is not None and pin != f"=={version}":
        raise RefusalError(
            f"asks for `{requirement}` while the deployment runs fiftyone {version}, and workers must run the same",
            mend="drop the line, `fiftyone:version` pins it",
        )
    if name in OPENCV_PACKAGES and _lowest_allowed(requirement.specifier) is None:
        raise RefusalError(
            f"asks for `{requirement}`, but opencv from {OPENCV_ABORTS_FROM} on aborts on Databricks' FIPS images",
            mend="pin an earlier version",
        )


def _lowest_allowed(specifier: SpecifierSet) -> str | None:
    """A version below the one that aborts that `specifier` could mean, or None where there is none."""
    cap = SpecifierSet(f"<{OPENCV_ABORTS_FROM}")
    named = [part.version.removesuffix(".*") for part in specifier]
    candidates = [*named, *(f"{version}.1" for version in named), "0", "4.13.0.89"]
    return next((version for version in candidates if version in specifier & cap), None)


def _capped(requirement: Requirement) -> Requirement:
    requirement.specifier &= SpecifierSet(f"<{OPENCV_ABORTS_FROM}")
    return requirement
