"""Reads a stack's settings once, at the edge: the stack's configuration first, then the environment.

Owns where values come from and that all of them are checked before anything is created; what they mean is in
`settings`.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, get_origin

from pydantic import ValidationError

from components.fiftyone_settings import FiftyOneSettings
from components.registration import missing
from components.settings import PROJECT, Settings
from components.settings_errors import Problem, SettingsError, misspelt, problem_of
from components.workspace_credentials import ENVIRONMENT, credential_problems, in_the_clear
from databricks_provider.rotation import CLOCK, MODE, MODES, clock

# The three secrets that workers need have the guide's names in the environment, as in the scope ("Create Databricks
# secrets").
WORKER_SECRETS: Final = {
    "databaseUri": "FIFTYONE_DATABASE_URI",
    "encryptionKey": "FIFTYONE_ENCRYPTION_KEY",
    "pypiUrl": "FIFTYONE_PYPI_URL",
}
FROM_ENVIRONMENT: Final = {
    "fiftyone:apiUri": "FIFTYONE_API_URI",
    "fiftyone:apiKey": "FIFTYONE_API_KEY",
    **{f"fiftyone:{name}": variable for name, variable in WORKER_SECRETS.items()},
    "servicePrincipalClientSecret": "SERVICE_PRINCIPAL_CLIENT_SECRET",
}
_REGISTRY_SECRETS: Final = ("containerRegistryUsername", "containerRegistryPassword")
_OTHER_SECRETS: Final = ("fiftyone:apiKey", "servicePrincipalClientSecret")
_FIFTYONE_KEYS: Final = frozenset(field.alias or "" for field in FiftyOneSettings.model_fields.values())
_STACK_KEYS: Final = frozenset(field.alias or "" for field in Settings.model_fields.values()) - {
    "stack",
    "fiftyone",
    "secretEnv",
    "workspace",
}


def load_settings(
    *,
    stack: str,
    config: Mapping[str, str],
    secret_keys: Collection[str],
    environ: Mapping[str, str],
    previewing: bool = False,
) -> Settings:
    """The stack's settings, whole and checked.

    Args:
        stack: the stack's name.
        config: every key of the stack's configuration with its namespace, as the engine hands it to a program:
            text as it is, anything else as JSON, secrets decrypted.
        secret_keys: those of them that the stack file holds encrypted.
        environ: where values that the configuration does not hold are looked for.
        previewing: whether what only registering needs may be missing (`registration.missing`).

    Raises:
        SettingsError: with everything that is wrong.
    """
    problems = list(_wrong_keys(config))
    problems += credential_problems(config, secret_keys=secret_keys, environ=environ, stack=stack)
    problems += (in_the_clear(_bare(key), stack) for key in config if _is_secret(key) and key not in secret_keys)
    problems += (_not_kept_secret(_bare(key)) for key in secret_keys if not _may_be_secret(key))
    if problems:
        raise SettingsError(stack, problems)

    tree = {**_tree(stack, config), "workspace": _workspace(config, environ)}
    existing_scope = _is_existing(tree["secretScope"])
    problems += _from_environment(tree, environ, existing_scope=existing_scope, stack=stack)
    if existing_scope:
        problems += (_not_written(_bare(key), stack) for key in config if _goes_into_scope(key))
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            problems.append(problem_of(details, stack=stack))
        raise SettingsError(stack, problems) from None
    problems += _rotation(settings, environ)
    if not previewing:
        problems += missing(settings)
    if problems:
        raise SettingsError(stack, problems)
    return settings


def _wrong_keys(config: Mapping[str, str]) -> Iterator[Problem]:
    known = {*_STACK_KEYS, *(f"fiftyone:{name}" for name in _FIFTYONE_KEYS)}
    for key in sorted(config):
        bare = _bare(key)
        if bare not in known and not bare.startswith(("databricks:", "pulumi:", "secretEnv.")):
            yield misspelt(bare, known)


def stack_defaults(stack: str) -> dict[str, Any]:
    """The defaults that depend on the stack's name."""
    return {
        "secretScope": f"fiftyone-{stack}",
        "workspaceDir": f"/Workspace/Shared/fiftyone-{stack}",
        "protect": stack == "prod",
    }


def _tree(stack: str, config: Mapping[str, str]) -> dict[str, Any]:
    """The configuration as nested values, with the defaults that depend on the stack's name."""
    tree: dict[str, Any] = {"stack": stack, "fiftyone": {}, "secretEnv": {}, **stack_defaults(stack)}
    for key, raw in config.items():
        bare = _bare(key)
        if bare.startswith("secretEnv."):
            tree["secretEnv"][bare.removeprefix("secretEnv.")] = raw
        elif bare.startswith("fiftyone:"):
            name = bare.removeprefix("fiftyone:")
            tree["fiftyone"][name] = _parsed(raw, FiftyOneSettings, name)
        elif bare in _STACK_KEYS:
            tree[bare] = _parsed(raw, Settings, bare)
    return tree


def _workspace(config: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What is known of the workspace before a provider is started; a profile is not read."""
    found = {name: config.get(f"databricks:{name}") or environ.get(ENVIRONMENT[name]) for name in ("host", "accountId")}
    return {name: value for name, value in found.items() if value}


def _parsed(raw: str, model: type[FiftyOneSettings] | type[Settings], alias: str) -> Any:
    """The value that the engine's text stands for; what cannot be parsed is left for validation to refuse."""
    annotation: Any = next(field.annotation for field in model.model_fields.values() if field.alias == alias)
    structured = annotation in (bool, int, float) or get_origin(annotation) is dict or raw.startswith("{")
    if not structured:
        return raw
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _from_environment(
    tree: dict[str, Any], environ: Mapping[str, str], *, existing_scope: bool, stack: str
) -> Iterator[Problem]:
    """Fill in what the configuration does not hold; where both hold it, they must agree."""
    for key, variable in FROM_ENVIRONMENT.items():
        section, name = (tree["fiftyone"], key.removeprefix("fiftyone:")) if ":" in key else (tree, key)
        value, secret = environ.get(variable), name in WORKER_SECRETS
        if (secret and existing_scope) or (name == "servicePrincipalClientSecret" and not _needs_client_secret(tree)):
            continue
        if value and name in section and section[name] != value:
            yield Problem(
                key=key,
                what=f"and {variable} in the environment disagree",
                why="one of the two is not the one you mean, and nothing tells which.",
                mend=f"`unset {variable}`, or `pulumi config rm {key} -s {stack}`.",
            )
        elif value:
            section[name] = value
        elif name not in section and secret:
            yield Problem(
                key=key,
                what="is required and missing",
                why=FiftyOneSettings.model_fields[_python_name(name)].description or "",
                mend=f"`pulumi config set --secret {key} -s {stack}`, or set {variable} in the environment.",
            )


def _needs_client_secret(tree: dict[str, Any]) -> bool:
    """Whether the trigger's credential comes from the settings: neither made by the stack nor FiftyOne's already."""
    match tree:
        case {"secretsFrom": {"clientSecret": _}}:
            return False
        case {"servicePrincipal": {"clientId": _}}:
            return True
        case _:
            return False


def _rotation(settings: Settings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the way that the credential is to be made anew."""
    try:
        clock(environ)
    except ValueError as error:
        yield Problem(key=CLOCK, what=f"is no time: {error}", mend=f"`unset {CLOCK}`.")
    mode = environ.get(MODE, MODES[0])
    if mode not in MODES:
        yield Problem(key=MODE, what=f"is {mode!r} in the environment", mend=f"set it to one of {', '.join(MODES)}.")
    elif mode == "now" and not settings.makes_service_principal:
        yield Problem(
            key=MODE,
            what="asks for a new credential, and the stack makes none",
            why="FiftyOne starts the jobs as a service principal that exists already, of which nothing is changed.",
            mend="make a new secret of it in Databricks, then `pulumi config set --secret servicePrincipalClientSecret "
            f"-s {settings.stack}` and `make up STACK={settings.stack}`.",
        )


def _is_existing(secret_scope: Any) -> bool:
    match secret_scope:
        case {"existing": True}:
            return True
        case _:
            return False


def _not_written(key: str, stack: str) -> Problem:
    return Problem(
        key=key,
        what="is set, while the secret scope is an existing one, to which nothing is written",
        why="runs would read whatever the scope holds, and not this value.",
        mend=f"put it into the scope by hand and `pulumi config rm {key} -s {stack}`.",
    )


def _not_kept_secret(key: str) -> Problem:
    return Problem(
        key=key,
        what="is encrypted here, wholly or in part, and would be deployed in the clear",
        why="it is no secret to the program, so jobs and the stack's state would show it.",
        mend="set it without `--secret`; a secret for the environment of runs is a key of its own, `secretEnv.<NAME>`.",
    )


def _may_be_secret(key: str) -> bool:
    return _is_secret(key) or key.startswith(("databricks:", "pulumi:"))


def _python_name(alias: str) -> str:
    return next(name for name, field in FiftyOneSettings.model_fields.items() if field.alias == alias)


def _is_secret(key: str) -> bool:
    return _goes_into_scope(key) or _bare(key) in _OTHER_SECRETS


def _goes_into_scope(key: str) -> bool:
    bare = _bare(key)
    return (
        bare.removeprefix("fiftyone:") in WORKER_SECRETS or bare in _REGISTRY_SECRETS or bare.startswith("secretEnv.")
    )


def _bare(key: str) -> str:
    return key.removeprefix(f"{PROJECT}:")
