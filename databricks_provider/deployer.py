"""Who deployed the stack first, as a dynamic resource: the identity that jobs run as unless settings name another.

A job that says nothing of it keeps what it had, so that a service principal dropped from the settings would stay
(`run_as` is computed in the databricks provider). Asked once, and then kept: who runs later must not depend on who
happens to preview.
"""

import re
from typing import Any, Final

import pulumi
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, Resource, ResourceProvider

from databricks_provider.workspace_client import CONNECTION

# A service principal's user name is its application id.
_APPLICATION_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class DeployerProvider(ResourceProvider):
    """Asks who deploys. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        name = CONNECTION.client.current_user.me().user_name or ""
        return CreateResult(id_="deployer", outs={**props, "userName": name})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=False)


def is_service_principal(user_name: str) -> bool:
    """Whether a user name is a service principal's."""
    return _APPLICATION_ID.fullmatch(user_name) is not None


class Deployer(Resource, module="databricks", name="Deployer"):
    """Whoever deployed the stack first; `userName` as the workspace knows it."""

    userName: pulumi.Output[str]  # noqa: N815 - outputs have the names of the state

    def __init__(self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(DeployerProvider(), resource_name, {"userName": None}, opts)
