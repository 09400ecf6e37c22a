"""A databricks-sdk client that finds its workspace and credentials where the databricks provider finds them.

That is the `databricks:` keys of the stack's configuration, then the environment, then profiles: both clients know the
same attributes under the same names.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pulumi.dynamic import ConfigureRequest

from databricks_provider.sdk_import import SDK_IMPORT

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def workspace_client(configured: Callable[[str], str | None]) -> "WorkspaceClient":
    """The client; `configured` tells the value of a key of the stack's configuration, or None.

    Raises:
        ValueError: databricks-sdk found no workspace or no credentials.
    """
    # Loaded here, because it takes a second, and a run in which nothing changes asks for no client.
    with SDK_IMPORT:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.config import Config
        from pydantic.alias_generators import to_camel

    given: dict[str, Any] = {}
    for attribute in Config.attributes():
        value = configured(f"databricks:{to_camel(attribute.name)}")
        if value is not None:
            # databricks-sdk takes any text for true, "false" as well.
            given[attribute.name] = value == "true" if attribute.transform is bool else value
    return WorkspaceClient(config=Config(**given))


class WorkspaceConnection:
    """The client of the dynamic providers of one process, made when the first call needs it.

    Its configuration is the stack's, as the engine gave it, which is the same for each class of provider.
    """

    def __init__(self) -> None:
        self._request: ConfigureRequest | None = None
        self._client: WorkspaceClient | None = None

    def configure(self, request: ConfigureRequest) -> None:
        """Keep the stack's configuration, secrets in the clear, for this process only."""
        self._request = request

    def setting(self, key: str) -> str:
        """One key of the stack's configuration, with its namespace. Raises where it is missing."""
        return self._configured.config.require(key)

    @property
    def client(self) -> "WorkspaceClient":
        """The client. Raises ValueError as `workspace_client` does."""
        with SDK_IMPORT:  # making it may load more
            if self._client is None:
                self._client = workspace_client(self._configured.config.get)
            return self._client

    @property
    def _configured(self) -> ConfigureRequest:
        if self._request is None:
            raise RuntimeError("the engine configures a provider before it calls it")
        return self._request


# Shared, because each client asks the workspace what it is, and gets a token of its own.
CONNECTION: Final = WorkspaceConnection()
