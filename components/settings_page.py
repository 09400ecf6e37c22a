"""docs/configuration.md, made of the settings: `python -m components.settings_page` prints it.

Owns how a setting is written down for people; what settings there are, and their bounds, is the models' own.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components import cloud_settings
from components.access_settings import RunAsSettings, SecretsFromSettings, ServicePrincipalSettings
from components.fiftyone_settings import FiftyOneSettings
from components.orchestrator_settings import OrchestratorSettings
from components.plugins_settings import PluginsSettings
from components.settings import ScopeSettings, Settings
from components.settings_loader import FROM_ENVIRONMENT, WORKER_SECRETS, stack_defaults
from components.workspace_credentials import ENVIRONMENT, METHODS, SECRET_KEYS

INTRODUCTION: Final = """\
# Configuration

<!-- Made by `make configuration` of the settings in components/; a test keeps it current. -->

Every key of a stack file, `Pulumi.<stack>.yaml`, below `config:`. Keys without a namespace are the project's own:
`protect` and `fiftyone-databricks:protect` are one. [settings.schema.json](../settings.schema.json) tells editors the
same, with the form of each text. A wrong key, type or value stops before anything is created, with a message that
names the key and how to mend it; what a stack *may* cost is bounded elsewhere, by [the policy pack](policies.md).

A *secret* is set by `pulumi config set --secret KEY -s STACK`, which asks for the value, or comes from the environment;
one that stands in the clear is refused. Where the stack file and the environment both hold a value, they have to agree.
"""

DATABRICKS: Final = """\
## `databricks:` the workspace and who deploys

Keys of the databricks provider's own, those that a stack needs; it takes its others as well. Each is read from the
environment where the stack file does not have it. They make one method of authentication:

{methods}

Where environment and stack file hold more than one, `databricks:authType` has to choose.
"""

WRITTEN: Final = {
    "secretEnv": ("`secretEnv.<NAME>`, each *secret*", "text, not empty, up to 128 KB", "none"),
    "orchestrators": ("`orchestrators`", "a map: instance id to the settings [below](#orchestratorsinstance-id)", None),
}
# What holds instead of a value that is not set.
INSTEAD: Final = {
    "fiftyone:workerApiUrl": "`fiftyone:apiUri`",
    "maxConcurrentRuns": "`fiftyone:delegatedOperationCapacity`",
    "registrationCommand": "found in the job's run history",
    "runAs": "whoever deployed first",
    "servicePrincipal": "the stack makes one",
}
NEEDED_BY_UP: Final = frozenset({"fiftyone:apiKey", "databricks:host", "databricks:accountId"})
MEANING: Final = {
    "host": "Address of the workspace, which FiftyOne is told as well.",
    "accountId": "Id of the Databricks account, from its console; FiftyOne is told it, and roles are granted by it.",
    "token": "Personal access token of whoever deploys.",
    "clientId": "Client id of the service principal that deploys.",
    "clientSecret": "OAuth secret of the service principal that deploys.",
    "azureClientId": "Client id of the Microsoft Entra service principal that deploys.",
    "azureClientSecret": "Its client secret.",
    "azureTenantId": "Its tenant.",
    "googleCredentials": "Key of the Google service account that deploys, as JSON.",
    "googleServiceAccount": "Google service account that deploys, by impersonation.",
    "authType": "Which method of authentication counts.",
}
EXAMPLES: Final = {
    "host": "`https://example.cloud.databricks.com`",
    "accountId": "`0c7a1de5-7a9d-4c5e-8f2b-6b1d94e0a3f7`",
    "clientId": "`5ad0c0de-0000-4000-8000-000000000003`",
    "azureClientId": "`5ad0c0de-0000-4000-8000-000000000004`",
    "azureTenantId": "`5ad0c0de-0000-4000-8000-000000000005`",
    "googleServiceAccount": "`deployer@example-project.iam.gserviceaccount.com`",
}
CLOUDS: Final = {
    "aws": (cloud_settings.AwsSettings, cloud_settings.AwsDisks),
    "azure": (cloud_settings.AzureSettings, cloud_settings.AzureDisks),
    "gcp": (cloud_settings.GcpSettings, cloud_settings.GcpDisks),
}


def page() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    yield "## `fiftyone:` the deployment\n"
    yield from _table(_rows(FiftyOneSettings, "fiftyone:"))
    yield "## The stack\n"
    yield from _table(_rows(Settings, "", leave_out=("stack", "fiftyone", "workspace"), written=WRITTEN))
    for key, model in (
        ("secretScope", ScopeSettings),
        ("servicePrincipal", ServicePrincipalSettings),
        ("runAs", RunAsSettings),
        ("secretsFrom", SecretsFromSettings),
        ("plugins", PluginsSettings),
    ):
        yield f"### `{key}`\n"
        yield f"{_sentence(model)}\n"
        yield from _table(_rows(model, f"{key}."))
    yield "## `orchestrators.<instance id>`\n"
    yield f"{_sentence(OrchestratorSettings)}\n"
    yield from _table(_rows(OrchestratorSettings, ""))
    for cloud, (model, disks) in CLOUDS.items():
        yield f"### `cloud` with `provider: {cloud}`\n"
        yield f"{_sentence(model)}\n"
        yield from _table([*_rows(model, "cloud.", leave_out=("provider",)), *_rows(disks, "cloud.disks.")])
    yield DATABRICKS.format(
        methods="\n".join(f"- `{name}`: {', '.join(map(_code, keys))}" for name, keys in _methods())
    )
    yield from _table(_databricks_rows())


def _table(rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Iterator[str]:
    yield "| key | value | default | meaning | example |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _rows(
    model: type[BaseModel],
    prefix: str,
    *,
    leave_out: tuple[str, ...] = (),
    written: Mapping[str, tuple[str, str, str | None]] | None = None,
) -> Iterator[tuple[str, ...]]:
    schema = model.model_json_schema()
    for field in model.model_fields.values():
        alias = field.alias or ""
        if alias in leave_out:
            continue
        value = schema["properties"][alias]
        secret = _is_secret(value)
        key, takes, default = (written or {}).get(alias) or (
            f"`{prefix}{alias}`{', *secret*' if secret else ''}",
            _takes(value, schema.get("$defs", {}), alias),
            _default(field, prefix + alias),
        )
        yield key, takes, default or "required", field.description or "", _example(field, secret=secret)


def _databricks_rows() -> Iterator[tuple[str, ...]]:
    named = ["host", "accountId", *(key for _, keys in _methods() for key in keys)]
    for key in named:
        default = f"`{ENVIRONMENT[key]}`"
        if f"databricks:{key}" in NEEDED_BY_UP:
            default += "; `up` requires it"
        secret = ", *secret*" if key in SECRET_KEYS else ""
        yield f"`databricks:{key}`{secret}", "text", default, MEANING[key], EXAMPLES.get(key, "")
    methods = " or ".join(_code(method) for method, _ in _methods())
    yield "`databricks:authType`", methods, "`DATABRICKS_AUTH_TYPE`", MEANING["authType"], "`pat`"


def _takes(value: dict[str, Any], definitions: dict[str, Any], alias: str) -> str:
    """The type of a value and its bounds, in words."""
    if "anyOf" in value:
        value = next(part for part in value["anyOf"] if part.get("type") != "null")
    if "$ref" in value:
        return _reference(value["$ref"], definitions, alias)
    if "oneOf" in value or "discriminator" in value:
        return "a map, by cloud: [`aws`](#cloud-with-provider-aws), [`azure`](#cloud-with-provider-azure), " + (
            "[`gcp`](#cloud-with-provider-gcp)"
        )
    if "enum" in value:
        return " or ".join(f"`{choice}`" for choice in value["enum"])
    match value["type"]:
        case "boolean":
            return "`true` or `false`"
        case "integer" | "number" as kind:
            return f"{'whole number' if kind == 'integer' else 'number'}{_bounds(value)}"
        case "array":
            return "list of texts" + (f", at least {value['minItems']}" if value.get("minItems") else "")
        case "object":
            most = f", {value['maxProperties']} at most" if "maxProperties" in value else ""
            return f"a map of texts{most}"
        case _:
            return "text" + (", not empty" if value.get("minLength") == 1 else "")


def _reference(reference: str, definitions: dict[str, Any], alias: str) -> str:
    if alias == "disks":
        return f"a map of {', '.join(f'`{name}`' for name in definitions[reference.rpartition('/')[2]]['properties'])}"
    either = "a name, or " if alias == "secretScope" else ""
    return f"{either}a map, [below](#{alias.lower()})"


def _bounds(value: dict[str, Any]) -> str:
    low, high, above = value.get("minimum"), value.get("maximum"), value.get("exclusiveMinimum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    parts = [f"at least {low}"] if low is not None else []
    parts += [f"above {above:g}"] if above is not None else []
    parts += [f"at most {high:g}"] if high is not None else []
    return f", {', '.join(parts)}" if parts else ""


def _default(field: FieldInfo, key: str) -> str | None:
    """What holds where a key is not set; None where it has to be."""
    variable = FROM_ENVIRONMENT.get(key)
    here, prod = stack_defaults("<stack>"), stack_defaults("prod")
    if key.removeprefix("fiftyone:") in WORKER_SECRETS:
        return f"`{variable}`; required, unless the scope is an existing one"
    if key in NEEDED_BY_UP:
        return f"`{variable}`; `up` requires it"
    if key == "servicePrincipalClientSecret":
        return f"`{variable}`; required with `servicePrincipal.clientId`"
    if variable:
        return f"`{variable}`; required"
    if key in here:
        same = str(prod[key]) == str(here[key]).replace("<stack>", "prod")
        return f"`{_yaml(here[key])}`" + ("" if same else f"; `{_yaml(prod[key])}` in `prod`")
    if field.is_required() or key in INSTEAD:
        return INSTEAD.get(key)
    default = field.get_default(call_default_factory=True)
    return "none" if default in (None, "", [], {}) else f"`{_yaml(default)}`"


def _example(field: FieldInfo, *, secret: bool) -> str:
    if secret:
        return ""
    return "; ".join(f"`{_yaml(example)}`" for example in field.examples or ())


def _yaml(value: object) -> str:
    """A value in YAML, on one line."""
    match value:
        case dict():
            return f"{{{', '.join(f'{name}: {_yaml(part)}' for name, part in value.items())}}}"  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        case list():
            return f"[{', '.join(_yaml(part) for part in value)}]"  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
        case float():
            return f"{value:g}"
        case str():
            return value
        case _:
            return json.dumps(value)


def _is_secret(value: dict[str, Any]) -> bool:
    return any(part.get("format") == "password" for part in (value, *value.get("anyOf", ())))


def _sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _methods() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The methods of authentication that Databricks still has; `basic`, by password, it has ended."""
    return ((method, keys) for method, keys in METHODS.items() if method != "basic")


def _code(word: str) -> str:
    return f"`{word}`"


if __name__ == "__main__":
    print(page(), end="")
