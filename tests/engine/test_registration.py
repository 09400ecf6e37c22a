"""What is deployed is registered in FiftyOne and works from there; later changes keep it right."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.fiftyone import INSTANCE, REPORT, FiftyOne
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace

FIELDS = ("host", "account_id", "client_id", "client_secret")
KEYS = {field: f"{field.upper()}_GPU" for field in FIELDS}


@pytest.fixture
def registered(new_stack: Callable[..., Stack], source: Path) -> Iterator[Stack]:
    """A stack with plugins whose operators are refreshed by the setting; whatever a test changes must settle."""
    stack = new_stack(plugins={"source": str(source)})
    stack.orchestrator(registrationCommand=REPORT, description="Runs on GPUs")
    stack.up()
    yield stack
    stack.up("--expect-no-changes")
    stack.succeeds("destroy", "--yes", "--run-program")
    assert stack.workspace.is_empty()


def registration(stack: Stack) -> dict[str, Any]:
    return stack.workspace.fiftyone.orchestrator()


def test_up_registers_this_job_under_the_guides_names_and_fiftyone_can_use_it(
    registered: Stack, workspace: Workspace, fiftyone: FiftyOne
) -> None:
    found, outputs = registration(registered), registered.outputs()["orchestrators"][INSTANCE]
    assert found["config"]["databricks"] == {
        "jobId": outputs["jobId"],
        "executionTaskId": "execute_task",
        "registrationTaskId": "register_task",
    }
    assert found["secrets"] == KEYS
    assert outputs["fiftyoneSecrets"] == {
        "host": "HOST_GPU",
        "accountId": "ACCOUNT_ID_GPU",
        "clientId": "CLIENT_ID_GPU",
        "clientSecret": "CLIENT_SECRET_GPU",
    }
    values = {key: value for key, (value, _) in fiftyone.secrets().items()}
    assert values == {
        "HOST_GPU": workspace.address,
        "ACCOUNT_ID_GPU": registered.environ["DATABRICKS_ACCOUNT_ID"],
        "CLIENT_ID_GPU": registered.settings["servicePrincipal"]["clientId"],
        "CLIENT_SECRET_GPU": registered.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"],
    }
    assert found["available_operators"] == ["@example/hello/first"]
    assert registered.workspace.ended(fiftyone.delegate("@example/hello/first")) == "SUCCESS"


def test_a_changed_credential_is_one_secret_and_the_orchestrator_stays(
    registered: Stack, workspace: Workspace, fiftyone: FiftyOne
) -> None:
    before, writes = registration(registered), len(workspace.requests())
    (workspace.home / "service-principal-secret").write_text("hidden-rotated-secret")
    registered.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"] = "hidden-rotated-secret"
    plan = registered.succeeds("preview", "--diff")
    assert "1 to update" in plan.output
    run = registered.up()
    assert run.operations("updated") == ["CLIENT_SECRET_GPU"]
    assert workspace.writes(since=writes) == ["/fiftyone/management/update_secret"]
    assert registration(registered) == before
    assert fiftyone.secrets()["CLIENT_SECRET_GPU"][0] == "hidden-rotated-secret"
    assert registered.workspace.ended(fiftyone.delegate("@example/hello/first")) == "SUCCESS"


@pytest.mark.parametrize("deleting", ["keeps_secrets", "deletes_secrets"])
def test_a_replaced_job_is_registered_anew_with_its_secrets_and_operators_in_the_same_up(
    registered: Stack, workspace: Workspace, fiftyone: FiftyOne, deleting: str
) -> None:
    fiftyone.choose(delete_orchestrator=deleting)
    old, secrets = registered.outputs()["orchestrators"][INSTANCE]["jobId"], fiftyone.secrets()
    workspace.client.jobs.delete(int(old))
    registered.succeeds("refresh", "--yes", "--run-program")
    plan = registered.succeeds("preview")
    assert "orchestrator gpu is registered anew (jobId changes); its operators need a refresh after that" in plan.output
    registered.up()
    new = registered.outputs()["orchestrators"][INSTANCE]["jobId"]
    found = registration(registered)
    assert new != old
    assert found["config"]["databricks"]["jobId"] == new
    assert found["available_operators"] == ["@example/hello/first"]
    assert fiftyone.secrets() == secrets
    assert registered.workspace.ended(fiftyone.delegate("@example/hello/first")) == "SUCCESS"


@pytest.mark.parametrize(
    "undocumented",
    [
        {"config_shape": "flat", "config_case": "snake", "environment": "enum", "list_secrets": "documents"},
        {"operators_before_refresh": "none", "secret_refusal": "RuntimeError", "empty_description": "ignored"},
        {
            "register_existing": "replaces",
            "add_existing_secret": "overwrites",
            "delete_orchestrator": "deletes_secrets",
        },
    ],
)
def test_what_the_documentation_leaves_open_works_either_way(
    registered: Stack, fiftyone: FiftyOne, undocumented: dict[str, str]
) -> None:
    fiftyone.choose(**undocumented)
    registered.orchestrator(description="")
    registered.up()
    registered.succeeds("refresh", "--yes", "--run-program", "--expect-no-changes")
    registered.up("--expect-no-changes")
    assert registration(registered)["available_operators"] == ["@example/hello/first"]
    registered.succeeds("destroy", "--yes", "--run-program")
    assert fiftyone.secrets() == {}
    registered.up()


def test_what_was_changed_or_deleted_by_hand_is_shown_by_refresh_and_mended_by_up(
    registered: Stack, fiftyone: FiftyOne
) -> None:
    found = registration(registered)
    fiftyone.ask("delete_orchestrator", instance_id=INSTANCE)
    fiftyone.ask(
        "register_orchestrator",
        instance_id=INSTANCE,
        description=found["description"],
        environment="databricks",
        config={"databricks": {**found["config"]["databricks"], "executionTaskId": "another"}},
        secrets={"databricks": {"host": "HOST_GPU", "accountId": "HOST_GPU", **_camel(found["secrets"])}},
    )
    fiftyone.ask("delete_secret", key="HOST_GPU")
    _, stamped = fiftyone.secrets()["CLIENT_ID_GPU"]
    fiftyone.ask("update_secret", key="CLIENT_ID_GPU", description=stamped.replace("clientId", "something"))
    shown = registered.succeeds("refresh", "--yes", "--run-program").output
    assert "orchestrator gpu: config was changed in FiftyOne" in shown
    assert "FiftyOne secret HOST_GPU was deleted in FiftyOne" in shown
    assert "FiftyOne secret CLIENT_ID_GPU: description was changed in FiftyOne" in shown
    registered.up()
    assert registration(registered)["config"] == found["config"]
    assert registration(registered)["available_operators"] == ["@example/hello/first"]
    assert registered.workspace.ended(fiftyone.delegate("@example/hello/first")) == "SUCCESS"


def test_a_run_without_changes_writes_nothing_and_asks_what_the_workspace_is_alone(registered: Stack) -> None:
    asked = len(registered.workspace.requests())
    registered.up("--expect-no-changes")
    paths = [str(request["path"]) for request in registered.workspace.requests()[asked:]]
    assert [path for path in paths if not path.startswith(("/.well-known/", "/oidc/"))] == []


def _camel(secrets: dict[str, str]) -> dict[str, str]:
    from pydantic.alias_generators import to_camel

    return {to_camel(field): key for field, key in secrets.items()}


def test_what_is_not_ours_any_more_stops_up_and_is_left_by_destroy(registered: Stack, fiftyone: FiftyOne) -> None:
    for key, description in (("CLIENT_ID_GPU", "by hand"), ("HOST_GPU", "by hand")):
        fiftyone.ask("update_secret", key=key, description=description)
    registered.succeeds("refresh", "--yes", "--run-program")
    run = registered.pulumi("up", "--yes", "--skip-preview", "--stack", registered.name)
    assert run.code != 0
    # The first that is found stops it, and either may be it.
    assert re.search("FiftyOne has a secret (CLIENT_ID|HOST)_GPU already, without the mark of this stack", run.output)
    assert "Traceback" not in run.output
    assert registered.recover().code == 0
    registered.succeeds("destroy", "--yes", "--run-program")
    assert sorted(fiftyone.secrets()) == ["CLIENT_ID_GPU", "HOST_GPU"]
    for key in fiftyone.secrets():
        mark = "[pulumi-stack: fiftyone-databricks/test/gpu]"
        fiftyone.ask("update_secret", key=key, description=f"handed over {mark}")
    registered.up()


def test_secrets_that_exist_are_used_and_never_written(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne
) -> None:
    values = {
        "THE_HOST": workspace.address,
        "THE_ACCOUNT": "account",
        "THE_CLIENT": "5ad3c0de-41b7-4e0a-9c62-2f8e7d1b6a90",
        "THE_SECRET": workspace.credential("service-principal-secret"),
    }
    names = dict(zip(("host", "accountId", "clientId", "clientSecret"), values, strict=True))
    stack = new_stack(secretsFrom={**names, "clientSecret": "THE_SECRETT"})
    stack.orchestrator(registrationCommand=REPORT)
    for key, value in values.items():
        fiftyone.ask("add_secret", key=key, value=value)
    run = stack.pulumi("preview", "--stack", stack.name)
    assert run.code != 0
    assert "FiftyOne has no secret THE_SECRETT, which `secretsFrom.clientSecret` names" in run.output
    stack.settings = {**stack.settings, "secretsFrom": names}
    stack.up()
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    stack.orchestrator(description="Changed")
    run = stack.pulumi("preview", "--stack", stack.name)
    assert run.code != 0
    assert "set `allowReregister: true`" in run.output
    fiftyone.choose(delete_orchestrator="deletes_secrets")
    stack.settings = {**stack.settings, "allowReregister": True}
    for _ in range(2):
        run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
        assert run.code != 0
        assert "FiftyOne has no secret THE_" in run.output
    for key, value in values.items():
        fiftyone.ask("add_secret", key=key, value=value)
    stack.up()
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    fiftyone.choose()
    stack.succeeds("destroy", "--yes", "--run-program")
    assert {key: value for key, (value, _) in fiftyone.secrets().items()} == values


def test_a_preview_without_a_key_says_what_was_not_looked_at_and_up_stops_before_anything(
    stack: Stack, workspace: Workspace
) -> None:
    del stack.environ["FIFTYONE_API_KEY"], stack.environ["DATABRICKS_ACCOUNT_ID"]
    plan = stack.succeeds("preview").output
    assert "fiftyone:apiKey is missing: this can be previewed and not deployed. `pulumi config set --secret" in plan
    assert "databricks:accountId is missing" in plan
    assert plan.partition("Diagnostics:")[2].count("FiftyOne was not asked what stands there") == 1
    run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    assert run.code != 0
    assert "fiftyone:apiKey is required and missing" in run.output
    assert workspace.is_empty()


def test_orchestrators_of_a_stack_have_secrets_of_their_own(
    new_stack: Callable[..., Stack], fiftyone: FiftyOne
) -> None:
    orchestrators = {name: {"nodeType": "c3-standard-4-lssd"} for name in ("a", "b-c")}
    stack = new_stack(orchestrators=orchestrators)
    stack.up()
    assert sorted(fiftyone.orchestrators()) == ["a", "b-c"]
    assert {key.removesuffix("_A").removesuffix("_B_C") for key in fiftyone.secrets()} == {
        field.upper() for field in FIELDS
    }
    assert len(fiftyone.secrets()) == 8
    stack.settings = {**stack.settings, "orchestrators": {"a": orchestrators["a"]}}
    stack.up()
    assert fiftyone.orchestrators() == ["a"]
    assert len(fiftyone.secrets()) == 4


def test_protection_lets_an_orchestrator_be_registered_anew(
    new_stack: Callable[..., Stack], fiftyone: FiftyOne
) -> None:
    stack = new_stack(protect=True)
    stack.up()
    stack.orchestrator(description="Changed")
    stack.up()
    assert registration(stack)["description"].startswith("Changed ")
