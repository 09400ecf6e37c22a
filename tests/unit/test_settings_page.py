"""The page of settings is current, says of each key what a person needs, and marks as required what is refused."""

import re
from pathlib import Path

import pytest

from components.settings_errors import SettingsError
from components.settings_loader import FROM_ENVIRONMENT
from components.settings_page import page
from components.settings_schema import stack_file_schema
from components.workspace_credentials import ENVIRONMENT
from tests.unit.settings_cases import ENVIRON, configuration, settings

REPO = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in page().splitlines()
    if line.startswith(("| `", "| \\`"))
]


def key_of(row: list[str]) -> str:
    return row[0].split("`")[1]


def test_the_page_is_current() -> None:
    assert (REPO / "docs" / "configuration.md").read_text() == page(), "run `make configuration`"


def test_every_key_that_editors_know_is_on_the_page() -> None:
    schema = stack_file_schema()
    keys = {key.removeprefix("fiftyone-databricks:") for key in schema["properties"]["config"]["properties"]}
    nested = {name for model in schema["$defs"].values() for name in model.get("properties", {})}
    shown = {key_of(row) for row in ROWS}
    assert keys <= shown
    # A cloud's name stands in the heading of its table.
    assert nested - {"provider"} <= {key.rpartition(".")[2] for key in shown}


@pytest.mark.parametrize("row", ROWS, ids=key_of)
def test_a_key_has_a_value_a_default_a_meaning_and_something_to_write(row: list[str]) -> None:
    key, value, default, meaning, example = row
    assert value
    assert default
    assert meaning.endswith(".")
    has_default = default not in ("none", "required") and "require" not in default
    # A choice names all that can be written, a secret is asked for, and a map has rows of its own.
    assert example or has_default or value.startswith(("`", "a map")) or key.endswith("*secret*")


def test_a_key_that_the_environment_may_hold_names_its_variable() -> None:
    known = {**FROM_ENVIRONMENT, **{f"databricks:{key}": variable for key, variable in ENVIRONMENT.items()}}
    shown = {key_of(row): row[2] for row in ROWS}
    # Which Databricks has ended; no page needs to tell of it.
    ended = {"databricks:username", "databricks:password"}
    assert {key for key, variable in known.items() if f"`{variable}`" not in shown.get(key, "")} == ended


@pytest.mark.parametrize("row", [row for row in ROWS if "require" in row[2] and "." not in key_of(row)], ids=key_of)
def test_what_the_page_calls_required_is_refused_where_it_is_missing(row: list[str]) -> None:
    key = key_of(row)
    config = {
        name: value for name, value in configuration().items() if name.removeprefix("fiftyone-databricks:") != key
    }
    environ = {name: value for name, value in ENVIRON.items() if f"`{name}`" not in row[2]}
    with pytest.raises(SettingsError, match=rf"{key} is required and missing"):
        settings(config, environ=environ)
