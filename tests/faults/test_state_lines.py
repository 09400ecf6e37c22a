"""What the state remembers differs wherever the next run would act differently, and not by the run that wrote it."""

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.faults.state_lines import SECRET, memory_lines, resource_lines

URN = "urn:pulumi:test::fiftyone-databricks::fiftyone-databricks:index:Job$databricks:index/job:Job::gpu"
Change = Callable[[dict[str, Any]], object]


def encrypted(value: str, cipher: str = "") -> dict[str, str]:
    return {SECRET: "a signature", "ciphertext": cipher, "plaintext": json.dumps(value)}


def deployment(*, secret: str = "hidden-one", cipher: str = "v1:one", made: str = "08:00:00.1") -> dict[str, Any]:
    job = {
        "urn": URN,
        "type": "databricks:index/job:Job",
        "custom": True,
        "id": "55",
        "inputs": {"name": "gpu", "tasks": [{"environment": {"KEY": encrypted(secret, cipher)}}]},
        "outputs": {"name": "gpu", "madeAt": f"2026-11-27T{made}Z", "value": encrypted(secret, cipher)},
    }
    provider = {"urn": URN, "type": "pulumi:providers:databricks", "custom": True, "id": cipher, "outputs": {}}
    return {"resources": [job, provider]}


def memory(of: dict[str, Any], names: dict[str, str] | None = None) -> list[str]:
    return [*resource_lines(of), *memory_lines(of, names or {})]


def test_two_runs_that_wrote_the_same_are_remembered_alike() -> None:
    assert memory(deployment()) == memory(deployment(cipher="v1:two", made="09:30:00.77"))
    assert list(resource_lines(deployment())) == ["state databricks:index/job:Job::gpu 55"]


def test_secrets_that_are_drawn_anew_are_told_by_their_names() -> None:
    def names(secret: str) -> dict[str, str]:
        return {hashlib.sha256(secret.encode()).hexdigest(): "the newest"}

    one, two = deployment(), deployment(secret="hidden-two")
    assert memory(one, names("hidden-one")) == memory(two, names("hidden-two"))
    assert memory(one, names("hidden-one")) != memory(two, names("hidden-one"))


@pytest.mark.parametrize(
    "change",
    [
        lambda all_of_it: all_of_it["resources"][0]["inputs"].update(name="other"),
        lambda all_of_it: all_of_it["resources"][0]["outputs"].update(name="other"),
        lambda all_of_it: all_of_it["resources"][0]["outputs"].update(value=encrypted("hidden-two")),
        lambda all_of_it: all_of_it["resources"][0].update(delete=True),
        lambda all_of_it: all_of_it["resources"][0].update(initErrors=["not now"]),
        lambda all_of_it: all_of_it.update(pending_operations=[{"type": "creating", "resource": {"urn": URN}}]),
        lambda all_of_it: all_of_it["resources"].pop(0),
    ],
)
def test_what_the_next_run_goes_by_makes_a_difference(change: Change) -> None:
    changed = deepcopy(deployment())
    change(changed)
    assert memory(changed) != memory(deployment())


def test_a_state_without_resources_is_remembered_as_nothing() -> None:
    assert memory({}) == []
    assert memory({"resources": None}) == []
