"""Settings that are right, for tests to break one thing in."""

import json
from typing import Any

from components.settings import Settings
from components.settings_loader import load_settings

STACK = "dev"
# Application id of a service principal that exists.
TRIGGER = "5ad0c0de-0000-4000-8000-000000000001"
ENVIRON = {
    "FIFTYONE_DATABASE_URI": "mongodb://example:hidden-password@db.example.com/",
    "FIFTYONE_ENCRYPTION_KEY": "hidden-key",
    "FIFTYONE_PYPI_URL": "https://hidden-token@pypi.example.com/simple/",
    "FIFTYONE_API_KEY": "hidden-api-key",
    "SERVICE_PRINCIPAL_CLIENT_SECRET": "hidden-client-secret",
    "DATABRICKS_HOST": "https://example.cloud.databricks.com",
    "DATABRICKS_ACCOUNT_ID": "00000000-0000-4000-8000-000000000000",
}


def configuration(*, orchestrators: Any = None, **changes: str) -> dict[str, str]:
    """A stack's configuration as the engine hands it over; `changes` are whole keys, and two underscores a colon."""
    entries = {"gpu": {"nodeType": "g2-standard-8"}} if orchestrators is None else orchestrators
    config = {
        "fiftyone:apiUri": "https://fiftyone.example.com/api",
        "fiftyone:version": "2.13.1",
        "fiftyone-databricks:servicePrincipal": json.dumps({"clientId": TRIGGER}),
        "fiftyone-databricks:orchestrators": entries if isinstance(entries, str) else json.dumps(entries),
    }
    return {**config, **{name.replace("__", ":").replace("fiftyone_", "fiftyone-"): v for name, v in changes.items()}}


def settings(
    config: dict[str, str] | None = None, *, secret_keys: frozenset[str] = frozenset(), environ: Any = None
) -> Settings:
    return load_settings(
        stack=STACK,
        config=configuration() if config is None else config,
        secret_keys=secret_keys,
        environ=ENVIRON if environ is None else environ,
    )


def orchestrator(**entries: Any) -> Any:
    """The settings of one orchestrator called `gpu`, with `entries` beside a node type."""
    return settings(configuration(orchestrators={"gpu": {"nodeType": "g2-standard-8", **entries}})).orchestrators["gpu"]
