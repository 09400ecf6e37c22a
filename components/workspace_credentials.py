"""What can be told about the `databricks:` settings before a provider is started: names, clear text, disagreement.

The provider and databricks-sdk read the same settings, from the stack's configuration and then from the environment;
both fail late, and not clearly, where the two disagree.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from components.settings_errors import Problem, misspelt

# Every key of the provider's configuration (pulumi_databricks.config; a unit test holds the two together).
PROVIDER_KEYS: Final = frozenset(
    """accountId actionsIdTokenRequestToken actionsIdTokenRequestUrl audience authType azureClientId azureClientSecret
    azureEnvironment azureLoginAppId azureTenantId azureUseMsi azureWorkspaceResourceId clientId clientSecret cloud
    clusterId configFile databricksCliPath databricksIdTokenFilepath debugHeaders debugTruncateBytes
    disableOauthRefreshToken discoveryUrl experimentalIsUnifiedHost googleCredentials googleServiceAccount host
    httpTimeoutSeconds metadataServiceUrl oauthCallbackPort oidcTokenEnv password profile rateLimit
    retryTimeoutSeconds scopes serverlessComputeId skipVerify token username warehouseId workspaceId""".split()  # noqa: SIM905
)
SECRET_KEYS: Final = frozenset(
    {"actionsIdTokenRequestToken", "azureClientSecret", "clientSecret", "googleCredentials", "password", "token"}
)
ENVIRONMENT: Final = {
    "host": "DATABRICKS_HOST",
    "accountId": "DATABRICKS_ACCOUNT_ID",
    "token": "DATABRICKS_TOKEN",
    "clientId": "DATABRICKS_CLIENT_ID",
    "clientSecret": "DATABRICKS_CLIENT_SECRET",
    "username": "DATABRICKS_USERNAME",
    "password": "DATABRICKS_PASSWORD",
    "azureClientId": "ARM_CLIENT_ID",
    "azureClientSecret": "ARM_CLIENT_SECRET",
    "azureTenantId": "ARM_TENANT_ID",
    "googleCredentials": "GOOGLE_CREDENTIALS",
    "googleServiceAccount": "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
}
# Which keys make which method of authentication, under the names that `databricks:authType` takes; one key is enough
# for Databricks' clients to see the method (databricks-sdk, Config.attributes).
METHODS: Final = {
    "pat": ("token",),
    "oauth-m2m": ("clientId", "clientSecret"),
    "basic": ("username", "password"),
    "azure-client-secret": ("azureClientId", "azureClientSecret", "azureTenantId"),
    "google-credentials": ("googleCredentials", "googleServiceAccount"),
}


def credential_problems(
    config: Mapping[str, str], *, secret_keys: Collection[str], environ: Mapping[str, str], stack: str
) -> Iterator[Problem]:
    """What is wrong with the `databricks:` keys of `config`, which holds all of the stack's; values are not shown."""
    given = {key.removeprefix("databricks:"): value for key, value in config.items() if key.startswith("databricks:")}
    for name in sorted(given.keys() - PROVIDER_KEYS):
        yield misspelt(f"databricks:{name}", (f"databricks:{known}" for known in PROVIDER_KEYS))
    for name in sorted(given.keys() & SECRET_KEYS):
        if f"databricks:{name}" not in secret_keys:
            yield in_the_clear(f"databricks:{name}", stack)
    for name, variable in ENVIRONMENT.items():
        if name in given and environ.get(variable) and _address(given[name]) != _address(environ[variable]):
            yield Problem(
                key=f"databricks:{name}",
                what=f"and {variable} in the environment disagree",
                why="the one in the stack's configuration would win without a word, perhaps for another workspace.",
                mend=f"`unset {variable}`, or `pulumi config rm databricks:{name} -s {stack}`.",
            )
    yield from _two_methods(given, environ)


def in_the_clear(key: str, stack: str) -> Problem:
    """The problem of a secret that stands unencrypted in a stack file."""
    return Problem(
        key=key,
        what="stands in the clear",
        why="whoever reads the repository or the stack's state reads the secret.",
        mend=f"treat it as leaked and renew it, then `pulumi config set --secret {key} -s {stack}`.",
    )


def _two_methods(given: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[Problem]:
    if given.get("authType") or environ.get("DATABRICKS_AUTH_TYPE"):
        return
    found: dict[str, str] = {}
    for method, names in METHODS.items():
        sources = [f"databricks:{name}" for name in names if name in given]
        sources += [ENVIRONMENT[name] for name in names if environ.get(ENVIRONMENT[name])]
        if sources:
            found[method] = sources[0]
    if len(found) > 1:
        first, *others = found.values()
        yield Problem(
            key=first,
            what=f"and {' and '.join(others)} are {len(found)} sources of credentials",
            why="Databricks' clients refuse to choose (more than one authorization method configured).",
            mend=f"drop what is not meant, or set `databricks:authType` to one of {', '.join(found)}.",
        )


def _address(value: str) -> str:
    return value.removeprefix("https://").rstrip("/")
