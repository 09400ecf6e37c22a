"""The plugins of a stack: where runs find them, and the archive that is uploaded for them.

Owns an archive made from a folder of this checkout; plugins that lie elsewhere are passed on by their place. Source:
guide, "Setup Plugin Volume", which leaves the way to the reader.
"""

from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.plugin_archive import plugin_archive
from components.refusal import RefusalError
from components.settings import PluginsSettings, Settings
from components.settings_errors import Problem, SettingsError
from databricks_provider.archive import Archive

CHECKOUT = Path(__file__).parent.parent
# Over this the workspace refuses an upload (MAX_NOTEBOOK_SIZE_EXCEEDED), in bytes.
WORKSPACE_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class PluginsPlace:
    """Where runs find plugins: a folder that stands, or an archive that each run unpacks for itself.

    `size` in bytes and `left_out`, a line each, belong to an archive packed here, whose `location` is named by its
    content; the file itself is made again when it has to be uploaded.
    """

    location: str
    archive: bool
    sha256: str | None = None
    size: int | None = None
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
                return _packed(CHECKOUT / (source or ""), volume, settings.workspace_dir)
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
        if place.sha256 is not None and place.size is not None:
            Archive(
                "archive",
                path=place.location,
                sha256=place.sha256,
                size=place.size,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.location = pulumi.Output.from_input(place.location)
        self.register_outputs({"location": self.location})


def _packed(source: Path, volume: str | None, workspace_dir: str) -> PluginsPlace:
    """Where the archive of a folder goes. Raises RefusalError."""
    archive = plugin_archive(source)
    sha256, size = archive.measure()
    if volume is None and size > WORKSPACE_LIMIT:
        raise RefusalError(
            f"packs into {size / 1e6:.1f} MB, and a workspace takes files of {WORKSPACE_LIMIT / 1e6:.1f} MB",
            mend="name a volume as `plugins.volume`, put the archive into the cloud and name it as `plugins.url`, or "
            "leave something out",
        )
    location = f"{volume or workspace_dir}/plugins-{sha256[:16]}.tar"
    return PluginsPlace(location=location, archive=True, sha256=sha256, size=size, left_out=archive.left_out)
