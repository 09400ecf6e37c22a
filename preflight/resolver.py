"""What installing requirements on an image would change, as uv resolves it; and uv's failures in kinds of our own.

The image becomes a folder of its packages' metadata, without the packages, and uv plans an installation into it
(`uv pip install --dry-run --target`). That comes closest to pip on a cluster: what is installed and satisfies is kept,
its own requirements count, and packages that no index has are there. (`uv pip compile` with the image as preferences,
the other way, forgets the last two.) pip decides on what is asked for by name before it looks at what that requires,
and uv may take an older one to keep the image: so the versions by name are asked for first, and uv is held to them. How
this compares to pip's own dry run: docs/preflight.md.

The private index is added to the public one as on clusters, where pip takes the best version of both
(`unsafe-best-match`). Its address, which holds a token, goes to uv by environment and is hidden in what uv says. Owns
no judgement of what would change.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from uv import find_uv_bin

from preflight.runtime import Image
from toolchain.environment import SHUT_OUT

# A resolution takes a few seconds where nothing is cached; an index that has not answered by then does not.
SECONDS: Final = 90
REQUEST: Final = {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}
# Whom to trust is the system's to say, as for pip, unless the environment says otherwise.
SYSTEM: Final = {"UV_SYSTEM_CERTS": "true"}
# Where uv looks for packages unless told otherwise: all of it gives way where one index alone is asked.
PLACES: Final = ("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL")
LONGEST: Final = 900
# With it uv does not say that an index refuses, so where one alone is asked it is left out.
BEST: Final = ("--index-strategy", "unsafe-best-match")
HIDDEN: Final = "the private index"


class NoAnswerError(Exception):
    """An index could not be asked; the text completes "not checked because"."""


class RefusedError(Exception):
    """The private index does not accept its credentials."""


class NoSolutionError(Exception):
    """No set of versions satisfies the requirements; the text is uv's reason."""


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """uv with the indexes of a stack. `private` is its private index with the token, or None to go without."""

    environ: Mapping[str, str] = field(repr=False)
    private: str | None = field(default=None, repr=False)
    folders: dict[str, "TemporaryDirectory[str]"] = field(default_factory=dict[str, "TemporaryDirectory[str]"])

    def changes(self, requirements: str, image: Image) -> dict[str, str]:
        """The packages that would be installed, by name with their version, new ones and replaced ones.

        Raises:
            NoAnswerError: an index is out of reach.
            RefusedError: the private index wants other credentials.
            NoSolutionError: the requirements cannot be met.
        """
        environ = self._both
        by_name = self._plan(requirements, image, [*BEST, "--no-deps"], environ)
        pins = [f"{name}=={version}" for name, version in by_name.items()]
        try:
            return self._plan("\n".join([requirements, *pins]), image, BEST, environ)
        except NoSolutionError:
            # The newest do not go together: then pip tries older ones, too.
            return self._plan(requirements, image, BEST, environ)

    def possible(self, requirements: str, image: Image) -> None:
        """Only whether the requirements can be met, by whichever versions. Raises as `changes` does."""
        self._plan(requirements, image, BEST, self._both)

    def newest(self, requirement: str, image: Image, *, private: bool) -> str:
        """The newest version on one index alone that satisfies a requirement. Raises as `changes` does."""
        environ = self._uv_environment({})
        if private:
            alone = {name: value for name, value in environ.items() if name not in PLACES}
            environ = {**alone, "UV_DEFAULT_INDEX": self.private or ""}
        nothing = replace(image, title="nothing", installed={}, declared={})
        (version,) = self._plan(requirement, nothing, ["--no-deps"], environ).values()
        return version

    @property
    def _both(self) -> dict[str, str]:
        return self._uv_environment({"UV_EXTRA_INDEX_URL": self.private} if self.private else {})

    def _uv_environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in self.environ.items() if not name.startswith(SHUT_OUT)}
        return {**SYSTEM, **kept, **REQUEST, **more}

    def _plan(self, requirements: str, image: Image, flags: Sequence[str], environ: dict[str, str]) -> dict[str, str]:
        with TemporaryDirectory() as scratch:
            target = self._folder(image)
            file = Path(scratch) / "requirements.txt"
            file.write_text(requirements)
            command = [
                *(find_uv_bin(), "pip", "install", "--dry-run", "--output-format", "json", "--target", target),
                *("--python", sys.executable, "--no-python-downloads", "--no-progress", "--color", "never"),
                *("--python-version", image.python, "--python-platform", image.platform),
                *(*flags, "-r", file),
            ]
            try:
                done = subprocess.run(
                    command, cwd=scratch, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                raise NoAnswerError(f"the package index took more than {SECONDS} s") from None
        if done.returncode:
            raise self._failure(done.returncode, done.stderr)
        changes: list[dict[str, Any]] = json.loads(done.stdout)["changes"]
        return {change["name"]: change["version"] for change in changes if change["action"] == "installed"}

    def _folder(self, image: Image) -> Path:
        """The image's folder, which uv only reads; it goes with this process."""
        if image.title not in self.folders:
            folder = TemporaryDirectory(prefix="preflight-")
            write_metadata(image, Path(folder.name) / "image")
            self.folders[image.title] = folder
        return Path(self.folders[image.title].name) / "image"

    def _failure(self, code: int, stderr: str) -> Exception:
        """Uv's answer in one of our kinds: its code is 1 where there is no solution, and 2 for all else."""
        said = " ".join(hidden(stderr, self.private).split())
        reason = re.sub(r"^.*?error: |\bcause: ", "", said)
        shown = reason if len(reason) <= LONGEST else f"{reason[:LONGEST]} …"
        unaccepted = "lack of valid authentication credentials" in said
        if unaccepted and self.private and HIDDEN in said:
            return RefusedError(shown)
        if code == 1 and not unaccepted:
            return NoSolutionError(shown.removeprefix("No solution found when resolving dependencies "))
        unreachable = re.search(r"Failed to fetch: (the private index|https?://[^/\s]+).* cause: (.+)", said)
        if unreachable:
            return NoAnswerError(f"{unreachable[1]} could not be reached from here ({unreachable[2]})")
        return NoAnswerError(f"uv could not tell: {shown}")


def hidden(text: str, address: str | None) -> str:
    """What uv said, without the private index's address and without what in it may be a credential."""
    if not address:
        return text
    parts = urlsplit(address)
    text = re.sub(rf"https?://[^\s`'\"()]*{re.escape(parts.hostname or address)}[^\s`'\"()]*", HIDDEN, text)
    values = (value for _, value in parse_qsl(parts.query))
    for secret in filter(None, (parts.username, parts.password, parts.query, *values)):
        for written in {secret, unquote(secret)}:
            text = text.replace(written, "…")
    return text


def write_metadata(image: Image, folder: Path) -> None:
    """An image's packages as installers see them, and nothing else of them."""
    folder.mkdir()
    for name, version in image.installed.items():
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += (f"Requires-Dist: {requirement}" for requirement in image.requires.get(name, ()))
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "RECORD").write_text("")
