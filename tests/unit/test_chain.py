"""A broken link is named once, and what needs it is not checked; the state is read as what it says of the stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from preflight.chain import deployed
from preflight.chain.check import BrokenError, Chain, Check, NotLookedError
from preflight.result import Outcome
from toolchain import pulumi_json

STACK = "urn:pulumi:dev::fiftyone-databricks"


def check(key: str, *needs: str, raises: Exception | None = None, looked: list[str] | None = None) -> Check:
    def look() -> None:
        if looked is not None:
            looked.append(key)
        if raises:
            raise raises

    return Check(subject=key, key=key, needs=frozenset(needs), look=look)


def test_what_needs_a_broken_link_is_not_looked_at_and_what_does_not_is() -> None:
    looked: list[str] = []
    chain = Chain()
    first = [check("pool", raises=BrokenError("gone", "`make up`"), looked=looked), check("scope", looked=looked)]
    results = list(chain.link("workspace", first))
    results += chain.link("run", [check("job", "pool", looked=looked), check("again", "job", looked=looked)])
    assert looked == ["pool", "scope"]
    assert [line for result in results for line in result.lines] == [
        "✗ workspace: pool: gone",
        "    mend: `make up`",
        "✓ workspace: scope",
        "– run (job, again): not checked because pool is not right",
    ]


@pytest.mark.parametrize("error", [NotLookedError("there is no key"), PermissionError("there is no key")])
def test_what_cannot_be_looked_at_is_not_broken_and_what_needs_it_is_not_checked(error: Exception) -> None:
    results = list(Chain().link("FiftyOne", [check("key", raises=error), check("secret", "key")]))
    (result,) = results
    assert result.outcome is Outcome.NOT_CHECKED
    assert result.name == "FiftyOne (key, secret)"
    assert "there is no key" in result.found


def resource(type_: str, name: str, **entries: Any) -> dict[str, Any]:
    return {"urn": f"{STACK}::{type_}::{name}", "type": type_, "custom": True, "id": f"{name}-id", **entries}


def exported(monkeypatch: pytest.MonkeyPatch, **deployment: Any) -> deployed.Deployed:
    class Done:
        returncode, stdout, stderr = 0, json.dumps({"version": 3, "deployment": deployment}), ""

    monkeypatch.setattr(pulumi_json.subprocess, "run", lambda *_, **__: Done())
    return deployed.read("dev", {}, Path())


def test_secrets_come_out_of_their_wrapping_and_the_engines_own_keys_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrapped = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hidden"'}
    outputs = {"value": wrapped, "__provider": "x", "list": [{"__defaults": [], "__own": wrapped}]}
    state = exported(monkeypatch, resources=[resource("pulumi-python:dynamic/fiftyone:Secret", "A", outputs=outputs)])
    (secret,) = state.of_type("fiftyone:Secret")
    assert secret.outputs == {"value": "hidden", "list": [{"__own": "hidden"}]}
    assert "hidden" not in repr(state)


def test_before_a_resource_comes_what_it_uses_and_what_its_component_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, scope = resource("databricks:index/instancePool:InstancePool", "pool"), resource("x:y:SecretScope", "scope")
    other = resource("databricks:index/instancePool:InstancePool", "other")
    component = resource("fiftyone-databricks:index:Job", "gpu", dependencies=[scope["urn"]])
    job = resource(
        "databricks:index/job:Job",
        "gpu",
        parent=component["urn"],
        propertyDependencies={"jobClusters": [pool["urn"]], "name": None},
    )
    state = exported(monkeypatch, resources=[pool, scope, other, component, job])
    found = state.named("Job", "gpu")
    assert found is not None
    assert found.uses == {pool["urn"]}
    assert state.before(found) == {pool["urn"], scope["urn"], job["urn"]}


def test_what_is_pending_is_named_and_what_a_replacement_leaves_behind_is_not_the_stacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = resource("databricks:index/instancePool:InstancePool", "pool", delete=True)
    pending = {"resource": {"urn": f"{STACK}::databricks:index/job:Job::gpu"}, "type": "creating"}
    state = exported(monkeypatch, resources=[left], pending_operations=[pending])
    assert state.resources == ()
    assert state.pending == ("creating gpu",)


def test_a_backend_that_refuses_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Done:
        returncode, stdout, stderr = 255, "", "error: no stack named 'dev' found"

    monkeypatch.setattr(pulumi_json.subprocess, "run", lambda *_, **__: Done())
    with pytest.raises(pulumi_json.PulumiError, match=r"^no stack named 'dev' found"):
        deployed.read("dev", {}, Path())
