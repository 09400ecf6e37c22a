"""The whole program takes whatever settings are valid, and no secret of theirs leaves it in the clear."""

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import Phase, given, settings
from pulumi.runtime import mocks, rpc

from components.settings_errors import SettingsError
from components.settings_loader import WORKER_SECRETS, load_settings
from tests.random_settings import SECRET, Entries, configuration, stack_files
from tests.unit.settings_cases import ENVIRON, STACK

PROGRAM = Path(__file__).parents[2] / "__main__.py"


class Recorder(mocks.Mocks):
    def __init__(self) -> None:
        self.inputs: list[Any] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        self.inputs.append(args.inputs)
        return f"{args.name}-id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        raise AssertionError(args.token)


def valid(entries: Entries) -> bool:
    config, secret_keys = configuration(entries)
    try:
        load_settings(stack=STACK, config=config, secret_keys=secret_keys, environ=ENVIRON)
    except SettingsError:
        return False
    return True


def without_secrets(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return None
    match value:
        case {**entries}:
            return {key: without_secrets(entry) for key, entry in entries.items()}
        case [*entries]:
            return [without_secrets(entry) for entry in entries]
        case _:
            return value


@settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.generate])
@given(stack_files().filter(valid))
def test_the_program_registers_what_valid_settings_ask_for_and_no_secret_in_the_clear(entries: Entries) -> None:
    recorder = Recorder()
    config, secret_keys = configuration(entries)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRON.items():
            patch.setenv(name, value)
        patch.setenv("PULUMI_CONFIG", json.dumps(config))
        patch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(sorted(secret_keys)))
        mocks.set_mocks(recorder, project="fiftyone-databricks", stack=STACK, preview=False)
        run()
    assert len(recorder.inputs) > 10
    shown = json.dumps([without_secrets(inputs) for inputs in recorder.inputs])
    assert [secret for secret in (SECRET, *map(ENVIRON.get, WORKER_SECRETS.values())) if str(secret) in shown] == []


@pulumi.runtime.test
def run() -> None:
    runpy.run_path(str(PROGRAM), run_name="__main__")
