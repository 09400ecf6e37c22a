"""What preflight asks of a workspace and of FiftyOne, on the embedded ones: each question answered well, and badly."""

import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient

from components.settings import Settings
from components.settings_loader import load_settings
from preflight.configuration import Configuration
from preflight.fiftyone_checks import check_fiftyone
from preflight.result import Outcome, Result
from preflight.workspace_checks import check_workspace
from tests.emulator.emulator_harness import Server

KEYS = ("FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_PYPI_URL")


@pytest.fixture
def environ(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of a stack on the server, which is this process's own until the test ends."""
    found = {
        "DATABRICKS_HOST": server.address,
        "DATABRICKS_TOKEN": server.token,
        "DATABRICKS_ACCOUNT_ID": "00000000-0000-4000-8000-000000000000",
        "DATABRICKS_CONFIG_FILE": str(tmp_path / "no-profiles"),
        "FIFTYONE_API_URI": f"{server.address}/fiftyone",
        "FIFTYONE_API_KEY": server.credential("fiftyone-api-key"),
        "FIFTYONE_CONFIG_PATH": str(tmp_path / "none.json"),
        "FIFTYONE_DATABASE_URI": "mongodb://hidden@db.invalid/",
        "FIFTYONE_ENCRYPTION_KEY": "hidden",
        "FIFTYONE_PYPI_URL": "https://hidden@pypi.invalid/simple/",
        "SERVICE_PRINCIPAL_CLIENT_SECRET": "hidden",
    }
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "FIFTYONE_"))]:
        monkeypatch.delenv(name)
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def nowhere() -> str:
    """An address that nothing listens at: one that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}"


def config(orchestrator: Mapping[str, Any], **more: Any) -> dict[str, str]:
    own = {
        "servicePrincipal": {"clientId": "5ad0c0de-0000-4000-8000-000000000001"},
        "orchestrators": {"gpu": {"nodeType": "g2-standard-8", **orchestrator}},
        **more,
    }
    return {
        "fiftyone:version": "2.13.1",
        "fiftyone:managementModule": "emulator.fiftyone_management",
        **{f"fiftyone-databricks:{name}": json.dumps(value) for name, value in own.items()},
    }


def settings(environ: Mapping[str, str], orchestrator: Mapping[str, Any] | None = None, **more: Any) -> Settings:
    return load_settings(stack="dev", config=config(orchestrator or {}, **more), secret_keys=(), environ=environ)


def asked(environ: Mapping[str, str], orchestrator: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Result]:
    """The results of the workspace's checks by name; those of one name have the worst last."""
    found = settings(environ, orchestrator, **more)
    configuration = Configuration(values=config(orchestrator or {}), source="a test")
    results = sorted(check_workspace(found, configuration, {}), key=lambda result: result.outcome is Outcome.WRONG)
    return {result.name: result for result in results}


def test_a_workspace_that_has_all_that_settings_name_is_right(environ: dict[str, str]) -> None:
    results = asked(environ, {"registrationNodeType": "c3-standard-4-lssd"})
    assert {result.outcome for result in results.values()} == {Outcome.RIGHT}
    assert results.keys() == {"workspace", "rights", "Spark version", "node type"}
    assert "deployer@stand-in.invalid" in results["workspace"].found
    assert environ["DATABRICKS_HOST"] in results["workspace"].found


def test_credentials_that_are_not_accepted_are_wrong_and_end_the_questions(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "hidden-wrong-token")
    results = asked(environ)
    assert results.keys() == {"workspace"}
    assert results["workspace"].outcome is Outcome.WRONG
    assert "Invalid access token" in results["workspace"].found
    assert "hidden" not in f"{results}"


def test_an_address_that_does_not_answer_is_wrong_within_seconds(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", nowhere())
    assert asked(environ)["workspace"].outcome is Outcome.WRONG


def test_credentials_that_are_encrypted_and_cannot_be_read_are_not_checked(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABRICKS_TOKEN")
    configuration = Configuration(values={}, unread=frozenset({"databricks:token"}), source="a test")
    (result,) = check_workspace(settings(environ), configuration, {})
    assert result.outcome is Outcome.NOT_CHECKED
    assert "databricks:token" in result.found


def test_one_who_may_not_list_what_the_stack_makes_is_told_what_is_refused(
    environ: dict[str, str], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "5ad3c0de-41b7-4e0a-9c62-2f8e7d1b6a90")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", server.credential("service-principal-secret"))
    results = asked(environ)
    assert results["workspace"].outcome is Outcome.RIGHT
    assert results["rights"].outcome is Outcome.WRONG
    assert "instance pools, " in results["rights"].found
    assert results["Spark version"].outcome is Outcome.NOT_CHECKED


def test_a_spark_version_that_is_not_offered_is_wrong_and_names_near_ones(environ: dict[str, str]) -> None:
    result = asked(environ, {"sparkVersion": "16.3.x-scala2.13"})["Spark version"]
    assert result.outcome is Outcome.WRONG
    assert "16.3.x-scala2.13, 16.3.x-cpu-ml-scala2.13, 16.3.x-gpu-ml-scala2.13" in result.found
    assert "16.4.x-scala2.13" in result.mend


def test_a_node_type_that_the_workspace_does_not_have_is_wrong_and_names_near_ones(environ: dict[str, str]) -> None:
    result = asked(environ, {"registrationNodeType": "c3-standard-4-ssd"})["node type"]
    assert result.outcome is Outcome.WRONG
    assert "gpu.registrationNodeType" in result.found
    assert "c3-standard-4-lssd" in result.mend


def test_how_many_gpus_node_types_and_pools_have_is_learned(
    environ: dict[str, str], w: WorkspaceClient, name: str
) -> None:
    pool_id = w.instance_pools.create(name, "g2-standard-8").instance_pool_id or ""
    gpus: dict[str, int] = {}
    orchestrators = {"a": {"nodeType": "g2-standard-8"}, "b": {"nodeType": "n2-standard-4"}, "c": {"pool": pool_id}}
    configuration = Configuration(values={}, source="a test")
    results = list(check_workspace(settings(environ, orchestrators=orchestrators), configuration, gpus))
    assert not [result for result in results if result.outcome is Outcome.WRONG]
    assert gpus == {"g2-standard-8": 1, "n2-standard-4": 0, pool_id: 1}


def test_an_existing_pool_is_looked_for(environ: dict[str, str], pool_id: str) -> None:
    there = asked(environ, {"registrationPool": pool_id})["pool"]
    assert there.outcome is Outcome.RIGHT
    absent = asked(environ, {"registrationPool": "0101-000000-absent"})["pool"]
    assert absent.outcome is Outcome.WRONG
    assert "gpu.registrationPool: 0101-000000-absent" in absent.found


def test_an_existing_scope_has_to_hold_the_keys_that_runs_refer_to(
    environ: dict[str, str], w: WorkspaceClient, name: str
) -> None:
    existing = {"name": name, "existing": True}
    absent = asked(environ, secretScope=existing)["secret scope"]
    assert absent.outcome is Outcome.WRONG
    assert "cannot be read" in absent.found
    w.secrets.create_scope(name)
    for key in KEYS[:2]:
        w.secrets.put_secret(name, key, string_value="x")
    lacking = asked(environ, secretScope=existing)["secret scope"]
    assert lacking.outcome is Outcome.WRONG
    assert f"does not hold {KEYS[2]}," in lacking.found
    w.secrets.put_secret(name, KEYS[2], string_value="x")
    assert asked(environ, secretScope=existing)["secret scope"].outcome is Outcome.RIGHT


def by_name(results: Any) -> dict[str, Result]:
    return {result.name: result for result in results}


def test_fiftyone_that_accepts_an_admins_key_is_right(environ: dict[str, str], fom: Any) -> None:
    results = by_name(check_fiftyone(settings(environ)))
    yourself = results.pop("")
    assert {result.outcome for result in results.values()} == {Outcome.RIGHT}
    assert len(results) == 3
    assert "databricks-sdk>=0.53.0" in yourself.found


def test_a_key_that_fiftyone_does_not_know_is_wrong(environ: dict[str, str], fom: Any) -> None:
    results = by_name(check_fiftyone(settings({**environ, "FIFTYONE_API_KEY": "hidden-wrong-key"})))
    assert results["FiftyOne's key"].outcome is Outcome.WRONG
    assert "does not accept the key" in results["FiftyOne's key"].found
    assert "hidden" not in f"{results}"


def test_a_key_of_one_who_is_no_admin_is_wrong(environ: dict[str, str], fom: Any, choose: Callable[..., None]) -> None:
    choose(role="Member")
    result = by_name(check_fiftyone(settings(environ)))["FiftyOne's key"]
    assert result.outcome is Outcome.WRONG
    assert "MEMBER" in result.found


def test_an_sdk_that_does_not_tell_whose_key_it_is_leaves_the_role_unchecked(
    environ: dict[str, str], fom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(fom, "whoami")
    assert by_name(check_fiftyone(settings(environ)))["FiftyOne's key"].outcome is Outcome.NOT_CHECKED


def test_an_api_that_does_not_answer_is_wrong(environ: dict[str, str], fom: Any) -> None:
    results = by_name(check_fiftyone(settings({**environ, "FIFTYONE_API_URI": nowhere()})))
    assert results["FiftyOne's API"].outcome is Outcome.WRONG
    assert "could not be reached" in results["FiftyOne's API"].found


def test_a_missing_sdk_is_wrong_and_says_how_to_install_it(environ: dict[str, str], fom: Any) -> None:
    found = settings(environ)
    absent = found.model_copy(
        update={"fiftyone": found.fiftyone.model_copy(update={"management_module": "absent_module.management"})}
    )
    results = by_name(check_fiftyone(absent))
    assert results["FiftyOne's management SDK"].outcome is Outcome.WRONG
    assert "pip install fiftyone==VERSION" in results["FiftyOne's management SDK"].mend
    assert results["FiftyOne's API"].outcome is Outcome.NOT_CHECKED


def test_without_a_key_the_api_is_not_asked(environ: dict[str, str], fom: Any) -> None:
    found = settings(environ)
    without = found.model_copy(update={"fiftyone": found.fiftyone.model_copy(update={"api_key": None})})
    assert by_name(check_fiftyone(without))["FiftyOne's API"].outcome is Outcome.NOT_CHECKED
