"""What FiftyOne is told of a stack and from where: translates settings; deploys nothing.

Source: guide, "Register Orchestrator in FiftyOne".
"""

from collections.abc import Iterator

from components.access_settings import CREDENTIAL_FIELDS, MADE_FIELDS
from components.settings import Settings, secret_suffix
from components.settings_errors import Problem


def credentials(settings: Settings) -> dict[str, str | None]:
    """What the settings know of what the stack's own FiftyOne secrets hold, in the clear, by FiftyOne's field.

    None is not known yet; what the stack makes itself, a service principal with its credential, is not in it.
    """
    principal, secret = settings.service_principal, settings.service_principal_client_secret
    values = {
        "host": settings.workspace.host,
        "accountId": settings.workspace.account_id,
        "clientId": principal.client_id if principal else None,
        "clientSecret": secret.get_secret_value() if secret else None,
    }
    made = MADE_FIELDS if settings.makes_service_principal else ()
    return {field: values[field] for field in CREDENTIAL_FIELDS if field not in {*existing_secrets(settings), *made}}


def existing_secrets(settings: Settings) -> dict[str, str]:
    """Names of the FiftyOne secrets that are not the stack's, by FiftyOne's field."""
    return settings.secrets_from.names if settings.secrets_from else {}


def missing(settings: Settings) -> Iterator[Problem]:
    """What registering needs and a preview can do without."""
    if settings.fiftyone.api_key is None:
        yield Problem(
            key="fiftyone:apiKey",
            what="is required and missing",
            why="orchestrators are registered with it.",
            mend=f"`pulumi config set --secret fiftyone:apiKey -s {settings.stack}`, or set FIFTYONE_API_KEY in the "
            "environment.",
        )
    held = credentials(settings)
    known = {"host": settings.workspace.host, "accountId": settings.workspace.account_id}
    for field, key, variable in (
        ("host", "databricks:host", "DATABRICKS_HOST"),
        ("accountId", "databricks:accountId", "DATABRICKS_ACCOUNT_ID"),
    ):
        wanted = field in held or (field == "accountId" and settings.run_as is not None)
        if wanted and not known[field]:
            yield Problem(
                key=key,
                what="is required and missing",
                why="FiftyOne is told it, and roles are granted by it; a profile of Databricks' is not read for that.",
                mend=f"set it in Pulumi.{settings.stack}.yaml, or set {variable} in the environment.",
            )
    if "clientSecret" in held and not held["clientSecret"]:
        yield Problem(
            key="servicePrincipalClientSecret",
            what="is required and missing",
            why="FiftyOne starts the jobs with it.",
            mend=f"`pulumi config set --secret servicePrincipalClientSecret -s {settings.stack}`, or set "
            "SERVICE_PRINCIPAL_CLIENT_SECRET in the environment.",
        )


def secret_name(field: str, instance_id: str) -> str:
    """The name that FiftyOne itself would give the secret of a field."""
    upper = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in field)
    return f"{upper}_{secret_suffix(instance_id)}"
