"""What a person reads when settings are wrong: which key, what is wrong, why it matters and how to mend it.

A value is shown only where it is neither a secret nor part of the environment of runs.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from components.refusal import RefusalError
from components.settings import PROJECT, Settings

_TYPES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a map",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "model_type": "must be a map",
    "string_type": "must be text; put it in quotes",
}
# Which of the clouds' models was chosen; validation writes it into the path of a value.
_CLOUDS = ("aws", "azure", "gcp")
# What stands in the place of these may be a whole text of settings that could not be parsed.
_CONTAINERS = ("dict_type", "list_type", "model_type")
# Values that may hold a credential though they should not.
_NOT_SHOWN = (
    *("apiUri", "clientId", "clientSecret", "containerImage", "env", "secretsFrom", "servicePrincipal"),
    "workerApiUrl",
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with one key; `what` completes the sentence that the key begins."""

    key: str
    what: str
    why: str = ""
    mend: str = ""

    def __str__(self) -> str:
        lines = [f"- {self.key} {self.what}"]
        lines += [f"  Why: {self.why}"] if self.why else []
        lines += [f"  Mend: {self.mend}"] if self.mend else []
        return "\n".join(lines)


class SettingsError(Exception):
    """Settings that cannot be deployed; its text is the whole message, and no value of a secret is in it."""

    def __init__(self, stack: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = "one problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        head = f"the settings of stack `{stack}` have {count}; nothing was created or changed."
        super().__init__("\n".join([head, *map(str, self.problems)]))


def misspelt(key: str, known: Iterable[str]) -> Problem:
    """The problem of a key that no part of the program reads, with the nearest one that exists."""
    nearest = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.6)
    return Problem(
        key=key,
        what="is not a setting",
        why="it would be ignored, and what it was meant to change would stay as it is.",
        mend=f"did you mean `{nearest[0]}`?" if nearest else "drop it; settings.schema.json lists every setting.",
    )


def problem_of(error: ErrorDetails, *, stack: str) -> Problem:
    """Translate one error of validation."""
    location, field = _walk(error["loc"])
    key = _key(location)
    context: Mapping[str, Any] = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        near = misspelt(location[-1], _siblings(error["loc"][:-1]))
        return Problem(key=key, what=near.what, why=near.why, mend=near.mend)
    if isinstance(context.get("error"), RefusalError):
        refusal: RefusalError = context["error"]
        return Problem(key=refusal.key or key, what=refusal.what, mend=f"{refusal.mend}.")
    if error["loc"][-1:] == ("[key]",) and len(error["loc"]) > len(location):
        return Problem(
            key=_key(location[:-1]),
            what=f"holds the name `{location[-1]}`, which {_broken_name(error, location)}",
            why=_why(field),
            mend="rename it.",
        )
    what = _TYPES.get(error["type"]) or _bound(error["type"], context) or "does not have the form of such a value"
    if error["type"] == "missing":
        return Problem(key=key, what="is required and missing", why=_why(field), mend=_set(key, field, stack))
    secret = field is not None and SecretStr in _parts(field.annotation)
    shown = field is None or not (secret or field.alias in _NOT_SHOWN or error["type"] in _CONTAINERS)
    if shown and isinstance(error["input"], (str, int, float)):
        what += f", but is {error['input']!r}"
    return Problem(key=key, what=what, why=_why(field), mend=_set(key, field, stack))


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    match kind:
        case "greater_than":
            return f"must be more than {context['gt']:g}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "too_short":
            return f"must have at least {context['min_length']} of them"
        case "too_long":
            return f"must have at most {context['max_length']} of them"
        case "string_too_short":
            return "must not be empty"
        case "literal_error":
            return f"must be {context['expected']}"
        case "union_tag_not_found" | "union_tag_invalid":
            return "must name its cloud as `provider: aws`, `azure` or `gcp`"
        case _:
            return None


def _broken_name(error: ErrorDetails, location: Sequence[str]) -> str:
    if error["type"] == "string_too_long":
        return f"is longer than {error.get('ctx', {})['max_length']} characters"
    return "FiftyOne or Databricks could not take" if location[:-1] == ["orchestrators"] else "no shell could take"


def _key(location: Sequence[str]) -> str:
    if location[:1] == ["fiftyone"] and len(location) > 1:
        return "fiftyone:" + ".".join(location[1:])
    return ".".join(location) or PROJECT


def _why(field: FieldInfo | None) -> str:
    return field.description or "" if field is not None else ""


def _set(key: str, field: FieldInfo | None, stack: str) -> str:
    own = field is not None and field.alias == key.replace(":", ".").rsplit(".", 1)[-1]
    example = f", for example {field.examples[0]!r}" if own and field and field.examples else ""
    return f"set `{key}` in Pulumi.{stack}.yaml{example}."


def _parts(annotation: Any) -> list[Any]:
    """The types that an annotation is made of, without what merely wraps them."""
    arguments = get_args(annotation)
    return [part for argument in arguments for part in _parts(argument)] if arguments else [annotation]


def _models(field: FieldInfo) -> list[type[BaseModel]]:
    return [part for part in _parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]


def _walk(location: Sequence[int | str]) -> tuple[list[str], FieldInfo | None]:
    """The path of a value as a person writes it, and the field it belongs to: the last on the way to it."""
    models: list[type[BaseModel]] = [Settings]
    field: FieldInfo | None = None
    path: list[str] = []
    names_entry = False
    for part in location:
        fields = [found for model in models for found in model.model_fields.values() if found.alias == part]
        if names_entry:
            # The name of a map's entry is anything, even the name of a field.
            path.append(str(part))
            names_entry, models = False, _models(field) if field is not None else []
        elif fields:
            field, models = fields[0], _models(fields[0])
            path.append(str(part))
            names_entry = get_origin(field.annotation) is dict
        elif part in _CLOUDS:
            models = [model for model in models if model.__name__.lower().startswith(str(part))]
        elif part != "[key]":
            path.append(str(part))
    return path, field


def _siblings(location: Sequence[int | str]) -> list[str]:
    """The fields that the settings at a path may have."""
    _, field = _walk(location)
    models = [Settings] if field is None else _models(field)
    if location and location[-1] in _CLOUDS:
        models = [model for model in models if model.__name__.lower().startswith(str(location[-1]))]
    return [found.alias or name for model in models for name, found in model.model_fields.items()]
