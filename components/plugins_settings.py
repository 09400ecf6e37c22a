"""The settings of where runs get custom plugins from."""

from typing import Self

from pydantic import Field, model_validator

from components.refusal import RefusalError
from components.settings_model import SettingsModel


class PluginsSettings(SettingsModel):
    """Where runs get custom plugins from: a folder here, one that they can reach, or an archive in the cloud."""

    source: str | None = Field(
        default=None,
        min_length=1,
        description="Folder of plugins in this checkout, uploaded as one archive.",
        examples=["examples/plugins"],
    )
    volume: str | None = Field(
        default=None,
        pattern=r"^/Volumes(/\w[\w.-]*){3,}$",
        description="Volume, or a folder in it, for the archive of `source`, which else goes to the workspace (10 MB).",
        examples=["/Volumes/main/fiftyone/plugins"],
    )
    path: str | None = Field(
        default=None,
        pattern=r"^(/[^/\s]+)+$",
        description="Folder of plugins on a volume or a shared mount, used as it is.",
        examples=["/Volumes/main/fiftyone/plugins"],
    )
    url: str | None = Field(
        default=None,
        pattern=r"^(gs|s3)://[^/@\s]+/\S+$|^abfss://[^/@\s]+@[^/@\s]+/\S+$",
        description="Archive of plugins, tar or zip, that each run fetches with its cluster's identity.",
        examples=["gs://example-bucket/plugins.tar"],
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the archive at `url`; runs refuse another.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.source, self.path, self.url)) != 1:
            raise RefusalError("needs one place, and only one", mend="set one of `source`, `path` and `url`")
        for setting, needed in (("volume", "source"), ("sha256", "url")):
            if getattr(self, setting) is not None and getattr(self, needed) is None:
                raise RefusalError(f"sets `{setting}` without `{needed}`, to which it belongs", mend="drop it")
        return self
