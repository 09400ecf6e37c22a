"""What a verb does around Pulumi's own where a run before did not end well."""

from pathlib import Path

import pytest

import toolchain.stack as module
from tests.unit.lock_files import ended_pid, written_lock
from toolchain.stack import FLAGS, RUN_MARK, run


class Commands:
    """What would be run, and how it ends; recovery removes the lock."""

    def __init__(self, backend: Path) -> None:
        self.lock = written_lock(backend, pid=ended_pid()).file
        self.content = self.lock.read_text()
        self.recovery, self.pulumi = 0, 0
        self.ran: list[tuple[list[str], str]] = []

    def recover(self, _: str, environ: dict[str, str]) -> int:
        # It would take itself for what is left of a run.
        assert RUN_MARK not in environ
        # Also where it is killed, and cannot put it back itself.
        self.lock.unlink()
        return self.recovery

    def run(self, arguments: list[str], environ: dict[str, str]) -> int:
        assert not self.lock.exists()
        self.ran.append((arguments, environ.get("LOOK_FOR_LEFT_OVERS", "")))
        return self.pulumi


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands(tmp_path)
    monkeypatch.setattr(module, "stack_environment", lambda _: {})
    monkeypatch.setattr(module, "was_interrupted", lambda *_: True)
    monkeypatch.setattr(module, "backend_folder", lambda _: tmp_path)
    monkeypatch.setattr(module, "_recover", found.recover)
    monkeypatch.setattr(module, "_pulumi", found.run)
    monkeypatch.setattr(module, "say_next", lambda *_: None)
    return found


def test_a_lock_goes_on_telling_of_a_killed_run_until_the_verb_is_done(commands: Commands) -> None:
    commands.pulumi = 1  # a plan that was declined
    assert run("up", "dev", []) == 1
    assert commands.lock.read_text() == commands.content
    commands.pulumi = 0
    assert run("up", "dev", []) == 0
    assert not commands.lock.exists()
    assert commands.ran == [(["up", "--stack", "dev", *FLAGS["up"]], "yes")] * 2


def test_nothing_is_run_where_recovery_fails(commands: Commands) -> None:
    commands.recovery = 1
    assert run("up", "dev", []) == 1
    assert commands.ran == []
    assert commands.lock.exists()


def test_a_refresh_goes_by_the_state_then(commands: Commands) -> None:
    assert run("refresh", "dev", []) == 0
    assert commands.ran == [(["refresh", "--stack", "dev"], "yes")]
