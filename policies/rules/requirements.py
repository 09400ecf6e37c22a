"""Rules on what runs install: FiftyOne pinned exactly, opencv below the version that aborts, and nothing beside it.

Sources: guide, "Create requirements.txt"; the version at which opencv aborts on Databricks' FIPS images was seen there.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import Version

from rules.clusters import JOB, tasks
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import version
from rules.values import ABSENT, UNKNOWN, Properties, at, entries, text

FILE: Final = "databricks:index/workspaceFile:WorkspaceFile"
SUFFIX: Final = "requirements.txt"
WORKSPACE: Final = "/Workspace"  # what a job writes before a file's path, and the file itself goes without
OPENCV: Final = ("opencv-python", "opencv-python-headless")

OPENCV_BELOW: Final = Limit(
    name="opencvBelow",
    default="4.13.0.90",
    parse=version,
    why="The version of opencv that aborts on Databricks' FIPS images with an OpenSSL self-test failure.",
)


def requirements(file: Resource, context: Context) -> Iterator[Finding]:
    """What a requirements file says; other files are none of this rule's."""
    if not (file.name.endswith(SUFFIX) or text(file.properties, "path").endswith(SUFFIX)):
        return
    content = at(file.properties, "contentBase64")
    if content is UNKNOWN:
        yield Finding(what=f"what {file.name} requires", urn=file.urn, later=True)
        return
    if (lines := _lines(content)) is None:
        problems = ["cannot be read here: its content is not in `contentBase64`"]
    else:
        problems = list(_problems(lines, context[OPENCV_BELOW]))
    for problem in problems:
        yield Finding(
            what=f"{file.name} {problem}",
            why="workers must run the deployment's FiftyOne from the private index, and opencv from "
            f"{context[OPENCV_BELOW]} on aborts when it is imported, whoever brings it",
            mend=f"mend `fiftyone:version` or `orchestrators.{file.name.removesuffix('-' + SUFFIX)}.requirements`",
            urn=file.urn,
        )


def requirements_file(resources: Sequence[Resource], _context: Context) -> Iterator[Finding]:
    """Tasks install from a requirements file that this stack makes, and from nothing else."""
    files = of_type(resources, FILE)
    for job in of_type(resources, JOB):
        wrong: dict[str, list[str]] = {}
        for task in (task for task in tasks(job) if not _nested(task)):
            if problem := _library_problem(task, files):
                wrong.setdefault(problem, []).append(text(task, "taskKey"))
        for problem, keys in wrong.items():
            yield Finding(
                what=f"tasks {', '.join(keys)} of job {job.name} {problem}",
                why="what is installed from there is not pinned by this stack's rules",
                mend="have the task install from the orchestrator's requirements file alone",
                urn=job.urn,
            )


def _nested(task: Properties) -> bool:
    """Whether another task runs in its place; where that is unknown, workers-on-pools leaves it to the update."""
    inner = at(task, "forEachTask")
    return inner is UNKNOWN or isinstance(inner, Mapping)


def _library_problem(task: Properties, files: Sequence[Resource]) -> str | None:
    libraries = entries(task, "libraries")
    paths = [text(library, "requirements") for library in libraries]
    if not any(paths):
        return "install from no requirements file"
    if not all(paths):
        return "install a library beside the requirements file"
    foreign = [path for path in paths if not any(_is_at(file, path) for file in files)]
    if foreign:
        return f"install from {_shown(foreign)}, which this stack does not make"
    unread = [path for path in paths if not path.endswith(SUFFIX)]  # the rule `requirements` goes by that suffix
    return f"install from {_shown(unread)}, whose name does not end in {SUFFIX}" if unread else None


def _is_at(file: Resource, path: str) -> bool:
    """Whether a file lies where a task looks for it; as long as its own path is unknown, only its name can tell."""
    if not path.startswith(f"{WORKSPACE}/"):
        return False
    known = at(file.properties, "path")
    if known is UNKNOWN:
        return path.rpartition("/")[2] == file.name
    return isinstance(known, str) and path == f"{WORKSPACE}{known.removeprefix(WORKSPACE)}"


def _shown(paths: Sequence[str]) -> str:
    """Paths for people; what is none may be an address with a token in it."""
    return ", ".join(path if path.startswith("/") else "what is no path" for path in paths)


def _problems(lines: Sequence[str], opencv_below: str) -> Iterator[str]:
    found: dict[str, Requirement] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except (ValueError, RecursionError):  # packaging refuses most, and trips over absurd numbers and brackets
            yield "holds a line that is no requirement, such as an option or a bare address"
            continue
        name = canonicalize_name(requirement.name)
        if name in found:
            yield f"names {name} twice"
        found[name] = requirement
    # The address itself is not shown: such a one may hold a token, which then stands in the file in the clear as well.
    by_address = [name for name, requirement in found.items() if requirement.url is not None]
    if by_address:
        yield f"installs {' and '.join(by_address)} from an address, which no version bounds"
    fiftyone = found.get("fiftyone")
    pinned = fiftyone is not None and fiftyone.marker is None and _exact(list(fiftyone.specifier))
    if not pinned and "fiftyone" not in by_address:
        yield "does not pin fiftyone to one version with `==`"
    bound = Version(opencv_below)
    loose = [
        name
        for name in sorted({*OPENCV, *(name for name in found if name.startswith("opencv-"))} - {*by_address})
        if name not in found or found[name].marker is not None or not _below(list(found[name].specifier), bound)
    ]
    if loose:
        yield f"does not keep {' and '.join(loose)} below {opencv_below}"


def _exact(specifiers: list[Specifier]) -> bool:
    return len(specifiers) == 1 and specifiers[0].operator == "==" and not specifiers[0].version.endswith("*")


def _below(specifiers: list[Specifier], bound: Version) -> bool:
    """Whether one of the specifiers keeps out the bound and all above it."""
    for specifier in specifiers:
        if specifier.version.endswith("*"):
            continue
        try:
            found = Version(specifier.version)
        except ValueError:  # `===` takes any text, and a version may have too many digits to be read
            continue
        if (specifier.operator == "<" and found <= bound) or (specifier.operator in ("<=", "==") and found < bound):
            return True
    return False


def _lines(content: object) -> list[str] | None:
    """The requirements of a file, without comments and empty lines; None where it is not text in base64."""
    if content is ABSENT or not isinstance(content, str):
        return None
    try:
        decoded = base64.b64decode(content, validate=True).decode()
    except ValueError:
        return None
    lines = [line.strip() for line in decoded.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


RULES: Final = (
    ResourceRule(
        name="requirements",
        says="Runs install FiftyOne pinned exactly, and opencv below the version that aborts.",
        types=(FILE,),
        check=requirements,
        limits=(OPENCV_BELOW,),
    ),
    StackRule(
        name="requirements-file",
        says="Tasks install from a requirements file that this stack makes, and from nothing else.",
        types=(JOB, FILE),
        check=requirements_file,
    ),
)
