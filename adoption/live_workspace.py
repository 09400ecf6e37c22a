"""What adopting asks of a workspace. Reads alone; a thing that is not there, or may not be read, is None or empty."""

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from components.orchestrator_settings import SECRET_REFERENCE

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


@dataclass(frozen=True, kw_only=True)
class LivePool:
    """An instance pool."""

    id: str
    name: str
    node_type: str
    capacity: int | None


@dataclass(frozen=True, kw_only=True)
class LiveScope:
    """A secret scope: its keys, and whether another service keeps its secrets, so that nothing can be put there."""

    keys: frozenset[str]
    read_only: bool


class LiveWorkspace:
    """The workspace behind a client. Raises what databricks-sdk raises where it cannot be asked at all."""

    def __init__(self, client: "WorkspaceClient") -> None:
        self._client = client

    def me(self) -> str:
        """Who asks, and will deploy."""
        return self._client.current_user.me().user_name or ""

    def job(self, job_id: str) -> tuple[dict[str, Any], str] | None:
        """A job's settings as the API has them, and who it runs as."""
        from databricks.sdk.errors import InvalidParameterValue, NotFound

        # The platform answers 400 for a job that does not exist; whether databricks-sdk translates that varies.
        with suppress(NotFound, InvalidParameterValue, ValueError):
            found = self._client.jobs.get(int(job_id))
            settings = cast("dict[str, Any]", found.settings.as_dict() if found.settings else {})  # pyright: ignore[reportUnknownMemberType]
            return settings, found.run_as_user_name or ""
        return None

    def jobs_called(self, name: str) -> list[str]:
        """Ids of the jobs of a name, which is not unique."""
        return [str(job.job_id) for job in self._client.jobs.list(name=name)]

    def triggers(self, job_id: str) -> list[str]:
        """Application ids of the service principals that may start a job and not change it."""
        entries = self._client.permissions.get("jobs", job_id).access_control_list or []
        return sorted(
            entry.service_principal_name
            for entry in entries
            if entry.service_principal_name
            for permission in entry.all_permissions or []
            if permission.permission_level and permission.permission_level.value == "CAN_MANAGE_RUN"
        )

    def pool(self, pool_id: str) -> LivePool | None:
        """A pool by its id."""
        from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            found = self._client.instance_pools.get(pool_id)
            return LivePool(
                id=pool_id,
                name=found.instance_pool_name or "",
                node_type=found.node_type_id or "",
                capacity=found.max_capacity,
            )
        return None

    def scope(self, name: str) -> LiveScope | None:
        """A scope by its name."""
        for scope in self._client.secrets.list_scopes():
            if scope.name == name:
                keys = frozenset(secret.key or "" for secret in self._client.secrets.list_secrets(name))
                backend = scope.backend_type.value if scope.backend_type else "DATABRICKS"
                return LiveScope(keys=keys, read_only=backend != "DATABRICKS")
        return None

    def refers_to(self, reference: str, value: str) -> bool | None:
        """Whether a secret reference leads to this value; None where that cannot be read. The value stays here."""
        import base64

        from databricks.sdk.errors.base import DatabricksError

        if not SECRET_REFERENCE.fullmatch(reference):
            return None
        scope, key = reference.strip("{}").split("/")[1:]
        with suppress(DatabricksError):
            held = self._client.secrets.get_secret(scope, key).value or ""
            return base64.b64decode(held).decode(errors="replace") == value
        return None

    def text(self, path: str) -> str | None:
        """The text of a workspace file; of what lies elsewhere, such as in DBFS, None."""
        from databricks.sdk.errors.base import DatabricksError

        if not path.startswith("/") or path.startswith(("/Volumes/", "/dbfs/")):
            return None
        with suppress(DatabricksError, UnicodeDecodeError), self._client.workspace.download(path) as file:
            return file.read().decode()
        return None

    def contents(self, folder: str) -> list[str]:
        """Names of what lies in a workspace folder."""
        from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            entries = self._client.workspace.list(folder)  # pyright: ignore[reportUnknownMemberType]
            return sorted(str(entry.path).rpartition("/")[2] for entry in entries)
        return []
