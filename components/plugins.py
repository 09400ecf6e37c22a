"""The plugins of a stack: where runs find them, and the archive that is uploaded for them.

Owns an archive made from a folder of this checkout; plugins that lie elsewhere are passed on by their place. Source:
guide, "Setup Plugin Volume", which leaves the way to the reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.plugin_archive import plugin_archive
from components.plugins_settings import PluginsSettings
from components.refusal import RefusalError
from components.settings import Settings
from components.settings_errors import Problem, SettingsError
from databricks_provider.archive import Archive, ArchiveRetention, archive_name

CHECKOUT = Path(__file__).parent.parent
# Over this the workspace refuses an upload (MAX_NOTEBOOK_SIZE_EXCEEDED), in bytes.
WORKSPACE_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class PluginsPlace:
    """Where runs find plugins: a folder that stands, or an archive that each run unpacks for itself.

    `folder`, `size` in bytes and `left_out`, a line each, belong to an archive packed here, whose `location` in that
    folder is named by its content; the file itself is made again when it has to be uploaded.
    """

    location: str
    archive: bool
    sha256: str | None = None
    folder: str | None = None
    size: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """What tells a run of it (job/entrypoint.py)."""
        if not self.archive:
            return {"FIFTYONE_PLUGINS_DIR": self.location}
        named = {"ENTRYPOINT_PLUGINS": self.location}
        return {**named, "ENTRYPOINT_PLUGINS_SHA256": self.sha256} if self.sha256 else named


def plugins_place(settings: Settings) -> PluginsPlace | None:
    """Where the settings put plugins; a folder of this checkout is read and measured for it.

    Raises:
        SettingsError: the folder cannot be packed, or is too large for where it would go.
    """
    match settings.plugins:
        case None:
            return None
        case PluginsSettings(path=str(path)):
            return PluginsPlace(location=path, archive=False)
        case PluginsSettings(url=str(url), sha256=sha256):
            return PluginsPlace(location=url, archive=True, sha256=sha256)
        case PluginsSettings(source=source, volume=volume):
            try:
                return _packed(settings, CHECKOUT / (source or ""), volume)
            except RefusalError as refusal:
                problem = Problem(key="plugins.source", what=refusal.what, mend=f"{refusal.mend}.")
                raise SettingsError(settings.stack, [problem]) from None


class Plugins(pulumi.ComponentResource):
    """Output: `location`, where runs find the plugins. Whoever runs them depends on the component."""

    location: pulumi.Output[str]

    def __init__(self, name: str, place: PluginsPlace, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fiftyone-databricks:index:Plugins", name, None, opts)
        for line in place.left_out:
            pulumi.log.warn(f"plugins: left out {line}", self)
        if place.folder and place.sha256:
            # Named again, because a replaced archive has to go before the folder it lies in, and what a component
            # depends on says nothing of that for its children.
            own = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
            Archive("archive", folder=place.folder, sha256=place.sha256, size=place.size, opts=own)
        self.location = pulumi.Output.from_input(place.location)
        self.register_outputs({"location": self.location})


def retire_archives(place: PluginsPlace | None, jobs: Sequence[pulumi.Resource]) -> None:
    """Delete archives that none of `jobs` names any more, once all of them are up to date."""
    if place and place.folder and place.sha256:
        opts = pulumi.ResourceOptions(depends_on=jobs)
        ArchiveRetention("archives", folder=place.folder, sha256=place.sha256, opts=opts)


def _packed(settings: Settings, source: Path, volume: str | None) -> PluginsPlace:
    """Where the archive of a folder goes: below the stack's own, on a volume that stacks share. Raises RefusalError."""
    try:
        archive = plugin_archive(source)
        sha256, size = archive.measure()
    except OSError as error:
        raise RefusalError(f"is `{source}`, which cannot be read: {error}", mend="mend that and try again") from None
    if volume is None and size > WORKSPACE_LIMIT:
        raise RefusalError(
            f"packs into {size / 1e6:.1f} MB, and a workspace takes files of {WORKSPACE_LIMIT / 1e6:.1f} MB",
            mend="name a volume as `plugins.volume`, put the archive into the cloud and name it as `plugins.url`, or "
            "leave something out",
        )
    folder = f"{volume}/fiftyone-{settings.stack}" if volume else f"{settings.workspace_dir}/plugins"
    return PluginsPlace(
        location=f"{folder}/{archive_name(sha256)}",
        archive=True,
        sha256=sha256,
        folder=folder,
        size=size,
        left_out=archive.left_out,
    )
