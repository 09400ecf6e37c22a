"""What is imported, handed over and stated of what stands."""

import json
from pathlib import Path

import yaml

from adoption.hand_over import hand_over, unmarked
from adoption.import_file import import_file, standing_resources
from adoption.report import pool_limit_lines
from rules.parse import existing_pools
from tests.unit.adoption_world import JOB, OWN, World
from tests.unit.settings_cases import ENVIRON, STACK, TRIGGER, configuration, settings


def test_the_import_file_names_what_stands_below_its_components_and_nothing_that_the_state_has() -> None:
    world = World()
    found, state = world.found(), ["urn:pulumi:dev::fiftyone-databricks::fiftyone-databricks:index:Job::gpu"]
    resources = list(standing_resources(found, world.settings))
    assert [(each.kind.rpartition(":")[2], each.id) for each in resources] == [
        ("SecretScope", "theirs"),
        ("Job", JOB),
        ("Permissions", f"/jobs/{JOB}"),
    ]
    content = import_file(resources, STACK, state)
    assert content["nameTable"] == {"Job gpu": state[0]}
    assert [each["logicalName"] for each in content["resources"] if each.get("component")] == ["secrets", "gpu"]
    names = [each["name"] for each in content["resources"]]
    assert len(set(names)) == len(names)
    assert all(each["parent"] in {*names, *content["nameTable"]} for each in content["resources"] if "id" in each)
    assert "hidden" not in json.dumps(content)


def test_an_existing_scope_is_not_imported_and_neither_are_permissions_that_the_stack_does_not_set() -> None:
    world = World()
    world.others = {
        "secretScope": json.dumps({"name": "theirs", "existing": True}),
        "servicePrincipal": json.dumps({"clientId": TRIGGER}),
    }
    found = settings(
        configuration(orchestrators={"gpu": OWN}, **world.others),
        environ={name: value for name, value in ENVIRON.items() if not name.startswith("FIFTYONE_DATABASE")},
    )
    kinds = [each.kind.rpartition(":")[2] for each in standing_resources(world.found(), found)]
    assert kinds == ["Job", "Permissions"]


def test_a_secret_is_handed_over_once_and_keeps_its_value_and_its_text() -> None:
    world = World()
    for _ in range(2):
        hand_over(world.fiftyone, world.settings, "gpu", "HOST_GPU")
    assert world.fiftyone.secrets["HOST_GPU"] == (
        "hidden",
        "Created for gpu [pulumi-stack: fiftyone-databricks/dev/gpu]",
    )
    assert world.fiftyone.writes == ["update_secret HOST_GPU"]
    assert ("gpu", "HOST_GPU") not in list(unmarked(world.found()))


def test_the_policy_packs_lines_are_those_that_it_takes(tmp_path: Path) -> None:
    world, limits = World(), tmp_path / "dev.json"
    lines = list(pool_limit_lines(world.found(), world.settings, limits))
    entry = yaml.safe_load(f"{{{lines[1]}}}")["existing-pool"]["pools"]
    assert [pool.id for pool in existing_pools(entry)] == ["p-gpu", "p-cpu"]
    limits.write_text(json.dumps({"existing-pool": {"pools": entry}}))
    assert list(pool_limit_lines(world.found(), world.settings, limits)) == []
