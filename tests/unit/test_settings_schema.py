"""The JSON schema in the repository is current, accepts this repository's stack files and what `pulumi` writes."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from components.settings_schema import stack_file_schema

REPO = Path(__file__).parents[2]
STACK_FILES = sorted(REPO.glob("Pulumi.*.yaml"))


def problems(text: str) -> list[str]:
    return [
        error.message
        for error in jsonschema.Draft202012Validator(stack_file_schema()).iter_errors(yaml.safe_load(text))
    ]


def config(**entries: Any) -> str:
    return json.dumps({"config": {name.replace("__", ":"): value for name, value in entries.items()}})


def test_the_schema_in_the_repository_is_what_the_settings_give() -> None:
    assert json.loads((REPO / "settings.schema.json").read_text()) == stack_file_schema(), "run `make schema`"


@pytest.mark.parametrize("file", STACK_FILES, ids=lambda file: file.name)
def test_each_stack_file_names_the_schema_and_keeps_to_it(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("# yaml-language-server: $schema=settings.schema.json\n")
    assert problems(text) == []


@pytest.mark.parametrize(
    "entries",
    [
        {"protect": True},
        {"protect": "true"},
        {"fiftyone-databricks:protect": "true"},
        {"fiftyone__delegatedOperationCapacity": "5"},
        {"fiftyone__databaseUri": {"secure": "v1:abc"}},
        {"secretEnv.TOKEN": {"secure": "v1:abc"}},
        {"fiftyone-databricks:secretEnv.TOKEN": {"secure": "v1:abc"}},
        {"secretScope": "name"},
        {"secretScope": {"name": "name", "existing": True}},
        {"orchestrators": {"gpu": {"nodeType": "x", "cloud": {"provider": "aws", "zone": "us-west-2a"}}}},
        {"databricks__host": "https://example.com"},
    ],
)
def test_what_a_stack_file_may_hold_is_accepted(entries: dict[str, Any]) -> None:
    assert problems(config(**entries)) == []


@pytest.mark.parametrize(
    "entries",
    [
        {"orchestrator": {}},
        {"fiftyone__databaseUri": "mongodb://example"},
        {"secretEnv.A-B": {"secure": "v1:abc"}},
        {"orchestrators": {"GPU": {"nodeType": "x"}}},
        {"orchestrators": {"gpu": {"nodeTyp": "x"}}},
        {"orchestrators": {"gpu": {"nodeType": "x", "workers": -1}}},
        {"orchestrators": {"gpu": {"nodeType": "x", "cloud": {"provider": "aws", "availability": "CHEAP"}}}},
    ],
)
def test_what_the_program_would_refuse_an_editor_marks(entries: dict[str, Any]) -> None:
    assert problems(config(**entries))
