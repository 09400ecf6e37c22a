"""The settings of the FiftyOne deployment that a stack belongs to: the keys of the `fiftyone:` namespace."""

import re
from typing import Final

from packaging.version import InvalidVersion, Version
from pydantic import Field, SecretStr, field_validator

from components.refusal import RefusalError
from components.settings_model import SettingsModel

WRITE_VERSION: Final = "write all three parts in quotes, as in '2.13.1'"
# Databricks on-demand orchestrators exist from this release of FiftyOne Enterprise on (its release notes).
FIRST_VERSION: Final = Version("2.11.0")
HTTP_URL: Final = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"


class FiftyOneSettings(SettingsModel):
    """The FiftyOne deployment that the stack's orchestrators belong to: the keys of the `fiftyone:` namespace."""

    api_uri: str = Field(
        pattern=HTTP_URL,
        description="Address of FiftyOne's API, which workers call as well; FIFTYONE_API_URI unless set here.",
        examples=["https://fiftyone.example.com/api"],
    )
    worker_api_url: str | None = Field(
        default=None,
        pattern=HTTP_URL,
        description="Address of FiftyOne's API as workers reach it, where that differs from `fiftyone:apiUri`.",
        examples=["https://fiftyone.internal.example.com/api"],
    )
    api_key: SecretStr | None = Field(
        default=None, min_length=1, description="Key of an Admin service account, with which orchestrators register."
    )
    management_module: str = Field(
        default="fiftyone.management",
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="Module that FiftyOne's management SDK is imported from.",
    )
    timeout_seconds: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="Seconds that one call of FiftyOne's API may take before it is given up.",
    )
    version: str = Field(description="The deployment's exact version; workers install the same.", examples=["2.13.1"])
    database_uri: SecretStr | None = Field(
        default=None, description="The MongoDB connection string of the deployment, for its workers."
    )
    encryption_key: SecretStr | None = Field(
        default=None, description="The deployment's encryption key, for its workers."
    )
    pypi_url: SecretStr | None = Field(
        default=None, description="The private package index with its token, from which workers install FiftyOne."
    )
    database_name: str = Field(
        default="fiftyone", pattern=r"^[^\s/\\.\"$*<>:|?]{1,63}$", description="Name of the deployment's database."
    )
    mongodb_atlas: bool = Field(
        default=True,
        description="Whether the database is MongoDB Atlas, which loses connections of more than 4 processes a run "
        "(guide, Additional Considerations).",
    )
    delegated_operation_capacity: int = Field(
        default=3, ge=1, le=1000, description="How many delegated operations the licence lets run at once."
    )

    @field_validator("version")
    @classmethod
    def _version(cls, text: str) -> str:
        try:
            version = Version(text)
        except InvalidVersion:
            raise RefusalError(f"is `{text}`, which is not a version", mend=WRITE_VERSION) from None
        if len(version.release) != 3 or text != str(version):
            raise RefusalError(
                f"is {text!r}, but a release of FiftyOne has three plain parts (YAML reads 2.10 as 2.1)",
                mend=WRITE_VERSION,
            )
        if version < FIRST_VERSION:
            raise RefusalError(
                f"is {text}, but FiftyOne runs delegated operations on Databricks from {FIRST_VERSION} on",
                mend="upgrade the deployment first",
            )
        return text

    @field_validator("database_uri")
    @classmethod
    def _database_uri(cls, secret: SecretStr | None) -> SecretStr | None:
        return _matching(secret, r"mongodb(\+srv)?://\S+", "is not a MongoDB connection string, `mongodb://…`")

    @field_validator("encryption_key")
    @classmethod
    def _encryption_key(cls, secret: SecretStr | None) -> SecretStr | None:
        return _matching(secret, r"\S+", "is empty or holds white space, which no encryption key has")

    @field_validator("pypi_url")
    @classmethod
    def _pypi_url(cls, secret: SecretStr | None) -> SecretStr | None:
        return _matching(secret, r"https?://\S+", "is not the address of a package index, `https://…`")


def _matching(secret: SecretStr | None, pattern: str, problem: str) -> SecretStr | None:
    if secret is not None and not re.fullmatch(pattern, secret.get_secret_value()):
        raise RefusalError(problem, mend="set it again; its value is not shown")
    return secret
