"""The OAuth secret of the stack's own service principal, as dynamic resources: made anew in time, deleted late.

`Credential` makes a secret and deletes none. `CredentialRetention`, which gets from the FiftyOne secrets what they hold
and what they held before, deletes all others: requests in flight may still use the one before. The two last *made*
would not do: two rotations while FiftyOne is down would cost the one in use. Source: guide, "Credential Expiration and
Rotation".
"""

from collections.abc import Sequence
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

from databricks_provider.left_overs import looks_for_left_overs
from databricks_provider.rotation import lifetime, rotation
from databricks_provider.sdk_import import SDK_IMPORT
from databricks_provider.workspace_client import CONNECTION

# Secrets of a service principal that may be valid at once.
MOST = 5


class CredentialProvider(ResourceProvider):
    """Makes and finds secrets. Its import path is part of every stack's state: never move or rename it."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=f"{props['principalId']}/credential", outs=_made(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Due by its age, and that alone; says where it stands, which the engine's own words do not."""
        moved = _olds["principalId"] != _news["principalId"]
        stands = rotation(_olds, period_days=int(_news["rotateAfterDays"]))
        if not moved:
            print(f"the credential that FiftyOne starts jobs with is {stands}", flush=True)
        return DiffResult(
            changes=moved or stands.happens,
            replaces=["principalId"] if moved else [],
            delete_before_replace=False,
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(outs=_made(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Whether the secret is there; ended ones are not listed."""
        if props["secretId"] in _secret_ids(props["principalId"]):
            return ReadResult(id_=id_, outs=props)
        print("the credential that FiftyOne starts jobs with was deleted in Databricks, or has ended", flush=True)
        return ReadResult(id_="", outs={})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing: FiftyOne may hold it still, and it goes with its service principal."""


class CredentialRetentionProvider(ResourceProvider):
    """Deletes secrets that FiftyOne has moved on from. Its import path is part of every stack's state."""

    def configure(self, req: ConfigureRequest) -> None:
        CONNECTION.configure(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        _sweep(props)
        return CreateResult(id_="credentials", outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = any(_olds[name] != _news[name] for name in ("principalId", "needed"))
        return DiffResult(changes=changed or looks_for_left_overs())

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _sweep(_news)
        return UpdateResult(outs=_news)


def _made(props: dict[str, Any]) -> dict[str, Any]:
    """The resource's outputs with a new secret. Raises RuntimeError where there are too many."""
    with SDK_IMPORT:
        from databricks.sdk.errors.base import DatabricksError

    principal, proxy = props["principalId"], CONNECTION.client.service_principal_secrets_proxy
    try:
        made = proxy.create(principal, lifetime=lifetime(int(props["rotateAfterDays"])))
    except DatabricksError as error:
        if len(_secret_ids(principal)) < MOST:
            raise
        raise RuntimeError(
            f"The service principal has {MOST} OAuth secrets, and Databricks lets none have more ({error}): FiftyOne "
            "may not have been reached by the rotations before. Run `ROTATE_CREDENTIAL=never make up STACK=…` for this "
            "stack: it hands the newest to FiftyOne and deletes those that nobody needs. Then run the same command "
            "again."
        ) from None
    return {
        **props,
        "secretId": made.id,
        "madeAt": made.create_time,
        "expiresAt": made.expire_time,
        "value": made.secret,
    }


def _sweep(props: dict[str, Any]) -> None:
    """Delete all secrets of the principal that nobody needs."""
    with SDK_IMPORT:
        from databricks.sdk.errors import NotFound

    principal = props["principalId"]
    for secret_id in sorted(_secret_ids(principal).difference(props["needed"])):
        with suppress(NotFound):
            CONNECTION.client.service_principal_secrets_proxy.delete(principal, secret_id)


def _secret_ids(principal: str) -> set[str]:
    """The secrets that have not ended; none of a principal that is gone."""
    with SDK_IMPORT:
        from databricks.sdk.errors import NotFound

    with suppress(NotFound):
        return {secret.id or "" for secret in CONNECTION.client.service_principal_secrets_proxy.list(principal)}
    return set()


class Credential(Resource, module="databricks", name="Credential"):
    """The newest OAuth secret of a service principal that is the stack's own.

    Args:
        principal_id: SCIM id of the service principal; another one replaces.
        rotate_after_days: days after which the next `up` makes a new secret. It lasts two such periods and a week.
    """

    secretId: pulumi.Output[str]  # noqa: N815 - outputs have the names of the state
    expiresAt: pulumi.Output[str]  # noqa: N815
    value: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        principal_id: pulumi.Input[str],
        rotate_after_days: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        made = dict.fromkeys(("secretId", "madeAt", "expiresAt", "value"))
        props = {"principalId": principal_id, "rotateAfterDays": rotate_after_days, **made}
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        super().__init__(CredentialProvider(), resource_name, props, pulumi.ResourceOptions.merge(opts, hidden))


class CredentialRetention(Resource, module="databricks", name="CredentialRetention"):
    """What becomes of secrets that nobody needs.

    Args:
        principal_id: as of `Credential`.
        needed: ids of the secrets that FiftyOne holds, once it does, and of those that it held before.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        principal_id: pulumi.Input[str],
        needed: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {"principalId": principal_id, "needed": needed}
        super().__init__(CredentialRetentionProvider(), resource_name, props, opts)
