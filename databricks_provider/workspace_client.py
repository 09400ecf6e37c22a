"""A databricks-sdk client that finds its workspace and credentials where the databricks provider finds them.

That is the `databricks:` keys of the stack's configuration, then the environment, then profiles: both clients know the
same attributes under the same names.
"""

from typing import TYPE_CHECKING, Any

from pulumi.dynamic import ConfigureRequest
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


class WorkspaceConnection:
    """Holds the configuration that a provider was given; the client is made when the first call needs it.

    A run in which nothing changes therefore neither loads databricks-sdk (one second) nor sends a request.
    """

    def __init__(self) -> None:
        self._request: ConfigureRequest | None = None
        self._client: WorkspaceClient | None = None

    def configure(self, request: ConfigureRequest) -> None:
        """Keep the stack's configuration, secrets in the clear, for this process only."""
        self._request = request

    def setting(self, key: str) -> str:
        """One key of the stack's configuration, with its namespace. Raises RuntimeError where it is missing."""
        if self._request is None:
            raise RuntimeError("the engine configures a provider before it calls it")
        return self._request.config.require(key)

    @property
    def client(self) -> "WorkspaceClient":
        """The client.

        Raises:
            ValueError: databricks-sdk found no workspace or no credentials.
        """
        if self._client is None:
            from databricks.sdk import WorkspaceClient
            from databricks.sdk.config import Config

            if self._request is None:
                raise RuntimeError("the engine configures a provider before it calls it")
            given: dict[str, Any] = {}
            for attribute in Config.attributes():
                value = self._request.config.get(f"databricks:{to_camel(attribute.name)}")
                if value is not None:
                    # databricks-sdk takes any text for true, "false" as well.
                    given[attribute.name] = value == "true" if attribute.transform is bool else value
            config = Config(**given)
            self._client = WorkspaceClient(config=config)
        return self._client
