"""The settings of who may start the stack's jobs, as whom they run, and where FiftyOne gets its credential from."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, field_validator, model_validator

from components.refusal import RefusalError
from components.settings_model import SettingsModel

# What FiftyOne needs to start a job, by its names for them (guide, "Register Orchestrator in FiftyOne").
CREDENTIAL_FIELDS: Final = ("host", "accountId", "clientId", "clientSecret")
# Those that come with a service principal.
MADE_FIELDS: Final = ("clientId", "clientSecret")

# Databricks writes them in small letters, and what compares them compares letters.
APPLICATION_ID: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=128)]


class WorkspaceSettings(SettingsModel):
    """What FiftyOne is told of the workspace; the databricks provider has the same from the same places."""

    host: str | None = None
    account_id: str | None = None

    @field_validator("host")
    @classmethod
    def _host(cls, host: str | None) -> str | None:
        """An address, as the guide shows it; Databricks' clients take a bare name as well."""
        return host if host is None or "://" in host else f"https://{host}"


class ServicePrincipalSettings(SettingsModel):
    """The trigger: the service principal that FiftyOne starts jobs as, made by the stack or named."""

    create: bool = Field(
        default=False, description="Whether the stack makes the service principal, and its credential anew in time."
    )
    client_id: str | None = Field(
        default=None,
        pattern=APPLICATION_ID,
        description="Application id of an existing service principal, which is granted the right to start the jobs.",
        examples=["5ad0c0de-0000-4000-8000-000000000001"],
    )

    @model_validator(mode="before")
    @classmethod
    def _no_secret(cls, value: Any) -> Any:
        if isinstance(value, dict) and "clientSecret" in value:
            raise RefusalError(
                "holds `clientSecret`, which would stand in the clear, for whoever reads the repository",
                mend="treat it as leaked and renew it, then `pulumi config set --secret servicePrincipalClientSecret`",
            )
        return value  # pyright: ignore[reportUnknownVariableType] - not validated yet

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.create == (self.client_id is not None):
            raise RefusalError(
                "needs to say whose it is, and only once",
                mend="set `create: true`, or the `clientId` of one that exists, or drop it: then the stack makes one",
            )
        return self


class RunAsSettings(SettingsModel):
    """The identity that jobs run as, where that is not the deployer."""

    service_principal: str = Field(
        pattern=APPLICATION_ID,
        description="Application id of an existing service principal, which is granted what a run needs to read.",
        examples=["5ad0c0de-0000-4000-8000-000000000002"],
    )


class SecretsFromSettings(SettingsModel):
    """Names of FiftyOne secrets that exist already, by what they hold: used, never written or deleted."""

    host: SecretName | None = Field(
        default=None, description="Secret of the workspace's address.", examples=["DATABRICKS_HOST"]
    )
    account_id: SecretName | None = Field(
        default=None, description="Secret of the Databricks account's id.", examples=["DATABRICKS_ACCOUNT_ID"]
    )
    client_id: SecretName | None = Field(
        default=None, description="Secret of the service principal's client id.", examples=["DATABRICKS_CLIENT_ID"]
    )
    client_secret: SecretName | None = Field(
        default=None,
        description="Secret of the service principal's client secret.",
        examples=["DATABRICKS_CLIENT_SECRET"],
    )

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.names:
            raise RefusalError("names no secret", mend=f"name some of {', '.join(CREDENTIAL_FIELDS)}, or drop it")
        return self

    @property
    def names(self) -> dict[str, str]:
        """The names that are given, by FiftyOne's field."""
        return self.model_dump(by_alias=True, exclude_none=True)
