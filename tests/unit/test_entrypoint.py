"""The entrypoint, run as a program: what FiftyOne sends is run, and ends as it ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ENTRYPOINT = Path(__file__).parents[2] / "job" / "entrypoint.py"


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder for PATH with a `fiftyone` that prints its arguments and ends with the code it is told."""
    program = tmp_path / "fiftyone"
    program.write_text('#!/bin/sh\nprintf "<%s>" "$@"\necho "fips:$OPENSSL_FORCE_FIPS_MODE"\nexit "${CODE:-0}"\n')
    program.chmod(0o755)
    return tmp_path


def run(
    commands: Path, *arguments: str, timeout: float | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, ENTRYPOINT, *arguments],
        env={**os.environ, "PATH": path, **environ},
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_runs_with_its_arguments_and_no_shell(commands: Path) -> None:
    done = run(commands, "--command", "fiftyone delegated 'a b' $HOME ; ls")
    assert done.returncode == 0
    assert done.stdout.startswith("<delegated><a b><$HOME><;><ls>")


def test_it_ends_with_the_commands_own_code(commands: Path) -> None:
    assert run(commands, "--command", "fiftyone x", CODE="7").returncode == 7


def test_a_missing_command_is_an_error_and_standard_input_is_not_read(commands: Path) -> None:
    done = run(commands)
    assert done.returncode == 2
    assert "--command" in done.stderr


def test_other_programs_are_not_run(commands: Path) -> None:
    done = run(commands, "--command", "echo hello")
    assert (done.returncode, done.stdout) == (1, "")
    assert "only fiftyone may be run here, so nothing was started" in done.stderr
    done = run(commands, "--command", "echo hello", ENTRYPOINT_COMMANDS="fiftyone,echo")
    assert (done.returncode, done.stdout) == (0, "hello\n")


def test_output_comes_through_while_the_command_runs_and_signals_reach_it(commands: Path) -> None:
    (commands / "fiftyone").write_text(
        "#!/bin/sh\ntrap 'echo stopped; exit 9' TERM\necho started\nwhile :; do sleep 0.1; done\n"
    )
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [sys.executable, ENTRYPOINT, "--command", "fiftyone x"],
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopped\n"
        assert process.wait() == 9


def test_a_command_that_a_signal_ended_ends_with_the_conventional_code(commands: Path) -> None:
    (commands / "fiftyone").write_text("#!/bin/sh\nkill -KILL $$\n")
    assert run(commands, "--command", "fiftyone x").returncode == 128 + signal.SIGKILL


def test_what_a_command_leaves_running_does_not_hold_the_run_up(commands: Path) -> None:
    (commands / "fiftyone").write_text("#!/bin/sh\nsleep 60 &\necho done\n")
    done = run(commands, "--command", "fiftyone x", timeout=30)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_output_of_any_bytes_and_of_standard_error_comes_through_in_order(commands: Path) -> None:
    (commands / "fiftyone").write_text("#!/bin/sh\nprintf 'a\\303\\251'\nprintf b >&2\nprintf 'c\\377\\303'\n")
    assert run(commands, "--command", "fiftyone x").stdout == "aéb" + "c\ufffd\ufffd"
    assert run(commands, "--command", "fiftyone x", PYTHONIOENCODING="ascii").stdout.startswith("a?b")


def test_a_program_that_cannot_start_is_said(commands: Path) -> None:
    (commands / "fiftyone").write_text("no program")
    done = run(commands, "--command", "fiftyone x")
    assert done.returncode == 1
    assert "cannot be started" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_gets_no_standard_input(commands: Path) -> None:
    (commands / "fiftyone").write_text("#!/bin/sh\ncat\n")
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, ENTRYPOINT, "--command", "fiftyone x"]
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, input="typed", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_a_runtime_that_starts_tasks_outside_its_main_thread_is_served(commands: Path) -> None:
    script = f"""
import runpy, sys, threading
sys.argv = ["entrypoint", "--command", "fiftyone x"]
task = threading.Thread(target=runpy.run_path, args=({str(ENTRYPOINT)!r},), kwargs={{"run_name": "__main__"}})
task.start()
task.join()
"""
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("<x>"), done.stderr


def test_a_missing_program_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, "--command", "fiftyone x", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "there is no `fiftyone` on PATH" in done.stderr


def test_what_makes_opencv_abort_is_removed(commands: Path) -> None:
    assert "fips:\n" in run(commands, "--command", "fiftyone x", OPENSSL_FORCE_FIPS_MODE="1").stdout
