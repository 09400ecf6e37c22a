"""Whether the private index has the deployment's FiftyOne, and what to resolve in its place where it cannot be had.

FiftyOne Enterprise and the open-source package share one name, and pip takes from either index what satisfies a pin. So
the private index is asked alone. One that passes on the public packages is told by the version: those of Enterprise are
2.x, those of the open-source package lie below (its releases on the public index).
"""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from packaging.version import Version

from preflight.resolver import NoAnswerError, NoSolutionError, RefusedError, Resolver
from preflight.result import Result, not_checked, right, wrong
from preflight.runtime import Image

NAME: Final = "FiftyOne on the index"
ENTERPRISE: Final = Version("2")
MEND: Final = "check `fiftyone:version` against the deployment, and `fiftyone:pypiUrl` with whoever gave it to you"


@dataclass(frozen=True, kw_only=True)
class Pin:
    """The version of FiftyOne to resolve with, where to look, and what to say if it is not the deployment's."""

    version: str
    resolver: Resolver
    note: str = ""


def check_index(version: str, resolver: Resolver, image: Image, unread: str = "") -> tuple[Pin | None, Result]:
    """What to resolve with, None where no index answers, and the result.

    `unread` says why there is no private index to ask, where there is none.
    """
    if unread:
        return _open_source(resolver, image), not_checked(NAME, unread)
    host = urlsplit(resolver.private or "").hostname
    try:
        resolver.newest(f"fiftyone=={version}", image, private=True)
    except NoAnswerError as error:
        reached = f"{error}".replace("the private index", f"the private index at {host}")
        return _open_source(resolver, image), not_checked(NAME, reached)
    except RefusedError:
        found = f"the private index at {host} does not accept the credentials in `fiftyone:pypiUrl`"
        return _open_source(resolver, image), wrong(NAME, f"{found}, so no run could install FiftyOne", MEND)
    except NoSolutionError:
        return _open_source(resolver, image), wrong(NAME, _missing(version, resolver, image, host), MEND)
    return Pin(version=version, resolver=resolver), right(NAME, f"the private index at {host} has {version}")


def _missing(version: str, resolver: Resolver, image: Image, host: str | None) -> str:
    """What is there instead of the deployment's version."""
    where = f"the private index at {host}"
    try:
        newest = resolver.newest("fiftyone", image, private=True)
    except NoSolutionError:
        instead = f"{where} has no fiftyone at all"
    except (NoAnswerError, RefusedError) as error:
        instead = f"{where} does not have {version}, and what it has instead is not known, because {error}"
    else:
        kind = "open-source " if Version(newest) < ENTERPRISE else ""
        instead = f"{where} does not have {version}; its newest is the {kind}fiftyone {newest}"
    try:
        resolver.newest(f"fiftyone=={version}", image, private=False)
    except (NoAnswerError, NoSolutionError):
        return f"{instead}: the library install of every run would fail with `Library installation error`"
    return (
        f"{instead}: runs would install the open-source package of that version from the public index, without a word"
    )


def _open_source(resolver: Resolver, image: Image) -> Pin | None:
    """The newest open-source package, from the public index alone."""
    public = replace(resolver, private=None)
    try:
        newest = public.newest(f"fiftyone<{ENTERPRISE}", image, private=False)
    except (NoAnswerError, NoSolutionError):
        return None
    return Pin(
        version=newest,
        resolver=public,
        note=f"resolved with the open-source fiftyone {newest} in the deployment's place",
    )
