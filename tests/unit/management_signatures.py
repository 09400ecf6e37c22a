"""What FiftyOne's documentation says of `fiftyone.management`, as data, and a module that holds callers to it.

Source: the vendor's reference of the management SDK, to release 2.20, and the guide. The data is written from there and
never from an implementation, so that a stand-in and the adapter can be wrong against it, each on its own.
"""

import enum
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

REQUIRED: Final = inspect.Parameter.empty

# Parameters in order, with their defaults.
FUNCTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "register_orchestrator": {
        "instance_id": REQUIRED,
        "description": REQUIRED,
        "environment": REQUIRED,
        "config": REQUIRED,
        "secrets": REQUIRED,
    },
    "get_orchestrator": {"instance_id": REQUIRED, "user": None},
    "list_orchestrators": {"include_deactivated": False},
    "delete_orchestrator": {"instance_id": REQUIRED},
    "add_secret": {"key": REQUIRED, "value": REQUIRED, "description": None},
    "get_secret_info": {"key": REQUIRED},
    "list_secrets": {},
    "update_secret": {"key": REQUIRED, "value": None, "description": None},
    "delete_secret": {"key": REQUIRED},
    "whoami": {},
    "test_api_connection": {},
    "reload_api_connection": {},
}
# What a missing one raises; get_secret_info answers None, and what the others do is not documented.
RAISED_FOR_MISSING: Final = {"get_orchestrator": ValueError, "delete_orchestrator": ValueError}

ENUM: Final = "OrchestratorEnvironment"
ENVIRONMENTS: Final = {
    "DATABRICKS": "databricks",
    "ANYSCALE": "anyscale",
    "KUBERNETES": "kubernetes",
    "SELF_REGISTERED": "self_registered",
}
DOCUMENTS: Final = {
    "OrchestratorDocument": (
        "instance_identifier",
        "description",
        "environment",
        "available_operators",
        "config",
        "secrets",
        "created_at",
        "updated_at",
    ),
    "FiftyOneSecret": ("created_at", "key", "description"),
}

# What a registration for Databricks holds under its environment; ValueError where a required one is missing.
CONFIG_REQUIRED: Final = {"jobId", "executionTaskId"}
CONFIG_OPTIONAL: Final = {"registrationTaskId"}
SECRETS: Final = {"host", "accountId", "clientId", "clientSecret"}


def signature(name: str) -> inspect.Signature:
    """The documented signature of a function."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(parameter, kind, default=default) for parameter, default in FUNCTIONS[name].items()]
    )


def document(name: str, **given: Any) -> Any:
    """A document with the documented attributes and no others; those that are not given are None."""
    unknown = given.keys() - set(DOCUMENTS[name])
    assert not unknown, f"{name} is not documented to have {unknown}"
    return SimpleNamespace(**dict.fromkeys(DOCUMENTS[name]) | given)


def environment_enum() -> Any:
    """The documented enum, which is a string too."""
    return enum.Enum(ENUM, ENVIRONMENTS, type=str)


@dataclass
class DocumentedModule:
    """Stands where the module would, with what is documented and nothing else.

    `answers` are what functions return, by name; an exception is raised and a function is called with the arguments.
    What was used is in `used`, and each call's arguments by their documented names in `calls`.
    """

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    used: set[str] = field(default_factory=set[str])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.used.add(name)
        if name == ENUM:
            return environment_enum()
        if name not in FUNCTIONS:
            raise UndocumentedCall(f"fiftyone.management is not documented to have {name}")

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                bound = signature(name).bind(*args, **kwargs)
            except TypeError as error:
                raise UndocumentedCall(f"{name}{signature(name)} was called otherwise: {error}") from None
            self.calls.append((name, bound.arguments))
            answer = self.answers.get(name, [] if name.startswith("list_") else None)
            if isinstance(answer, BaseException):
                raise answer
            return answer(**bound.arguments) if callable(answer) else answer

        return call

    def sent(self, name: str) -> dict[str, Any]:
        """The arguments of the one call of a function."""
        (arguments,) = [arguments for called, arguments in self.calls if called == name]
        return arguments


class UndocumentedCall(BaseException):
    """A use that is not documented; no error that a caller may take for FiftyOne's."""


def deviations(module: Any) -> Iterator[str]:
    """How a module differs from what is documented; what it has besides is its own."""
    for name in FUNCTIONS:
        found = getattr(module, name, None)
        if found is None:
            yield f"{name} is missing"
        elif _parameters(inspect.signature(found)) != _parameters(signature(name)):
            yield f"{name}{inspect.signature(found)} is documented as {name}{signature(name)}"
    environments = getattr(module, ENUM, None)
    if not (inspect.isclass(environments) and issubclass(environments, str) and issubclass(environments, enum.Enum)):
        yield f"{ENUM} is no enum of strings"
    elif (members := {entry.name: entry.value for entry in environments}) != ENVIRONMENTS:
        yield f"{ENUM} has {members}"
    for name, attributes in DOCUMENTS.items():
        declared = _declared(getattr(module, name, None))
        yield from (f"{name} has no {attribute}" for attribute in attributes if attribute not in declared)


def _parameters(found: inspect.Signature) -> list[tuple[str, Any, Any]]:
    return [(parameter.name, parameter.kind, parameter.default) for parameter in found.parameters.values()]


def _declared(kind: Any) -> set[str]:
    """Attributes that a class declares, be it by annotation, as property, or as its constructor's argument."""
    if not inspect.isclass(kind):
        return set()
    annotated = {name for base in kind.__mro__ for name in inspect.get_annotations(base)}
    return annotated | set(dir(kind)) | set(inspect.signature(kind).parameters)
