"""What is only for whoever sits at a terminal stays out of pipes, and every target names targets that there are."""

import io
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from databricks.sdk.service import jobs

from toolchain import run_job
from toolchain.environment import without_other_workspaces
from toolchain.next_steps import NEXT, say_next
from toolchain.progress import Line, counting

REPO = Path(__file__).parents[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_written_over_and_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    line = Line()
    line.show("PENDING …")
    line.show("now …")
    line.clear()
    line.clear()
    assert terminal.getvalue() == "\rPENDING … 0 s\rnow … 0 s    \r         \r"


def test_a_pipe_sees_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", pipe := io.StringIO())
    with counting("  …"):
        Line().show("PENDING …")
    assert pipe.getvalue() == ""


def test_the_seconds_are_counted_while_a_block_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = threading.Event()

    class Watched(Terminal):
        def write(self, text: str) -> int:
            shown.set()
            return super().write(text)

    monkeypatch.setattr(sys, "stderr", terminal := Watched())
    with counting("  …"):
        assert shown.wait(60)
    assert re.fullmatch(r"(\r  … \d+ s)+\r +\r", terminal.getvalue())


def test_a_run_s_state_is_counted_while_it_waits_and_gone_before_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = jobs.TerminationDetails(jobs.TerminationCodeCode.SUCCESS)
    states = [jobs.RunLifecycleStateV2State[name] for name in ("PENDING", "RUNNING", "TERMINATED")]
    statuses = [jobs.RunStatus(state=state, termination_details=ended) for state in states]
    runs = iter([jobs.Run(tasks=[jobs.RunTask("main")], status=status) for status in statuses])
    logs = iter([jobs.RunOutput(logs=text) for text in ("", "first\n", "first\nsecond\n")])
    monkeypatch.setattr(run_job, "SECONDS_BETWEEN_LOOKS", 0)
    of_jobs = SimpleNamespace(get_run=lambda _: next(runs), get_run_output=lambda _: next(logs))
    client: Any = SimpleNamespace(jobs=of_jobs)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert run_job.follow(client, 12, "dev") == 0
    assert terminal.getvalue() == "\rPENDING … 0 s\r             \r"
    assert capsys.readouterr().out == "first\nsecond\n\nrun 12 ended: SUCCESS\n"


def test_whoever_sits_at_a_terminal_is_told_what_to_do_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    say_next("up", "dev")
    assert terminal.getvalue().splitlines()[1:] == [
        "Next:",
        "  make run STACK=dev      starts the job once and shows its log",
        "  make verify STACK=dev   follows the whole chain, up to a run of the job",
    ]


@pytest.mark.parametrize("verb", NEXT)
def test_a_pipe_gets_the_address_of_the_embedded_workspace_alone(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_next(verb, "dev", "https://example.invalid")
    say_next(verb, "local", "http://127.0.0.1:1")
    address = "\nEmbedded workspace and FiftyOne: http://127.0.0.1:1/\n"
    assert capsys.readouterr().out == (address if verb == "up" else "")


def test_next_steps_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z -]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    known = {name for line in targets for name in line.split()}
    assert {target for steps in NEXT.values() for target, _ in steps} | set(NEXT) <= known


def test_no_color_reaches_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert without_other_workspaces()["NO_COLOR"] == "1"
