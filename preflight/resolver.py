"""What installing requirements on an image would change, as uv resolves it; and uv's failures in kinds of our own.

The image becomes a folder of its packages' metadata, without the packages, and uv plans an installation into it
(`uv pip install --dry-run --target`). That comes closest to pip on a cluster: what is installed and satisfies is kept,
its own requirements count, and packages that no index has are there. (`uv pip compile` with the image as preferences, the
other way, forgets the last two.) The private index is added to the public one as on clusters, where pip takes the best
version of both (`unsafe-best-match`); its address, which holds a token, goes to uv by environment, and is hidden in what
uv says. Owns no judgement of what would change.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from uv import find_uv_bin

from preflight.runtime import Image
from toolchain.environment import SHUT_OUT

# A resolution takes a few seconds where nothing is cached; an index that has not answered by then does not.
SECONDS: Final = 90
REQUEST: Final = {"UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1"}
# Where uv looks for packages unless told otherwise: all of it gives way where one index alone is asked.
PLACES: Final = ("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL")
LONGEST: Final = 900
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

    def changes(self, requirements: str, image: Image) -> dict[str, str]:
        """The packages that would be installed, by name with their version, new ones and replaced ones.

        Raises:
            NoAnswerError: an index is out of reach.
            RefusedError: the private index wants other credentials.
            NoSolutionError: the requirements cannot be met.
        """
        both = {"UV_EXTRA_INDEX_URL": self.private} if self.private else {}
        return self._plan(requirements, image, [], self._uv_environment(both))

    def newest(self, requirement: str, image: Image, *, private: bool) -> str:
        """The newest version on one index alone that satisfies a requirement. Raises as `changes` does."""
        environ = self._uv_environment({})
        if private:
            alone = {name: value for name, value in environ.items() if name not in PLACES}
            environ = {**alone, "UV_DEFAULT_INDEX": self.private or ""}
        nothing = Image(title="", python=image.python, platform=image.platform, installed={}, declared={})
        (version,) = self._plan(requirement, nothing, ["--no-deps"], environ).values()
        return version

    def _uv_environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in self.environ.items() if not name.startswith(SHUT_OUT)}
        return {**kept, **REQUEST, **more}

    def _plan(self, requirements: str, image: Image, flags: list[str], environ: dict[str, str]) -> dict[str, str]:
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "image"
            write_metadata(image, target)
            file = Path(scratch) / "requirements.txt"
            file.write_text(requirements)
            command = [
                *(find_uv_bin(), "pip", "install", "--dry-run", "--output-format", "json", "--target", target),
                *("--python", sys.executable, "--no-python-downloads", "--no-progress", "--color", "never"),
                *("--python-version", image.python, "--python-platform", image.platform),
                *("--index-strategy", "unsafe-best-match", *flags, "-r", file),
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

    def _failure(self, code: int, stderr: str) -> Exception:
        """uv's answer in one of our kinds: its code is 1 where there is no solution, and 2 for all else."""
        said = " ".join(hidden(stderr, self.private).split())
        reason = re.sub(r"^.*?error: |\bcause: ", "", said)
        shown = reason if len(reason) <= LONGEST else f"{reason[:LONGEST]} …"
        unaccepted = "lack of valid authentication credentials" in said
        if unaccepted and self.private and HIDDEN in said:
            return RefusedError(shown)
        if code == 1 and not unaccepted:
            return NoSolutionError(shown.removeprefix("No solution found when resolving dependencies "))
        unreachable = re.search(r"Failed to fetch: (the private index|https?://[^/\s]+)", said)
        if unreachable:
            return NoAnswerError(f"{unreachable[1]} could not be reached from here")
        return NoAnswerError(f"uv could not tell: {shown}")


def hidden(text: str, address: str | None) -> str:
    """What uv said, without the private index's address and without what in it may be a credential."""
    if not address:
        return text
    parts = urlsplit(address)
    text = re.sub(rf"https?://[^\s`'\"()]*{re.escape(parts.hostname or address)}[^\s`'\"()]*", HIDDEN, text)
    for secret in filter(None, (parts.username, parts.password, parts.query)):
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
