"""A stand-in for `fiftyone.management`, the SDK of FiftyOne Enterprise: what its reference documents, and no more.

Source: docs.voxel51.com/enterprise/management_sdk.html, to about release 2.20. Like the real one it finds the API by
FIFTYONE_API_URI and FIFTYONE_API_KEY at its first call, has no time limit and refuses a direct database connection.
Behind it is the stand-in's own API (fiftyone_api.py), which decides whatever that reference leaves open.
"""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import httpx


def _refuse_database() -> None:
    """The package's settings may name a database, and then it would go there and not to the API."""
    file = Path(os.environ.get("FIFTYONE_CONFIG_PATH") or Path.home() / ".fiftyone" / "config.json")
    settings: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for found, where in (
        (os.environ.get("FIFTYONE_DATABASE_URI"), "FIFTYONE_DATABASE_URI"),
        (settings.get("database_uri"), f"database_uri in {file}"),
    ):
        if found:
            raise ConnectionError(f"A direct database connection does not work for the management SDK: unset {where}")


_refuse_database()


class OrchestratorEnvironment(str, Enum):  # noqa: UP042 - as it is documented
    """Where an orchestrator runs operations."""

    DATABRICKS = "databricks"
    ANYSCALE = "anyscale"
    KUBERNETES = "kubernetes"
    SELF_REGISTERED = "self_registered"


@dataclass
class OrchestratorDocument:
    """A registered orchestrator; its secrets are names of FiftyOne secrets."""

    instance_identifier: str
    description: str | None
    environment: str
    available_operators: list[str] | None
    config: dict[str, Any]
    secrets: dict[str, str]
    created_at: datetime
    updated_at: datetime


@dataclass
class FiftyOneSecret:
    """A secret without its value, which cannot be read back."""

    created_at: datetime
    key: str
    description: str | None


@dataclass
class User:
    id: str
    name: str
    email: str | None
    role: str


class ManagementError(Exception):
    """A refusal for which no exception is documented, with the HTTP status of the answer."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {status_code})")
        self.status_code = status_code


_RAISED: dict[str, type[Exception]] = {"ValueError": ValueError, "RuntimeError": RuntimeError}
_lock = threading.Lock()
_connection: httpx.Client | None = None


def _connected() -> httpx.Client:
    global _connection
    with _lock:
        if _connection is None:
            uri, key = (os.environ.get(name) for name in ("FIFTYONE_API_URI", "FIFTYONE_API_KEY"))
            if not uri or not key:
                raise ConnectionError("FIFTYONE_API_URI and FIFTYONE_API_KEY must be set for the management SDK")
            _connection = httpx.Client(base_url=uri, headers={"X-API-Key": key}, timeout=None, trust_env=False)  # noqa: S113
        return _connection


def reload_api_connection() -> None:
    """Take URI and key anew at the next call. A call that is going on keeps the connection that it has."""
    global _connection
    with _lock:
        _connection = None


def test_api_connection() -> None:
    """Print that the API answers, or raise."""
    _call("test_api_connection")
    print("API connection succeeded")


def register_orchestrator(
    instance_id: str,
    description: str,
    environment: OrchestratorEnvironment,
    config: Mapping[Any, Mapping[str, Any]],
    secrets: Mapping[Any, Mapping[str, Any]],
) -> OrchestratorDocument:
    """Register an orchestrator. Raises ValueError."""
    answer = _call(
        "register_orchestrator",
        instance_id=instance_id,
        description=description,
        environment=_plain(environment),
        config={_plain(key): dict(fields) for key, fields in config.items()},
        secrets={_plain(key): dict(fields) for key, fields in secrets.items()},
    )
    return _orchestrator(answer)


def get_orchestrator(instance_id: str, user: str | None = None) -> OrchestratorDocument:
    """An orchestrator. Raises ValueError if there is none."""
    return _orchestrator(_call("get_orchestrator", instance_id=instance_id, user=user))


def list_orchestrators(include_deactivated: bool = False) -> list[str]:
    """The identifiers of all."""
    return _call("list_orchestrators", include_deactivated=include_deactivated)


def delete_orchestrator(instance_id: str) -> None:
    """Delete an orchestrator. Raises ValueError if there is none."""
    _call("delete_orchestrator", instance_id=instance_id)


def add_secret(key: str, value: str, description: str | None = None) -> None:
    """Add a secret; admins only."""
    _call("add_secret", key=key, value=value, description=description)


def get_secret_info(key: str) -> FiftyOneSecret | None:
    """A secret without its value; None if there is none."""
    answer = _call("get_secret_info", key=key)
    return None if answer is None else _secret(answer)


def list_secrets() -> list[Any]:
    """All keys, or all secrets without their values: the reference says both."""
    return [item if isinstance(item, str) else _secret(item) for item in _call("list_secrets")]


def update_secret(key: str, value: str | None = None, description: str | None = None) -> None:
    """Change what is given; admins only."""
    _call("update_secret", key=key, value=value, description=description)


def delete_secret(key: str) -> None:
    """Delete a secret; admins only."""
    _call("delete_secret", key=key)


def whoami() -> User:
    """Whoever the key belongs to."""
    return User(**_call("whoami"))


def _plain(name: Any) -> Any:
    return name.value if isinstance(name, OrchestratorEnvironment) else name


def _call(function: str, **arguments: Any) -> Any:
    """The result. Raises what the function is documented to raise, ManagementError, or httpx's exceptions."""
    answer = _connected().post(f"/management/{function}", json=arguments)
    try:
        body: dict[str, Any] = answer.json()
    except ValueError:
        # Whatever answers there, it is not this API.
        body = {}
    if answer.is_success and "result" in body:
        return body["result"]
    message = str(body.get("message", "The answer is not that of FiftyOne's API"))
    raised = _RAISED.get(str(body.get("error_code")))
    raise raised(message) if raised else ManagementError(answer.status_code, message)


def _orchestrator(answer: dict[str, Any]) -> OrchestratorDocument:
    if answer.pop("environment_is") == "enum":
        answer["environment"] = OrchestratorEnvironment(answer["environment"])
    for name in ("created_at", "updated_at"):
        answer[name] = datetime.fromisoformat(answer[name])
    return OrchestratorDocument(**answer)


def _secret(answer: dict[str, Any]) -> FiftyOneSecret:
    return FiftyOneSecret(datetime.fromisoformat(answer["created_at"]), answer["key"], answer["description"])
