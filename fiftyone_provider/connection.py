"""The connection that the providers of one process share: where FiftyOne is, with which key, through which module.

Configuration first, then the environment, as for the program's settings (components/settings_loader.py), which have
checked that the two agree. Of it, a resource's properties have the address alone.
"""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar

from pulumi.dynamic import ConfigureRequest

from databricks_provider.left_overs import looks_for_left_overs
from fiftyone_provider.client import FiftyOne, FiftyOneError, UnreachableError
from fiftyone_provider.management_sdk import ManagementSdk
from fiftyone_provider.sdk_module import load
from fiftyone_provider.steps import tried_again

DEFAULT_MODULE: Final = "fiftyone.management"
DEFAULT_SECONDS: Final = 30.0
SETTINGS: Final = ("apiUri", "apiKey", "managementModule", "timeoutSeconds")
VARIABLES: Final = {"apiUri": "FIFTYONE_API_URI", "apiKey": "FIFTYONE_API_KEY"}

T = TypeVar("T")


class NotLookedError(Exception):
    """What stands in FiftyOne could not be looked at, which was said; go by the state."""


class FiftyOneConnection:
    """The client, made when the first call needs it, of the configuration that the engine gave."""

    def __init__(self) -> None:
        self._settings: dict[str, str | None] | None = None
        self._client: FiftyOne | None = None
        self._out_of_reach = False
        self._lock = threading.Lock()

    def configure(self, request: ConfigureRequest) -> None:
        """Keep what the connection needs, the key in the clear, for this process only.

        Each class of provider is configured. The first time counts: the environment is the SDK's afterwards.
        """
        with self._lock:
            if self._settings is None:
                found = {name: request.config.get(f"fiftyone:{name}") for name in SETTINGS}
                self._settings = {
                    name: value or os.environ.get(VARIABLES.get(name, "")) for name, value in found.items()
                }

    @property
    def api_uri(self) -> str | None:
        """Where it is, which resources keep in the state."""
        return self._setting("apiUri")

    def looks(self, olds: Mapping[str, Any]) -> bool:
        """Whether a plan that changes nothing looks at what stands in FiftyOne, instead of going by the state.

        It does after a run that went wrong, and where the state is of another address or, as an earlier one, of none.
        """
        return looks_for_left_overs() or olds.get("apiUri") != self.api_uri

    @property
    def client(self) -> FiftyOne:
        """The client. Raises FiftyOneError where address, key or SDK are missing."""
        with self._lock:
            if self._client is None:
                uri, key = self._setting("apiUri"), self._setting("apiKey")
                if not uri or not key:
                    name = "apiKey" if uri else "apiUri"
                    raise FiftyOneError(
                        f"fiftyone:{name} is missing, without which nothing can be asked of FiftyOne or changed there. "
                        f"Set it in the stack's configuration, or {VARIABLES[name]} in the environment."
                    )
                sdk = load(self._setting("managementModule") or DEFAULT_MODULE, uri=uri, key=key)
                seconds = float(self._setting("timeoutSeconds") or DEFAULT_SECONDS)
                self._client = ManagementSdk(sdk, uri=uri, seconds=seconds)
            return self._client

    def ask(self, question: Callable[[FiftyOne], T]) -> T:
        """The answer to a question that has to be answered, wherever there is a key to ask it with.

        Raises:
            NotLookedError: a preview has no key, which is said once.
            FiftyOneError: FiftyOne cannot be reached, or refuses.
        """
        if self._client is None and not self._setting("apiKey"):
            self._not_looked("there is no key, `fiftyone:apiKey` or FIFTYONE_API_KEY, to ask it with")
        return tried_again(lambda: question(self.client))

    def look(self, question: Callable[[FiftyOne], T]) -> T:
        """The answer to a question that only makes a plan better; says once, and not in full, why there is none.

        Raises:
            NotLookedError: a preview has no key, or FiftyOne cannot be reached.
            FiftyOneError: FiftyOne refuses, which the change to come would meet too; or it cannot be reached after a
                run that went wrong, of which a green one would take away the sign.
        """
        if self._out_of_reach:
            raise NotLookedError
        try:
            return self.ask(question)
        except UnreachableError as error:
            if looks_for_left_overs():
                raise
            self._not_looked(str(error))

    def _not_looked(self, why: str) -> NoReturn:
        with self._lock:
            if not self._out_of_reach:
                print(f"FiftyOne was not asked what stands there, so this goes by the stack's state: {why}", flush=True)
            self._out_of_reach = True
        raise NotLookedError

    def _setting(self, name: str) -> str | None:
        if self._settings is None:
            raise RuntimeError("the engine configures a provider before it calls it")
        return self._settings[name]


CONNECTION: Final = FiftyOneConnection()
