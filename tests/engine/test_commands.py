"""The make targets as a person meets them: in a fresh clone, in a folder with a space, on this machine's engine."""

import re
from collections.abc import Iterator

import pytest

from tests.engine.clone import Clone
from tests.engine.stack import SECRETS

# What the shell of somebody with other workspaces may hold; nothing of it may reach `local`.
OTHERS = {
    "DATABRICKS_HOST": "https://elsewhere.invalid",
    "DATABRICKS_CLIENT_ID": "somebody",
    "DATABRICKS_CLIENT_SECRET": "hidden-client-secret",
    "DATABRICKS_CONFIG_PROFILE": "elsewhere",
    "FIFTYONE_DATABASE_URI": "mongodb://hidden-other-password@elsewhere.invalid/",
    "GOOGLE_CREDENTIALS": "/nowhere",
    "PULUMI_BACKEND_URL": "file:///nowhere",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("a fresh clone"))
    yield clone
    clone.run(".venv/bin/python -m emulator stop --home .local/emulator")


def test_a_preview_of_production_needs_no_workspace_login_or_prompt(clone: Clone) -> None:
    printed = clone.succeeds("make preview STACK=prod", **SECRETS)
    assert "everything shows as create" in printed
    assert "databricks:index:Job gpu create" in printed
    assert "✅ fiftyone-databricks@" in printed
    assert "warning" not in printed.lower()


def test_without_its_secrets_it_says_which_are_missing_and_how_to_set_them(clone: Clone) -> None:
    done = clone.run("make preview STACK=prod")
    assert done.returncode != 0
    for key in ("databaseUri", "encryptionKey", "pypiUrl"):
        assert f"`pulumi config set --secret fiftyone:{key} -s prod`" in done.stdout


def test_make_up_deploys_and_again_changes_and_writes_nothing(clone: Clone) -> None:
    first = clone.succeeds("make up", **OTHERS)
    assert " created\n" in first
    assert first.count("✅ fiftyone-databricks@") == 2  # the policy pack, on the preview and on the update
    assert 'executionTaskKey   : "execute_task"' in first
    assert "warning" not in first.lower()
    written = clone.writes()
    second = clone.succeeds("make up", **OTHERS)
    assert re.search(r"Resources:\n    \d+ unchanged\n", second)
    assert clone.writes() == written


def test_after_make_env_plain_pulumi_shows_no_change_and_no_secret_of_others(clone: Clone) -> None:
    preview = "pulumi preview -s local --policy-pack policies --expect-no-changes"
    line = f'eval "$(make -s env)" && {preview} && echo "$DATABRICKS_CLIENT_SECRET"'
    clone.succeeds("make up")
    assert " unchanged" in clone.succeeds(line, **OTHERS)


def test_the_other_commands_of_the_readme_work_on_local(clone: Clone) -> None:
    clone.succeeds("make up")
    assert 'eval "$(make -s env)"' in clone.succeeds("make help")
    clone.succeeds("make refresh")
    assert "local: no rotation is due" in clone.succeeds("make rotate-due")
    assert "3 updated" in clone.succeeds("make rotate")
    assert "nothing to adopt" in clone.succeeds("make adopt")


def test_make_preflight_finds_nothing_wrong_with_local_and_says_what_it_could_not_check(clone: Clone) -> None:
    printed = clone.succeeds("make preflight")
    for line in (
        "✓ settings: valid, with 1 orchestrator: local",
        "✓ policy limits: the rules' defaults hold",
        "✓ node type: local.nodeType, local.registrationNodeType: c3-standard-4-lssd exists",
        "✓ FiftyOne's key: is an admin's",
        "– check yourself: FiftyOne's API image has databricks-sdk>=0.53.0",
    ):
        assert line in printed
    assert re.search(
        r"^– FiftyOne on the index: not checked because .*pypi\.invalid could not be reached", printed, re.M
    )
    assert re.search(r"^local: \d+ ✓, 0 ✗, ", printed, re.M)
    assert "\x1b" not in printed


def test_make_preflight_fails_where_something_is_wrong_and_says_how_to_mend_it(clone: Clone) -> None:
    done = clone.run("make preflight STACK=prod", **{**SECRETS, "DATABRICKS_TOKEN": "hidden-token"})
    assert done.returncode != 0
    assert "✗ settings: fiftyone:apiKey is required and missing" in done.stdout
    assert "`pulumi config set --secret fiftyone:apiKey -s prod`" in done.stdout
    assert "hidden" not in done.stdout


def test_make_destroy_leaves_the_embedded_workspace_empty(clone: Clone) -> None:
    clone.succeeds("make up")
    printed = clone.succeeds("make destroy", **OTHERS)
    assert "held nothing" in printed


def test_a_port_that_is_taken_is_said_with_how_to_choose_another(clone: Clone) -> None:
    import socket

    clone.succeeds("make destroy")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = clone.run("make up", EMULATOR_PORT=str(port))
    assert done.returncode != 0
    assert f"Port {port}" in done.stdout
    assert "EMULATOR_PORT" in done.stdout
    assert "Traceback" not in done.stdout
