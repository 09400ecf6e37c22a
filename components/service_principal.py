"""The service principal that FiftyOne starts jobs as, where the stack makes it, and the credential that FiftyOne holds.

Owns both, and the rotation of the credential; who may do what as that principal is granted in `access`. Source: guide,
"Create Service Creds" and "Credential Expiration and Rotation".
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_databricks as databricks

from components.settings import Settings
from databricks_provider.credential import Credential, CredentialRetention
from fiftyone_provider.secret import Secret


class ServicePrincipal(pulumi.ComponentResource):
    """Outputs: `client_id`, `credential` by FiftyOne's fields, and of its secret `secret_id` and `credential_expires`.

    Args:
        name: of the component.
        stack: the stack's name, which names the service principal.
        rotate_after_days: days after which the next `up` makes a new secret.
    """

    client_id: pulumi.Output[str]
    credential: Mapping[str, pulumi.Output[str]]
    secret_id: pulumi.Output[str]
    credential_expires: pulumi.Output[str]

    def __init__(self, name: str, *, stack: str, rotate_after_days: int) -> None:
        super().__init__("fiftyone-databricks:index:ServicePrincipal", name)
        own = pulumi.ResourceOptions(parent=self)
        principal = databricks.ServicePrincipal(name, display_name=f"fiftyone-{stack}", opts=own)
        secret = Credential("credential", principal_id=principal.id, rotate_after_days=rotate_after_days, opts=own)
        self._principal_id, self.secret_id = principal.id, secret.secretId
        self.client_id = principal.application_id
        self.credential = {"clientId": principal.application_id, "clientSecret": secret.value}
        self.credential_expires = secret.expiresAt
        self.register_outputs({"clientId": self.client_id, "credentialExpires": self.credential_expires})

    def retire_secrets(self, holders: Sequence[Secret | None]) -> None:
        """Delete secrets that nobody needs, once all of `holders`, which are FiftyOne's secrets, have the newest."""
        needed = [output for holder in holders if holder for output in (holder.valueId, holder.valueIdBefore)]
        CredentialRetention(
            "credentials", principal_id=self._principal_id, needed=needed, opts=pulumi.ResourceOptions(parent=self)
        )


def service_principal(settings: Settings) -> ServicePrincipal | None:
    """The stack's own, or None where the settings name one, or FiftyOne secrets that hold a whole credential."""
    if not settings.makes_service_principal:
        return None
    return ServicePrincipal("trigger", stack=settings.stack, rotate_after_days=settings.rotate_after_days)
