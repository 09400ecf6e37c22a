"""Whatever settings are valid deploy, settle and leave nothing; whatever are not stop with one message.

`EXAMPLES=100 make test ARGS=tests/engine/test_random_settings.py` tries as many, and others each time. What runs do is
not looked at: no orchestrator has a registration command.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hypothesis import Phase, assume, given, settings

from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from emulator.identity import APPLICATION_ID
from emulator.store import held
from tests.engine.stack import SECRETS, Stack
from tests.engine.workspace import Workspace
from tests.random_mistakes import Mistake, anything_anywhere
from tests.random_settings import Entries, configuration, is_secret_key, stack_files

# A few for every run, the same on every machine.
examples = settings(
    max_examples=int(os.environ.get("EXAMPLES", "6")),
    derandomize="EXAMPLES" not in os.environ,
    deadline=None,
    phases=[Phase.generate],
)
NODE = "n2-standard-4"


@examples
@given(stack_files())
def test_valid_settings_deploy_settle_and_leave_nothing(entries: Entries) -> None:
    with deployable(entries) as stack:
        assume(not problems(stack))
        before = held(stack.workspace.home / "workspace.db")
        stack.up()
        asked = len(stack.workspace.requests())
        stack.up("--expect-no-changes")
        assert stack.workspace.writes(since=asked) == []
        if entries.get("protect"):
            stack.settings = {**stack.settings, "protect": False}
            stack.up()
        stack.succeeds("destroy", "--yes", "--run-program")
        assert held(stack.workspace.home / "workspace.db") == before


@examples
@given(anything_anywhere())
def test_settings_that_are_not_valid_stop_with_one_message_and_make_nothing(mistake: Mistake) -> None:
    assume(not is_secret_key(str(mistake.path[0])))
    with deployable(mistake.entries) as stack:
        assume(problems(stack))
        asked = len(stack.workspace.requests())
        run = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)
        assert run.code != 0
        assert run.output.count("nothing was created or changed") == 1, run.output
        assert "Traceback" not in run.output
        assert stack.workspace.writes(since=asked) == []
