"""Packs a folder of FiftyOne plugins into one archive: the same bytes from the same files on any machine.

Owns what goes in and what is refused or left out; knows nothing of where the archive is put. Order, times, modes and
owners are fixed, links become the files they lead to, and nothing is compressed, because compressors differ.
"""

import fnmatch
import hashlib
import os
import tarfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from components.refusal import RefusalError

# What FiftyOne takes for a plugin: any folder, at any depth, that holds one of these.
METADATA = ("fiftyone.yml", "fiftyone.yaml")
CLUTTER = (
    "node_modules",
    "venv",
    ".DS_Store",
    ".git",
    ".gitignore",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "*.pyc",
    "__pycache__",
)
# What usually holds credentials and never belongs into an archive that every run can read.
SECRETS = (
    *(".aws", ".azure", ".databrickscfg", ".dockerconfigjson", ".env", ".env.*", ".envrc", ".git-credentials"),
    *(".htpasswd", ".netrc", ".npmrc", ".pgpass", ".pypirc", ".ssh", "*.env", "*.jks", "*.key", "*.p12", "*.pem"),
    *("*.pfx", "*.tfvars", "application_default_credentials.json", "credentials.json", "id_dsa", "id_ecdsa"),
    *("id_ed25519", "id_rsa", "kubeconfig", "secrets.y*ml", "service[-_]account*.json"),
)


@dataclass(frozen=True, kw_only=True)
class PluginArchive:
    """What is packed: names in the archive and the files they come from, in order, and what was left out, and why."""

    files: tuple[tuple[str, Path], ...]
    left_out: tuple[str, ...]

    def write(self, stream: IO[bytes]) -> None:
        """Write the archive, an uncompressed tar.

        Raises:
            OSError: a file cannot be read.
        """
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            for name, file in self.files:
                with file.open("rb") as content:
                    entry = tarfile.TarInfo(name)
                    entry.size = os.fstat(content.fileno()).st_size
                    entry.mode = 0o644
                    tar.addfile(entry, content)

    def measure(self) -> tuple[str, int]:
        """The archive's SHA-256 and its size in bytes, without keeping it."""
        sink = _Measure()
        self.write(sink)  # pyright: ignore[reportArgumentType]
        return sink.digest.hexdigest(), sink.size


def plugin_archive(source: Path) -> PluginArchive:
    """What a folder of plugins packs into.

    Raises:
        RefusalError: the folder holds no plugin, or something that cannot be packed, or must not be.
    """
    if not source.is_dir():
        raise RefusalError(f"is `{source}`, which is no folder", mend="name a folder that holds plugins")
    left_out: list[str] = []
    files = sorted(_files(source, source, left_out), key=lambda found: found[0].encode())
    _refuse_collisions([name for name, _ in files])
    found = {name.rpartition("/")[0]: file for name, file in files if name.rpartition("/")[2] in METADATA}
    plugins = {folder: file for folder, file in found.items() if _outermost(folder, found)}
    if not plugins:
        raise RefusalError(
            f"is `{source}`, which holds no plugin: there is no fiftyone.yml in it", mend="name a folder of plugins"
        )
    _refuse_same_names(plugins)
    kept = [(name, file) for name, file in files if _belongs_to_plugin(name, plugins)]
    strangers = {name.partition("/")[0] for name, _ in files} - {name.partition("/")[0] for name, _ in kept}
    left_out += [f"`{name}`, which holds no plugin" for name in sorted(strangers)]
    return PluginArchive(files=tuple(kept), left_out=tuple(left_out))


def _files(folder: Path, source: Path, left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """Every file below a folder with its name in the archive; links that stay in the source count as their files."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise RefusalError(
            f"holds `{folder}`, which cannot be read: {error.strerror}", mend="make it readable"
        ) from None
    for entry in entries:
        path = Path(entry.path)
        target, root = path.resolve(), source.resolve()
        stays = target.is_relative_to(root)
        inside = target.relative_to(root).parts if stays else ()
        if _matches({entry.name, *inside}, CLUTTER):
            continue
        if _matches({entry.name, *inside}, SECRETS):
            left_out.append(f"`{path}`, which looks like a secret")
            continue
        if not entry.name.isprintable() or "\\" in entry.name:
            raise RefusalError(f"holds the name {entry.name!r}, which not every system can write", mend="rename it")
        if entry.is_symlink() and not stays:
            raise RefusalError(f"holds the link `{path}`, which leaves the folder", mend="replace it by a copy")
        if entry.is_symlink() and not path.is_file():
            raise RefusalError(f"holds the link `{path}`, which leads to no file of it", mend="replace it by a copy")
        if entry.is_dir(follow_symlinks=False):
            yield from _files(path, source, left_out)
        elif not entry.is_file():
            raise RefusalError(f"holds `{path}`, which is neither a file nor a folder", mend="remove it")
        elif not os.access(path, os.R_OK):
            raise RefusalError(f"holds `{path}`, which cannot be read", mend="make it readable")
        else:
            yield path.relative_to(source).as_posix(), path


def _matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in names for pattern in patterns)


def _outermost(folder: str, plugins: Collection[str]) -> bool:
    """Whether FiftyOne looks into a folder of metadata: it looks into no hidden folder and into no plugin."""
    parts = folder.split("/")
    above = {"/".join(parts[:depth]) for depth in range(len(parts))} - {folder}
    return not above.intersection(plugins) and not any(part.startswith(".") for part in parts if folder)


def _belongs_to_plugin(name: str, plugins: dict[str, Path]) -> bool:
    """Whether a file lies in a folder of the top level that holds a plugin, or whether all is one plugin."""
    top = name.partition("/")[0]
    return "" in plugins or any(plugin.partition("/")[0] == top for plugin in plugins)


def _refuse_collisions(names: list[str]) -> None:
    """Names that are one and the same where case does not count or characters are composed."""
    seen: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", name).casefold()
        if seen.setdefault(folded, name) != name:
            raise RefusalError(
                f"holds `{seen[folded]}` and `{name}`, which not every system tells apart", mend="rename one"
            )


def _refuse_same_names(plugins: dict[str, Path]) -> None:
    seen: dict[str, Path] = {}
    for file in plugins.values():
        try:
            metadata: Any = yaml.safe_load(file.read_text())
        except (OSError, ValueError, yaml.YAMLError):
            metadata = None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):  # pyright: ignore
            raise RefusalError(
                f"holds `{file}`, which names no plugin, so FiftyOne could not load it",
                mend="write the metadata as FiftyOne documents it, `name:` at least",
            )
        name: str = metadata["name"]  # pyright: ignore
        if name in seen:
            raise RefusalError(f"holds the plugin `{name}` twice, in `{seen[name]}` and `{file}`", mend="rename one")
        seen[name] = file


class _Measure:
    """Takes an archive and keeps its hash and size."""

    def __init__(self) -> None:
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> int:
        self.digest.update(chunk)
        self.size += len(chunk)
        return len(chunk)
