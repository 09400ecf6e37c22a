"""The settings of a stack: the configuration contract, typed; what each key means, its default and its bounds.

Owns the contract and nothing of where values come from: `settings_loader` reads the stack's configuration and the
environment into these models, `settings_schema` derives the JSON schema that editors use.
"""

import re
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from components.access_settings import (
    RunAsSettings,
    SecretsFromSettings,
    ServicePrincipalSettings,
    WorkspaceSettings,
)
from components.fiftyone_settings import FiftyOneSettings
from components.orchestrator_settings import VARIABLE_NAME, OrchestratorSettings, check_variable
from components.plugins_settings import PluginsSettings
from components.refusal import RefusalError
from components.requirements_file import check_requirements
from components.settings_model import SettingsModel

PROJECT: Final = "fiftyone-databricks"

# Instance ids name pools and jobs in Databricks and, in upper snake case, secrets in FiftyOne (guide, "Register
# Orchestrator in FiftyOne"). Capital letters would leave open where that form puts its underscores.
INSTANCE_ID: Final = r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$"
InstanceId = Annotated[str, Field(pattern=INSTANCE_ID, max_length=40)]

SCOPE_NAME: Final = r"^[A-Za-z0-9_.@-]{1,128}$"
# The name of a pool has less than 100 characters (instance_pool.md); an instance id shares it with the stack's name.
POOL_NAME_LENGTH: Final = 99
POOL_NAME_REST: Final = len("fiftyone---registration-000000")

ATLAS_PROCESSES: Final = 4
# A credential lasts two periods and a week, and Databricks lets none last longer than 730 days.
MAX_ROTATION_DAYS: Final = 361
SECRET_BYTES: Final = 128 * 1024


class ScopeSettings(SettingsModel):
    """The stack's secret scope: a name for one that the program makes, or one that exists and is never written to."""

    name: str = Field(pattern=SCOPE_NAME, description="Name of the scope.", examples=["fiftyone-prod"])
    existing: bool = Field(
        default=False, description="Whether the scope exists already: it is used and nothing is written to it."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class Settings(SettingsModel):
    """All settings of one stack, checked against each other as well."""

    stack: str
    fiftyone: FiftyOneSettings = Field(description="The FiftyOne deployment.")
    workspace: WorkspaceSettings
    secret_scope: ScopeSettings = Field(
        description="Secret scope of the stack, `fiftyone-<stack>` unless said otherwise; `{name, existing: true}` "
        "uses one that exists and writes nothing to it.",
        examples=["fiftyone-prod"],
    )
    workspace_dir: str = Field(
        description="Folder of the stack's files, `/Workspace/Shared/fiftyone-<stack>` unless said otherwise.",
        examples=["/Workspace/Shared/fiftyone-prod"],
    )
    plugins: PluginsSettings | None = Field(default=None, description="Where runs get custom plugins from.")
    protect: bool = Field(
        description="Whether scope, jobs and registrations are protected from deletion, as in `prod`."
    )
    service_principal: ServicePrincipalSettings | None = Field(
        default=None,
        description="The service principal that FiftyOne starts the jobs as; made by the stack unless said otherwise.",
        examples=[{"clientId": "5ad0c0de-0000-4000-8000-000000000001"}, {"create": True}],
    )
    rotate_after_days: int = Field(
        default=60,
        ge=1,
        le=MAX_ROTATION_DAYS,
        description="Days after which the credential of a service principal that the stack makes is made anew.",
    )
    run_as: RunAsSettings | None = Field(
        default=None,
        description="Who the jobs run as; whoever deployed the stack first unless set.",
        examples=[{"servicePrincipal": "5ad0c0de-0000-4000-8000-000000000002"}],
    )
    service_principal_client_secret: SecretStr | None = Field(
        default=None, min_length=1, description="That service principal's OAuth secret, which FiftyOne keeps."
    )
    secrets_from: SecretsFromSettings | None = Field(
        default=None,
        description="FiftyOne secrets that exist already, by what they hold: used, never written or deleted.",
        examples=[{"clientId": "DATABRICKS_CLIENT_ID", "clientSecret": "DATABRICKS_CLIENT_SECRET"}],
    )
    allow_reregister: bool = Field(
        default=False,
        description="Whether a registration may be deleted and made anew though FiftyOne may delete secrets with it "
        "that are not the stack's.",
    )
    container_registry_username: SecretStr | None = Field(
        default=None, min_length=1, description="User that pulls the orchestrators' container images."
    )
    container_registry_password: SecretStr | None = Field(
        default=None, min_length=1, description="Password or token of that user."
    )
    secret_env: dict[Annotated[str, Field(pattern=VARIABLE_NAME)], SecretStr] = Field(
        default_factory=dict[str, SecretStr],
        description="Secret environment variables of all clusters, each a key of its own: `secretEnv.<name>`.",
    )
    orchestrators: dict[InstanceId, OrchestratorSettings] = Field(
        min_length=1,
        description="The orchestrators, by instance id: lower-case letters and digits, in parts joined by - or _.",
        examples=[{"gpu": {"nodeType": "g2-standard-8"}}],
    )

    @field_validator("workspace_dir")
    @classmethod
    def _workspace_dir(cls, path: str) -> str:
        parts = path.removeprefix("/Workspace/").split("/")
        if not re.fullmatch(r"/Workspace(/[\w .@+-]+)+", path) or any(part in (".", "..") for part in parts):
            raise RefusalError(
                f"is {path!r}, which is no plain path of a workspace folder",
                mend="write one such as `/Workspace/Shared/fiftyone-dev`",
            )
        if parts[0] not in ("Shared", "Users") or len(parts) < (2 if parts[0] == "Shared" else 3):
            raise RefusalError(
                f"is `{path}`, which is not the stack's own, and destroying the stack deletes its folder",
                mend="name a folder below `/Workspace/Shared` or below a user's folder",
            )
        return path

    @field_validator("secret_env")
    @classmethod
    def _secret_env(cls, env: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in env.items():
            check_variable(name)
            if not value.get_secret_value():
                raise RefusalError(
                    f"holds `{name}` with an empty value, which Databricks does not store", mend="drop it"
                )
            if len(value.get_secret_value().encode()) > SECRET_BYTES:
                raise RefusalError(
                    f"holds `{name}` with more than {SECRET_BYTES // 1024} KB, which Databricks does not store",
                    mend="shorten it, or have runs fetch it from elsewhere",
                )
        return env

    @model_validator(mode="after")
    def _together(self) -> Self:
        suffixes: dict[str, str] = {}
        for instance_id, orchestrator in self.orchestrators.items():
            same = suffixes.setdefault(secret_suffix(instance_id), instance_id)
            if same != instance_id:
                raise RefusalError(
                    f"holds `{same}` and `{instance_id}`, which both become {secret_suffix(instance_id)} in the names "
                    "of FiftyOne's secrets, so one would overwrite the other's",
                    mend="rename one",
                    key="orchestrators",
                )
            self._check(instance_id, orchestrator)
        existing = self.secrets_from.names if self.secrets_from else {}
        self._check_trigger(existing)
        if self.service_principal_client_secret is not None and "clientSecret" in existing:
            raise RefusalError(
                "is set, while `secretsFrom` names the FiftyOne secret to use instead, so it would have no effect",
                mend="drop the one or the other",
                key="servicePrincipalClientSecret",
            )
        if (self.container_registry_username is None) != (self.container_registry_password is None):
            raise RefusalError(
                "comes with containerRegistryPassword, and one of the two is missing",
                mend="set both",
                key="containerRegistryUsername",
            )
        return self

    @property
    def makes_service_principal(self) -> bool:
        """Whether the trigger is the stack's own; it is nobody's where FiftyOne has a whole credential already."""
        if self.service_principal is not None:
            return self.service_principal.create
        return not {"clientId", "clientSecret"} <= (self.secrets_from.names if self.secrets_from else {}).keys()

    @property
    def existing_trigger(self) -> str | None:
        """Application id of the service principal that is not the stack's own, where it is known."""
        return self.service_principal.client_id if self.service_principal else None

    def _check_trigger(self, existing: dict[str, str]) -> None:
        if not self.makes_service_principal:
            if "rotate_after_days" in self.model_fields_set:
                raise RefusalError(
                    "is set, while the service principal is not the stack's own, whose credential it never makes anew",
                    mend="drop it and renew that credential yourself, or let the stack make a service principal: "
                    "`servicePrincipal: {create: true}`",
                    key="rotateAfterDays",
                )
        elif named := sorted({"clientId", "clientSecret"} & existing.keys()):
            raise RefusalError(
                f"names a FiftyOne secret for {' and '.join(named)}, while the stack makes a service principal with a "
                "credential of its own, so FiftyOne would have a part of each",
                mend="drop it there, or name the service principal it belongs to as `servicePrincipal: {clientId: …}`",
                key="secretsFrom",
            )
        elif self.service_principal_client_secret is not None:
            raise RefusalError(
                "is set, while the stack makes a service principal with a credential of its own, so it would have no "
                "effect",
                mend="drop it, or name the service principal it belongs to as `servicePrincipal: {clientId: …}`",
                key="servicePrincipalClientSecret",
            )
        if self.run_as and self.run_as.service_principal == self.existing_trigger:
            raise RefusalError(
                "is the service principal that FiftyOne starts the jobs as, so its credential could read secrets",
                mend="name another one, or drop it: jobs then run as whoever deploys",
                key="runAs",
            )

    def _check(self, instance_id: str, orchestrator: OrchestratorSettings) -> None:
        key = f"orchestrators.{instance_id}"
        if len(self.stack) + len(instance_id) + POOL_NAME_REST > POOL_NAME_LENGTH:
            raise RefusalError(
                "makes, with the stack's name, names of pools longer than Databricks takes",
                mend="shorten the instance id or the stack's name",
                key=key,
            )
        try:
            check_requirements(orchestrator.requirements, version=self.fiftyone.version)
        except RefusalError as refusal:
            raise RefusalError(refusal.what, mend=refusal.mend, key=f"{key}.requirements") from None
        if self.fiftyone.mongodb_atlas and orchestrator.process_pool_workers > ATLAS_PROCESSES:
            raise RefusalError(
                f"is {orchestrator.process_pool_workers}, but MongoDB Atlas loses connections of more than "
                f"{ATLAS_PROCESSES} processes (guide, Additional Considerations)",
                mend="lower it, or set `fiftyone:mongodbAtlas: false` for a database of another kind",
                key=f"{key}.processPoolWorkers",
            )
        for name in sorted(orchestrator.env.keys() & self.secret_env.keys()):
            raise RefusalError(f"sets `{name}`, and so does `secretEnv.{name}`", mend="keep one", key=f"{key}.env")


def secret_suffix(instance_id: str) -> str:
    """The instance id as it ends the names of its FiftyOne secrets (guide, "Register Orchestrator in FiftyOne")."""
    return instance_id.upper().replace("-", "_")
