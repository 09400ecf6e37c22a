"""One entry for one identity on an object that others give access to as well, as a dynamic resource.

pulumi-databricks writes all of an object's access, or loses an entry whose level changes. Here an entry is added where
it is missing, and taken away at the end if it was added here; what else stands there is left alone. Nothing is asked
where nothing changed; `refresh` looks.
"""

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from databricks_provider.sdk_import import SDK_IMPORT
from databricks_provider.workspace_client import CONNECTION


class GrantProvider(ResourceProvider, ABC):
    """What all kinds have in common: `holder` has the access, `added` are those whose entries were added here.

    `identity` names the inputs that make it another grant.
    """

    identity: tuple[str, ...]

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    @abstractmethod
    def held(self, props: dict[str, Any], principal: str) -> bool:
        """Whether the principal's access is as it should be."""

    @abstractmethod
    def give(self, props: dict[str, Any], principal: str) -> None:
        """Add the entry."""

    @abstractmethod
    def take(self, props: dict[str, Any], principal: str) -> None:
        """Take the entry away, if it is there."""

    def principal(self, _props: dict[str, Any]) -> str:
        """Who gets it."""
        return _props["principal"]

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_="/".join(props[name] for name in self.identity), outs=self._granted(props, []))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        moved = [name for name in self.identity if _olds[name] != _news[name]]
        return DiffResult(changes=bool(moved) or not _olds["held"], replaces=moved)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(outs=self._granted(_news, _olds["added"]))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whether whom it was given still has it; where that may not be looked at, this goes by the state."""
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound, PermissionDenied

        try:
            held = self.held(props, props["holder"])
        except NotFound:
            return ReadResult(id_="", outs={})
        except PermissionDenied as error:
            print(f"{id_} could not be looked at, so this goes by the stack's state: {error}", flush=True)
            return ReadResult(id_=id_, outs=props)
        if not held:
            print(f"{id_}: the access of {props['holder']} is not as it was deployed; `up` gives it again", flush=True)
        return ReadResult(id_=id_, outs={**props, "held": held})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with SDK_IMPORT:
            from databricks.sdk.errors import NotFound

        for principal in _props["added"]:
            with suppress(NotFound):
                self.take(_props, principal)

    def _granted(self, props: dict[str, Any], added: list[str]) -> dict[str, Any]:
        principal = self.principal(props)
        if not self.held(props, principal):
            try:
                self.give(props, principal)
            except OSError:  # all that databricks-sdk raises; an answer that got lost may be that of a success
                if not self.held(props, principal):
                    raise
            added = [*(name for name in added if name != principal), principal]
        return {**props, "held": True, "holder": principal, "added": added}


def deleted_first(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options of a grant, which goes before another takes its place.

    The other would find its entry, take it for somebody else's, and lose it then.
    """
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
