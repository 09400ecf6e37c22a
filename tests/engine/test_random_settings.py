"""Whatever settings are valid deploy, settle and leave nothing; whatever are not stop with one message.

`EXAMPLES=100 make test ARGS=tests/engine/test_random_settings.py` tries as many, and others each time.
"""

import copy
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import Phase, given, settings

from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from emulator.identity import ACCOUNT_ID, APPLICATION_ID
from emulator.store import held
from emulator.volumes import VOLUME
from tests.engine.stack import SECRETS, Stack, base
from tests.engine.workspace import Workspace
from tests.random_mistakes import anything_anywhere
from tests.random_settings import Entries, configuration, is_secret_key, stack_files

# A few that are the same on every machine, unless more are asked for. Smaller ones are not looked for: that takes long.
examples = settings(
    max_examples=int(os.environ.get("EXAMPLES", "6")),
    derandomize="EXAMPLES" not in os.environ,
    deadline=None,
    phases=[Phase.generate],
)
# What the environment says, and runs, which other tests look at.
LEFT_OUT = ("fiftyone:apiUri", "registrationCommand")


def problems(entries: Entries) -> int:
    """How many the loader finds."""
    config, secret_keys = configuration(entries)
    environ = {
        **SECRETS,
        "FIFTYONE_API_URI": "http://127.0.0.1/fiftyone",
        "FIFTYONE_API_KEY": "x",
        "DATABRICKS_HOST": "http://127.0.0.1",
        "DATABRICKS_ACCOUNT_ID": ACCOUNT_ID,
        "SERVICE_PRINCIPAL_CLIENT_SECRET": "x",
    }
    try:
        load_settings(stack="test", config=config, secret_keys=secret_keys, environ=environ)
    except SettingsError as error:
        return len(error.problems)
    return 0


def embedded(entries: Entries) -> Entries:
    """The entries for the embedded workspace, without what they name there; what is not of a kind stays as it is."""
    kept = {key: value for key, value in copy.deepcopy(entries).items() if key not in LEFT_OUT}
    orchestrators = kept.get("orchestrators")
    for orchestrator in orchestrators.values() if isinstance(orchestrators, dict) else ():
        if isinstance(orchestrator, dict):
            orchestrator.pop("registrationCommand", None)
    return {**kept, **{key: base()[key] for key in ("databricks:authType", "fiftyone:managementModule")}}


def named(entries: Entries, workspace: Workspace) -> Entries:
    """Make what the entries say exists, and name it by the ids that the workspace gave it."""
    entries, w = copy.deepcopy(entries), workspace.client
    for orchestrator in entries["orchestrators"].values():
        for alias in orchestrator.keys() & {"pool", "registrationPool"}:
            name = f"theirs-{len(list(w.instance_pools.list()))}"
            orchestrator[alias] = w.instance_pools.create(name, "n2-standard-4").instance_pool_id
    if isinstance(scope := entries.get("secretScope"), dict) and scope.get("existing"):
        w.secrets.create_scope(scope["name"])
    for key in set(entries.get("secretsFrom", {}).values()):
        workspace.fiftyone.ask("add_secret", key=key, value="theirs", description="theirs")
    if "clientId" in entries.get("servicePrincipal", {}):
        entries["servicePrincipal"]["clientId"] = APPLICATION_ID
    if "runAs" in entries:
        entries["runAs"]["servicePrincipal"] = w.service_principals.create(display_name="theirs").application_id
    if "volume" in entries.get("plugins", {}):
        entries["plugins"]["volume"] = f"/Volumes/{VOLUME}"
    return entries


@contextmanager
def fresh_stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name) / "project").mkdir()
        workspace = Workspace.start(Path(name) / "workspace")
        try:
            yield Stack.create(folder, workspace)
        finally:
            workspace.stop()


def configure(stack: Stack, entries: Entries) -> None:
    stack.settings = {key: value for key, value in entries.items() if not is_secret_key(key)}
    for key in filter(is_secret_key, entries):
        stack.secret(key, entries[key])


@examples
@given(stack_files().map(embedded).filter(lambda entries: not problems(entries)))
def test_valid_settings_deploy_settle_and_leave_nothing(entries: Entries) -> None:
    with fresh_stack() as stack:
        configure(stack, named(entries, stack.workspace))
        database = stack.workspace.home / "workspace.db"
        before = held(database)
        stack.up()
        asked = len(stack.workspace.requests())
        stack.up("--expect-no-changes")
        assert stack.workspace.writes(since=asked) == []
        if entries.get("protect"):
            # `pulumi config set` has given keys the project's name.
            settings = {key: value for key, value in stack.settings.items() if not key.endswith("protect")}
            stack.settings = {**settings, "protect": False}
            stack.up()
        stack.succeeds("destroy", "--yes", "--run-program")
        assert held(database) == before


@examples
@given(anything_anywhere().map(lambda mistake: embedded(mistake.entries)).filter(problems))
def test_settings_that_are_not_valid_stop_with_one_message_and_make_nothing(entries: Entries) -> None:
    with fresh_stack() as stack:
        configure(stack, entries)
        run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
        assert run.code != 0
        assert "nothing was created or changed" in run.output
        assert run.output.count("  Mend: ") == problems(entries), run.output
        assert "Traceback" not in run.output
        assert stack.workspace.writes() == []
        assert stack.workspace.is_empty()
