"""Every call to `fiftyone.management` is one that its documentation has, and a stand-in is called the same way."""

import enum
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import pytest

from fiftyone_provider.client import Registration
from fiftyone_provider.management_sdk import ManagementSdk
from fiftyone_provider.sdk_module import SURFACE
from tests.unit.management_signatures import (
    CONFIG_OPTIONAL,
    CONFIG_REQUIRED,
    DOCUMENTS,
    ENUM,
    ENVIRONMENTS,
    FUNCTIONS,
    RAISED_FOR_MISSING,
    SECRETS,
    DocumentedModule,
    UndocumentedCall,
    deviations,
    document,
    environment_enum,
    signature,
)

STAND_INS: Final = ["emulator.fiftyone_management"]
REGISTRATION: Final = Registration(
    instance_id="gpu",
    description="text",
    environment="databricks",
    config={"jobId": "1", "executionTaskId": "execute", "registrationTaskId": "register"},
    secrets={field: f"{field.upper()}_GPU" for field in SECRETS},
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One use of the adapter, and what the SDK is called with, by the documented names."""

    use: Callable[[ManagementSdk], object]
    sent: dict[str, dict[str, Any]]
    answers: dict[str, Any]


def case(use: Callable[[ManagementSdk], object], sent: dict[str, dict[str, Any]], **answers: Any) -> Case:
    return Case(use=use, sent=sent, answers=answers)


CASES: Final = {
    "secret": case(lambda sdk: sdk.secret("KEY"), {"get_secret_info": {"key": "KEY"}}),
    "secret that raises": case(
        lambda sdk: sdk.secret("KEY"),
        {"get_secret_info": {"key": "KEY"}, "list_secrets": {}},
        get_secret_info=ValueError(),
    ),
    "add_secret": case(
        lambda sdk: sdk.add_secret("KEY", "value", "text"),
        {"add_secret": {"key": "KEY", "value": "value", "description": "text"}},
    ),
    "update_secret": case(
        lambda sdk: sdk.update_secret("KEY", "value", "text"),
        {"update_secret": {"key": "KEY", "value": "value", "description": "text"}},
    ),
    "update_secret without a value": case(
        lambda sdk: sdk.update_secret("KEY", None, "text"), {"update_secret": {"key": "KEY", "description": "text"}}
    ),
    "delete_secret": case(lambda sdk: sdk.delete_secret("KEY"), {"delete_secret": {"key": "KEY"}}),
    "orchestrator": case(
        lambda sdk: sdk.orchestrator("gpu"),
        {"get_orchestrator": {"instance_id": "gpu"}},
        get_orchestrator=document("OrchestratorDocument", environment="databricks"),
    ),
    "orchestrator that is missing": case(
        lambda sdk: sdk.orchestrator("gpu"),
        {"get_orchestrator": {"instance_id": "gpu"}, "list_orchestrators": {"include_deactivated": True}},
        get_orchestrator=RAISED_FOR_MISSING["get_orchestrator"](),
    ),
    "register": case(
        lambda sdk: sdk.register(REGISTRATION),
        {
            "register_orchestrator": {
                "instance_id": "gpu",
                "description": "text",
                "environment": "databricks",
                "config": {"databricks": dict(REGISTRATION.config)},
                "secrets": {"databricks": dict(REGISTRATION.secrets)},
            }
        },
    ),
    "delete_orchestrator": case(
        lambda sdk: sdk.delete_orchestrator("gpu"), {"delete_orchestrator": {"instance_id": "gpu"}}
    ),
    "role": case(lambda sdk: sdk.role(), {"whoami": {}}, whoami=SimpleNamespace(role="ADMIN")),
}


def used(case: Case) -> DocumentedModule:
    module = DocumentedModule(answers=dict(case.answers))
    case.use(ManagementSdk(module, uri="https://api.example.com", seconds=10))
    return module


@pytest.mark.parametrize("name", CASES)
def test_each_call_is_one_that_the_documentation_has(name: str) -> None:
    module = used(CASES[name])
    assert dict(module.calls) == CASES[name].sent
    assert len(module.calls) == len(CASES[name].sent)


def test_every_use_of_the_adapter_is_among_the_cases() -> None:
    assert {name for name in vars(ManagementSdk) if not name.startswith("_")} == {name.split()[0] for name in CASES}


def test_what_a_module_is_checked_for_is_what_the_adapter_uses() -> None:
    every = {name for case in CASES.values() for name in used(case).used}
    # Without `whoami`, the role of a key is not told, and all else works.
    assert every - {"whoami"} == {name.split(".")[0] for name in SURFACE}
    assert every <= {*FUNCTIONS, ENUM}


def test_a_registration_has_one_key_the_environment_and_under_it_the_documented_names() -> None:
    sent = used(CASES["register"]).sent("register_orchestrator")
    assert isinstance(sent["environment"], enum.Enum)
    assert sent["environment"].value == ENVIRONMENTS["DATABRICKS"]
    for part, names in (("config", CONFIG_REQUIRED | CONFIG_OPTIONAL), ("secrets", SECRETS)):
        assert list(sent[part]) == [ENVIRONMENTS["DATABRICKS"]]
        assert set(sent[part]["databricks"]) == names
        assert all(type(value) is str for value in sent[part]["databricks"].values())


def test_a_registration_is_given_no_task_that_it_has_not() -> None:
    config = dict.fromkeys(CONFIG_REQUIRED, "1")
    registration = Registration(
        instance_id="gpu", description="", environment="databricks", config=config, secrets=REGISTRATION.secrets
    )
    sent = used(case(lambda sdk: sdk.register(registration), {})).sent("register_orchestrator")
    assert sent["config"] == {"databricks": config}


@pytest.mark.parametrize("name", STAND_INS)
def test_a_stand_in_is_called_as_the_documentation_has_it(name: str) -> None:
    assert list(deviations(importlib.import_module(name))) == []


def documented() -> Any:
    """A module that is all that is documented."""
    module = SimpleNamespace(**{ENUM: environment_enum()})
    for name in FUNCTIONS:

        def function() -> None: ...

        function.__dict__["__signature__"] = signature(name)
        setattr(module, name, function)
    for name, attributes in DOCUMENTS.items():
        setattr(module, name, type(name, (), {"__annotations__": dict.fromkeys(attributes, str)}))
    return module


def test_what_is_documented_deviates_in_nothing() -> None:
    assert list(deviations(documented())) == []


def keyword_only(key: str, *, value: str | None = None, description: str | None = None) -> None: ...
def renamed(name: str, value: str | None = None, description: str | None = None) -> None: ...
def reordered(key: str, description: str | None = None, value: str | None = None) -> None: ...
def without_default(key: str, value: str, description: str | None = None) -> None: ...
def other_default(key: str, value: str | None = None, description: str = "") -> None: ...
def with_more(key: str, value: str | None = None, description: str | None = None, user: str = "") -> None: ...
def anything(*args: object, **kwargs: object) -> None: ...


@pytest.mark.parametrize(
    "function", [None, keyword_only, renamed, reordered, without_default, other_default, with_more, anything]
)
def test_a_function_that_takes_something_else_deviates(function: Any) -> None:
    module = documented()
    module.update_secret = function
    assert len(list(deviations(module))) == 1


def test_other_environments_and_documents_deviate() -> None:
    module = documented()
    setattr(module, ENUM, SimpleNamespace(DATABRICKS="databricks"))
    del module.FiftyOneSecret.__annotations__["description"]
    del module.OrchestratorDocument
    found = list(deviations(module))
    assert f"{ENUM} is no enum of strings" in found
    assert "FiftyOneSecret has no description" in found
    assert len([entry for entry in found if entry.startswith("OrchestratorDocument")]) == 8


@pytest.mark.parametrize(
    "call",
    [
        lambda module: module.get_orchestrator(instance_identifier="gpu"),
        lambda module: module.register_orchestrator("gpu", "text", "databricks", {}),
        lambda module: module.add_secret("KEY", "value", "text", "more"),
        lambda module: module.list_orchestrators(True, include_deactivated=True),
    ],
)
def test_a_call_that_is_not_documented_is_refused(call: Callable[[Any], object]) -> None:
    with pytest.raises(UndocumentedCall):
        call(DocumentedModule())


def test_what_is_not_documented_is_not_there() -> None:
    with pytest.raises(UndocumentedCall, match="update_orchestrator"):
        DocumentedModule().update_orchestrator("gpu")
