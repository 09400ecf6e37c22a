"""What runs find in their environment, and the secrets that it refers to.

Translates settings; deploys nothing. Secrets reach runs by reference alone, computed from names, so that a preview
knows them. Source: guide, "Create Job" (ENV_VARS).
"""

from typing import Any

from components.orchestrator_settings import OrchestratorSettings
from components.plugins import PluginsPlace
from components.settings import Settings

_REGISTRY_USERNAME = "CONTAINER_REGISTRY_USERNAME"
_REGISTRY_PASSWORD = "CONTAINER_REGISTRY_PASSWORD"


def stack_secrets(settings: Settings) -> dict[str, str]:
    """The secrets of the stack's scope by key, in the clear: the guide's three, and those of the settings."""
    fiftyone = settings.fiftyone
    named = {
        "FIFTYONE_DATABASE_URI": fiftyone.database_uri,
        "FIFTYONE_ENCRYPTION_KEY": fiftyone.encryption_key,
        "FIFTYONE_PYPI_URL": fiftyone.pypi_url,
        _REGISTRY_USERNAME: settings.container_registry_username,
        _REGISTRY_PASSWORD: settings.container_registry_password,
        **settings.secret_env,
    }
    return {key: secret.get_secret_value() for key, secret in named.items() if secret is not None}


def run_environment(
    settings: Settings, orchestrator: OrchestratorSettings, plugins: PluginsPlace | None
) -> dict[str, str]:
    """The environment of an orchestrator's runs as it should arrive there, before any quoting."""
    scope, fiftyone = settings.secret_scope.name, settings.fiftyone
    return {
        **orchestrator.env,
        **{name: _secret_reference(scope, name) for name in settings.secret_env},
        **(plugins.environment if plugins else {}),
        "API_URL": fiftyone.worker_api_url or fiftyone.api_uri,
        "ENTRYPOINT_COMMANDS": ",".join(orchestrator.allowed_commands),
        "FIFTYONE_DATABASE_NAME": fiftyone.database_name,
        "FIFTYONE_DATABASE_URI": _secret_reference(scope, "FIFTYONE_DATABASE_URI"),
        "FIFTYONE_ENCRYPTION_KEY": _secret_reference(scope, "FIFTYONE_ENCRYPTION_KEY"),
        "FIFTYONE_INTERNAL_SERVICE": "1",
        "FIFTYONE_MAX_PROCESS_POOL_WORKERS": str(orchestrator.process_pool_workers),
        "FIFTYONE_PLUGINS_CACHE_ENABLED": "true",
        "PIP_EXTRA_INDEX_URL": _secret_reference(scope, "FIFTYONE_PYPI_URL"),
    }


def container_image(settings: Settings, orchestrator: OrchestratorSettings) -> dict[str, Any] | None:
    """The orchestrator's container image with the credentials to pull it by reference, or None."""
    if orchestrator.container_image is None:
        return None
    image: dict[str, Any] = {"url": orchestrator.container_image}
    if settings.container_registry_username is not None:
        scope = settings.secret_scope.name
        image["basic_auth"] = {
            "username": _secret_reference(scope, _REGISTRY_USERNAME),
            "password": _secret_reference(scope, _REGISTRY_PASSWORD),
        }
    return image


def _secret_reference(scope: str, key: str) -> str:
    """What an environment variable holds for a secret; it must stay the whole value (terraform-provider #1898)."""
    return f"{{{{secrets/{scope}/{key}}}}}"
