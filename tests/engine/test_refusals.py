"""Bad input stops the engine with our message, before anything is created."""

from collections.abc import Callable
from typing import Any

import pytest
from databricks.sdk.service.workspace import ImportFormat

from tests.engine.stack import SECRETS, Stack
from tests.engine.workspace import Workspace


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"orchestrators": {"gpu": {"nodeTyp": "x"}}}, "orchestrators.gpu.nodeTyp is not a setting"),
        ({"orchestrators": {"gpu": {"nodeType": "x", "maxCapacity": -1}}}, "maxCapacity must be at least 1"),
        ({"fiftyone:version": 2.10}, "(YAML reads 2.10 as 2.1)"),
        ({"fiftyone:databaseUri": "mongodb://hidden-clear-password@db.invalid/"}, "databaseUri stands in the clear"),
        ({"databricks:host": "https://elsewhere.invalid"}, "databricks:host and DATABRICKS_HOST in the environment"),
        ({"runAs": {"servicePrincipal": "x"}}, "runAs.servicePrincipal does not have the form"),
    ],
)
def test_bad_settings_create_nothing(stack: Stack, workspace: Workspace, change: dict[str, Any], expected: str) -> None:
    stack.settings = {**stack.settings, **change}
    run = stack.pulumi("up", "--yes", "--stack", stack.name)
    assert run.code != 0
    assert run.output.count(expected) == 1, run.output
    assert "nothing was created or changed" in run.output
    assert "Traceback" not in run.output
    assert "hidden" not in run.output
    assert workspace.is_empty()
    assert workspace.writes() == []


def test_missing_secrets_are_named_with_the_commands_that_set_them(stack: Stack, workspace: Workspace) -> None:
    for name in SECRETS:
        del stack.environ[name]
    run = stack.pulumi("preview", "--stack", stack.name)
    assert run.code != 0
    for key in ("databaseUri", "encryptionKey", "pypiUrl"):
        assert f"pulumi config set --secret fiftyone:{key} -s test" in run.output
    assert workspace.writes() == []


def test_secrets_and_credentials_of_the_encrypted_configuration_deploy_as_well(
    stack: Stack, workspace: Workspace
) -> None:
    for name, key in zip(sorted(SECRETS), ("databaseUri", "encryptionKey", "pypiUrl"), strict=True):
        value = stack.environ.pop(name)
        stack.secret(f"fiftyone:{key}", value)
    stack.secret("databricks:token", stack.environ.pop("DATABRICKS_TOKEN"))
    stack.succeeds("config", "set", "databricks:host", stack.environ.pop("DATABRICKS_HOST"))
    stack.up()
    assert {key: workspace.secret("fiftyone-test", key) for key in SECRETS} == SECRETS
    stack.up("--expect-no-changes")
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_a_folder_that_holds_what_is_not_ours_is_neither_written_to_nor_deleted(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    # With its own service principal, which a destroy that stops half-way has deleted already when it goes on.
    stack, w = new_stack(servicePrincipal={"create": True}), workspace.client
    w.workspace.mkdirs("/Shared/fiftyone-test")
    w.workspace.upload("/Shared/fiftyone-test/entrypoint.py", b"theirs", format=ImportFormat.AUTO)
    run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    assert run.code != 0
    assert "The workspace folder /Shared/fiftyone-test exists and holds entrypoint.py" in run.output
    assert "Traceback" not in run.output
    with w.workspace.download("/Shared/fiftyone-test/entrypoint.py") as file:
        assert file.read() == b"theirs"
    w.workspace.delete("/Shared/fiftyone-test/entrypoint.py")
    stack.up()
    w.workspace.upload("/Shared/fiftyone-test/notes.txt", b"theirs", format=ImportFormat.AUTO)
    run = stack.pulumi("destroy", "--yes", "--run-program", "--stack", stack.name)
    assert run.code != 0
    assert "still holds notes.txt, which is not this stack's" in run.output
    w.workspace.delete("/Shared/fiftyone-test/notes.txt")
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


def test_a_name_that_something_else_has_stops_and_takes_nothing_over(stack: Stack, workspace: Workspace) -> None:
    workspace.client.secrets.create_scope("fiftyone-test")
    run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
    assert run.code != 0
    assert "already exists" in run.output
    assert list(workspace.client.secrets.list_secrets("fiftyone-test")) == []
