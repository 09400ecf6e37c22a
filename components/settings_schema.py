"""The JSON schema of a stack file, derived from the settings, for editors to check and complete what is typed.

`python -m components.settings_schema` prints it; the repository keeps what it printed as `settings.schema.json`, and a
unit test holds the two together. The schema knows single values; what settings must not be together, the loader says.
"""

import json
from typing import Any

from pydantic import SecretStr

from components.fiftyone_settings import FiftyOneSettings
from components.settings import INSTANCE_ID, PROJECT, Settings

_SECURE: dict[str, Any] = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def stack_file_schema() -> dict[str, Any]:
    """The schema of Pulumi.<stack>.yaml for this project."""
    settings = _without_titles(Settings.model_json_schema())
    definitions: dict[str, Any] = settings["$defs"]
    fiftyone = definitions.pop("FiftyOneSettings")["properties"]
    definitions.pop("WorkspaceSettings")
    scope = definitions["ScopeSettings"]
    definitions["ScopeSettings"] = {"anyOf": [scope["properties"]["name"], scope]}

    own = {
        name: value for name, value in settings["properties"].items() if name not in ("stack", "fiftyone", "workspace")
    }
    secret_env = own.pop("secretEnv")
    own["orchestrators"]["propertyNames"] = {"pattern": INSTANCE_ID, "maxLength": 40}
    config: dict[str, Any] = {}
    for alias, value in own.items():
        config[alias] = config[f"{PROJECT}:{alias}"] = _in_stack_file(value, secret=_is_secret(alias))
    for alias, value in fiftyone.items():
        config[f"fiftyone:{alias}"] = _in_stack_file(value, secret=_is_secret(alias))

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack file of fiftyone-databricks",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": config,
                "patternProperties": {
                    rf"^({PROJECT}:)?secretEnv\.[A-Za-z_][A-Za-z0-9_]*$": {
                        **_SECURE,
                        "description": secret_env["description"],
                    },
                    "^(databricks|pulumi):": {},
                },
                "additionalProperties": False,
            },
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "secretsprovider": {"type": "string"},
            "environment": {},
        },
        "additionalProperties": False,
        "$defs": definitions,
    }


def _in_stack_file(value: dict[str, Any], *, secret: bool) -> dict[str, Any]:
    """A setting as a stack file may hold it: encrypted, or as the text that `pulumi config set` writes."""
    description = {"description": value["description"]}
    if secret:
        return {**_SECURE, **description}
    if value.get("type") == "boolean":
        return {"anyOf": [value, {"enum": ["true", "false"]}], **description}
    if value.get("type") in ("integer", "number"):
        pattern = r"^\d+$" if value["type"] == "integer" else r"^\d+(\.\d+)?$"
        return {"anyOf": [value, {"type": "string", "pattern": pattern}], **description}
    return value


def _without_titles(schema: Any) -> Any:
    """The schema without the titles that the models' names give it: no setting is called `title`."""
    match schema:
        case {**parts}:
            return {name: _without_titles(part) for name, part in parts.items() if name != "title"}
        case [*entries]:
            return [_without_titles(entry) for entry in entries]
        case _:
            return schema


def _is_secret(alias: str) -> bool:
    fields = [*Settings.model_fields.values(), *FiftyOneSettings.model_fields.values()]
    return any(field.alias == alias and field.annotation == SecretStr | None for field in fields)


if __name__ == "__main__":
    print(json.dumps(stack_file_schema(), indent=2))
