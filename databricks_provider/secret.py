"""A secret in a Databricks scope, as a dynamic resource that survives a change of its value.

pulumi-databricks replaces a secret whose value changed: the new value is put under the same key, and the "old" secret,
the same key, is then deleted (pulumi-databricks #642). Here a change is one put, and only another key or scope
replaces.
"""

from contextlib import suppress
from typing import Any

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from databricks_provider.sdk_import import SDK_IMPORT
from databricks_provider.workspace_client import CONNECTION


class SecretProvider(ResourceProvider):
    """Puts, finds and deletes secrets. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        _put(props)
        return CreateResult(id_=f"{props['scope']}/{props['key']}", outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = [name for name in ("scope", "key", "value") if _olds.get(name) != _news.get(name)]
        return DiffResult(
            changes=bool(changed),
            replaces=[name for name in changed if name != "value"],
            stables=["scope", "key"],
            delete_before_replace=False,
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _put(_news)
        return UpdateResult(outs=_news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whether the key is there; a value that was changed in the workspace cannot be seen."""
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        scope, _, key = id_.partition("/")
        try:
            keys = [secret.key for secret in CONNECTION.client.secrets.list_secrets(scope)]
        except NotFound:
            keys = []
        return ReadResult(id_=id_, outs=props) if key in keys else ReadResult(id_="", outs={})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        with suppress(NotFound):
            CONNECTION.client.secrets.delete_secret(_props["scope"], _props["key"])


def _put(props: dict[str, Any]) -> None:
    CONNECTION.client.secrets.put_secret(props["scope"], props["key"], string_value=props["value"])


class Secret(Resource, module="databricks", name="Secret"):
    """One key of a scope. The value is a secret in the state whether or not the caller marked it as one.

    Args:
        scope: name of the scope, which exists when the secret is put.
        key: the key; another one is another secret.
        value: at most 128 KB, as Databricks takes.
    """

    scope: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        scope: pulumi.Input[str],
        key: pulumi.Input[str],
        value: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"scope": scope, "key": key, "value": pulumi.Output.secret(value)}
        super().__init__(SecretProvider(), resource_name, props, opts)
