"""Loads FiftyOne's management SDK, once, with nothing in its environment but the API's address and key.

The package reads `FIFTYONE_*` and a configuration file in the home folder, and a database URI in either makes it open a
connection of its own. So this changes the environment of the process that it is called in: a provider's, never the
program's.
"""

import importlib
import os
from operator import attrgetter
from typing import Any, Final

from fiftyone_provider.client import FiftyOneError

# What the adapter calls. The orchestrator and secret functions came with Enterprise 2.10, Databricks with 2.11.
SURFACE: Final = (
    "OrchestratorEnvironment.DATABRICKS",
    "add_secret",
    "delete_orchestrator",
    "delete_secret",
    "get_orchestrator",
    "get_secret_info",
    "list_orchestrators",
    "list_secrets",
    "register_orchestrator",
    "update_secret",
)
# Below a device, where no file can be.
NO_FILE: Final = f"{os.devnull}/no-configuration"


def load(module: str, *, uri: str, key: str) -> Any:
    """The SDK's module, by its name, connected with this address and key.

    Raises:
        FiftyOneError: it is not installed, too old, or fails to load.
    """
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        del os.environ[name]
    os.environ.update(FIFTYONE_API_URI=uri, FIFTYONE_API_KEY=key, FIFTYONE_CONFIG_PATH=NO_FILE)
    try:
        sdk = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise FiftyOneError(_not_there(module, error.name or "")) from None
    except Exception as error:  # noqa: BLE001 - whatever a package does on import; its words may quote the environment
        raise FiftyOneError(
            f"FiftyOne's management SDK, {module}, fails while it is imported ({type(error).__name__}). Import it by "
            "hand in this project's virtual environment to see why."
        ) from None
    lacking = [name for name in SURFACE if not _has(sdk, name)]
    if lacking:
        raise FiftyOneError(
            f"FiftyOne's management SDK, {module}, is too old: it has no {', '.join(lacking)}. Orchestrators on "
            "Databricks need FiftyOne Enterprise 2.11 or later; install the deployment's version."
        )
    return sdk


def _has(sdk: Any, name: str) -> bool:
    try:
        attrgetter(name)(sdk)
    except AttributeError:
        return False
    return True


def _not_there(module: str, missing: str) -> str:
    if missing != module and not module.startswith(f"{missing}."):
        return (
            f"FiftyOne's management SDK, {module}, needs `{missing}`, which is not installed. Install FiftyOne "
            "Enterprise again, with what it depends on."
        )
    return (
        f"FiftyOne's management SDK, {module}, is not installed. It comes with FiftyOne Enterprise, from your private "
        "package index, and not with the open-source package of the same name: `PIP_EXTRA_INDEX_URL=… "
        ".venv/bin/pip install fiftyone==VERSION` with the deployment's version."
    )
