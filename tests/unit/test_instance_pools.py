"""Pools are what the guide asks for, and their names change with what Databricks cannot edit, and only then."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.instance_pools_args import needed_by_pools
from components.pool_properties import InstancePoolsArgs, pool_properties
from tests.unit.settings_cases import configuration, orchestrator, settings


def pool(role: str = "execution", image: Any = None, **entries: Any) -> dict[str, Any]:
    settings = orchestrator(**entries)
    args = InstancePoolsArgs(stack="dev", instance_id="gpu", orchestrator=settings, image=image, run_as=None)
    return pool_properties(args, role)


def name(**entries: Any) -> str:
    return pool(**entries)["instance_pool_name"]


def test_the_execution_pool_is_the_guides() -> None:
    found = pool()
    assert found.pop("instance_pool_name").startswith("fiftyone-dev-gpu-execution-")
    assert found == {
        "node_type_id": "g2-standard-8",
        "min_idle_instances": 0,
        "max_capacity": 20,
        "enable_elastic_disk": True,
        "idle_instance_autotermination_minutes": 15,
        "preloaded_spark_versions": ["16.4.x-scala2.13"],
        "custom_tags": None,
    }


def test_the_registration_pool_is_its_own_and_keeps_nothing_idle() -> None:
    found = pool("registration", registrationNodeType="c3-standard-4-lssd", minIdleInstances=2, image={"url": "a/b"})
    assert found["node_type_id"] == "c3-standard-4-lssd"
    assert (found["min_idle_instances"], found["max_capacity"]) == (0, 2)
    assert "preloaded_docker_images" not in found


@pytest.mark.parametrize(
    "entries",
    [
        {"nodeType": "n2-standard-8"},
        {"sparkVersion": "17.3.x-scala2.13"},
        {"cloud": {"provider": "gcp", "zone": "us-central1-a"}},
        {"cloud": {"provider": "aws", "availability": "SPOT"}},
        {"cloud": {"provider": "azure", "disks": {"type": "PREMIUM_LRS", "count": 1, "sizeGb": 100}}},
    ],
)
def test_what_cannot_be_edited_gives_another_name(entries: dict[str, Any]) -> None:
    assert name(**entries) != name()


@pytest.mark.parametrize(
    "entries", [{"maxCapacity": 5}, {"minIdleInstances": 1}, {"idleMinutes": 60}, {"tags": {"team": "vision"}}]
)
def test_what_can_be_edited_keeps_the_name(entries: dict[str, Any]) -> None:
    assert name(**entries) == name()


def test_names_end_in_the_same_hash_on_every_machine() -> None:
    assert name() == "fiftyone-dev-gpu-execution-" + name()[-6:]
    assert name(cloud={"provider": "gcp"}) == name(cloud={"provider": "gcp", "availability": "ON_DEMAND_GCP"})


@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        (
            {
                "provider": "aws",
                "zone": "us-west-2a",
                "disks": {"type": "GENERAL_PURPOSE_SSD", "count": 2, "sizeGb": 100},
            },
            {
                "aws_attributes": {"availability": "ON_DEMAND", "zone_id": "us-west-2a"},
                "disk_spec": {
                    "disk_count": 2,
                    "disk_size": 100,
                    "disk_type": {"ebs_volume_type": "GENERAL_PURPOSE_SSD"},
                },
            },
        ),
        (
            {
                "provider": "azure",
                "availability": "SPOT_AZURE",
                "disks": {"type": "STANDARD_LRS", "count": 1, "sizeGb": 64},
            },
            {
                "azure_attributes": {"availability": "SPOT_AZURE"},
                "disk_spec": {
                    "disk_count": 1,
                    "disk_size": 64,
                    "disk_type": {"azure_disk_volume_type": "STANDARD_LRS"},
                },
            },
        ),
        (
            {"provider": "gcp", "availability": "PREEMPTIBLE_GCP", "disks": {"count": 2}},
            {"gcp_attributes": {"gcp_availability": "PREEMPTIBLE_GCP", "zone_id": None, "local_ssd_count": 2}},
        ),
    ],
)
def test_each_clouds_settings_become_its_attributes(cloud: dict[str, Any], expected: dict[str, Any]) -> None:
    found = pool(cloud=cloud)
    assert {key: found[key] for key in found if key.endswith("_attributes") or key == "disk_spec"} == expected


def test_a_container_image_is_preloaded() -> None:
    assert pool(image={"url": "a/b"})["preloaded_docker_images"] == [{"url": "a/b"}]


@pytest.mark.parametrize(
    ("image", "runs_as", "expected"),
    [({}, None, []), ({"containerImage": "a/b", "mlRuntime": False}, None, ["scope"]), ({}, "somebody", ["run-as"])],
)
def test_pools_wait_for_what_they_need_and_for_nothing_else(
    image: dict[str, Any], runs_as: str | None, expected: list[str]
) -> None:
    found = settings(configuration(orchestrators={"gpu": {"nodeType": "g2-standard-8", **image}}))
    scope, run_as = SimpleNamespace(name="scope"), SimpleNamespace(name="run-as", service_principal=runs_as)
    needed: Any = needed_by_pools(found, "gpu", scope, run_as)  # pyright: ignore[reportArgumentType]
    assert [each.name for each in needed] == expected
