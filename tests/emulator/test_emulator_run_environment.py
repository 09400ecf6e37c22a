"""What a run finds: environment, secrets, files, the command `fiftyone`; and what is left of it afterwards."""

import io
import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient

from tests.emulator.emulator_harness import CLUSTER, Runner, Server, living, result, run, started

SHOWS = "import json, os\nprint(json.dumps(dict(os.environ)))\n"
AWKWARD = "a'b\"c $HOME `id` $(id) \\n \\ !! é 漢 # ; & | < > * ? [x] {y} ~ =\ttab\nsecond line\r\n "
LOST = ("INTERNAL_ERROR", "FAILED", "DRIVER_ERROR")


def environment(runner: Runner, env: dict[str, str], **more: Any) -> dict[str, str]:
    run_id = runner.start(runner.job(runner.task("main", SHOWS), env=env, **more))
    ended = runner.ended(run_id)
    assert ended["state"]["result_state"] == "SUCCESS", ended
    return json.loads(runner.output(run_id)["logs"])


def test_a_quoted_value_arrives_with_every_awkward_character(runner: Runner) -> None:
    found = environment(runner, {"AWKWARD": shlex.quote(AWKWARD), "EMPTY": "''", "BARE": "a$((1+1))", "TWO": "b c"})
    assert (found["AWKWARD"], found["EMPTY"], found["BARE"], found["TWO"]) == (AWKWARD, "", "a2", "b")


def test_the_environment_is_the_clusters_and_nothing_of_the_servers(runner: Runner, server: Server) -> None:
    found = environment(runner, {"MINE": "1"})
    assert found.keys() - {"LC_CTYPE"} == {
        "DATABRICKS_RUNTIME_VERSION", "HOME", "LANG", "MINE", "PATH", "PYTHONUNBUFFERED", "TMPDIR"
    }  # fmt: skip
    assert found["DATABRICKS_RUNTIME_VERSION"] == "16.4"
    assert all(found[name].startswith(str(server.home / "runs")) for name in ("HOME", "TMPDIR"))


def test_a_value_that_no_shell_can_read_stops_the_run_and_is_not_shown(runner: Runner) -> None:
    run_id = runner.start(runner.job(runner.task("main", "print()"), env={"A": "'the-value"}))
    ended = runner.ended(run_id)
    assert ended["tasks"][0]["status"]["termination_details"]["code"] == "CLUSTER_ERROR"
    assert "the-value" not in json.dumps([ended["state"], runner.output(run_id)["logs"]])


def test_secrets_arrive_whole_and_are_redacted_in_the_log(
    w: WorkspaceClient, runner: Runner, server: Server, name: str
) -> None:
    w.secrets.create_scope(name)
    secret = f"s3cret-{name}-$(id)'\"\\"
    w.secrets.put_secret(name, "KEY", string_value=secret)
    code = (
        "import os, sys\n"
        "value = os.environ['KEY']\n"
        "print(len(value), os.environ['PART'], value, 'again', value + value)\n"
        "for letter in value:\n    sys.stdout.write(letter)\n    sys.stdout.flush()\n"
        "sys.stdout.write('!' + value[:8])\n"
    )
    env = {"KEY": f"{{{{secrets/{name}/KEY}}}}", "PART": f"x{{{{secrets/{name}/KEY}}}}"}
    run_id = runner.start(runner.job(runner.task("main", code), env=env))
    assert runner.ended(run_id)["state"]["result_state"] == "SUCCESS"
    redacted = "[REDACTED]"
    assert runner.output(run_id)["logs"] == (
        f"{len(secret)} x{{{{secrets/{name}/KEY}}}} {redacted} again {redacted}{redacted}\n{redacted}!{secret[:8]}"
    )
    kept = [file.read_bytes() for file in server.home.rglob("*") if file.is_file() and file.name != "workspace.db"]
    assert kept
    assert not any(secret.encode() in content for content in kept)


@pytest.mark.parametrize("scope", ["NAME", "no-such-scope"])
def test_a_secret_that_is_not_there_stops_the_run_before_its_program(
    w: WorkspaceClient, runner: Runner, name: str, scope: str
) -> None:
    w.secrets.create_scope(name)
    scope = scope.replace("NAME", name)
    job_id = runner.job(runner.task("main", "print('started')"), env={"A": f"{{{{secrets/{scope}/none}}}}"})
    run_id = runner.start(job_id)
    ended = runner.ended(run_id)
    assert result(ended) == ("INTERNAL_ERROR", "FAILED", "CLUSTER_ERROR")
    output = runner.output(run_id)
    assert f"Secret does not exist with scope: {scope} and key: none" in output["error"]
    assert "started" not in output["logs"]


def test_files_are_laid_out_and_paths_turned_to_them(w: WorkspaceClient, runner: Runner, name: str) -> None:
    volume = f"/Volumes/main/default/stand-in/{name}"
    w.files.upload(f"{volume}/large.bin", io.BytesIO(b"x" * 2_000_000))
    w.files.upload(f"{volume}/small.txt", io.BytesIO(b"small"))
    folder = runner.upload("plugins/a/data.txt", "data").removesuffix("/a/data.txt")
    code = (
        "import os, pathlib, stat, sys\n"
        "for path in (os.environ['DIR'] + '/a/data.txt', sys.argv[1], sys.argv[2], __file__):\n"
        "    print(pathlib.Path(path).stat().st_size, oct(stat.S_IMODE(os.stat(path).st_mode)))\n"
        "print(os.environ['TEXT'])\n"
    )
    task = runner.task("main", code, f"{volume}/large.bin", f"{volume}/small.txt")
    run_id = runner.start(runner.job(task, env={"DIR": shlex.quote(folder), "TEXT": f"in:{folder}"}))
    assert runner.ended(run_id)["state"]["result_state"] == "SUCCESS"
    assert runner.output(run_id)["logs"] == (f"4 0o400\n2000000 0o400\n5 0o400\n{len(code)} 0o400\nin:{folder}\n")


def test_a_run_keeps_the_files_that_it_began_with(
    w: WorkspaceClient, runner: Runner, name: str, tmp_path: Path
) -> None:
    path = runner.upload("data.txt", "old")
    code = (
        "import os, pathlib, time\nprint('ready')\n"
        "while not pathlib.Path(os.environ['GO']).exists(): time.sleep(0.02)\n"
        "print(pathlib.Path(os.environ['FILE']).read_text())\n"
    )
    marker = tmp_path / "go"
    job_id = runner.job(runner.task("main", code), env={"FILE": path, "GO": str(marker)})
    run_id = runner.start(job_id)
    runner.printed(run_id, "ready")
    runner.upload("data.txt", "new")
    w.workspace.delete(f"/Shared/{name}/main.py")
    marker.touch()
    assert runner.ended(run_id)["state"]["result_state"] == "SUCCESS"
    assert runner.output(run_id)["logs"] == "ready\nold\n"


@pytest.mark.parametrize("path", ["/Workspace/Shared/none.py", "/Volumes/main/default/stand-in/none.py", "dbfs:/a.py"])
def test_a_python_file_that_is_not_there(runner: Runner, path: str) -> None:
    task = {**runner.task("main", ""), "spark_python_task": {"python_file": path}}
    run_id = runner.start(runner.job(task))
    assert result(runner.ended(run_id)) == ("INTERNAL_ERROR", "FAILED", "RUN_EXECUTION_ERROR")
    text = f"Cannot read the python file {path}. Please check driver logs for more details."
    assert runner.output(run_id)["error"] == text


def test_requirements_are_looked_for_and_not_installed(runner: Runner) -> None:
    path = runner.upload("requirements.txt", "--index-url https://user:pass@index.invalid\nnone==1\n")
    job_id = runner.job(
        runner.task("main", "print('ran')", libraries=[{"requirements": path}]),
        runner.task("lost", "print('ran')", libraries=[{"requirements": f"{path}.none"}]),
    )
    run_id = runner.start(job_id)
    runner.ended(run_id)
    logs = runner.output(run_id)["logs"]
    assert logs.startswith("stand-in: no library is installed here")
    assert logs.endswith(f"{path}\nran\n")
    assert "index.invalid" not in logs
    lost = runner.output(run_id, "lost")
    assert "Library installation failed for library due to user error" in lost["error"]
    assert lost["metadata"]["status"]["termination_details"]["code"] == "LIBRARY_INSTALLATION_ERROR"


def test_long_logs_are_shown_from_their_end(runner: Runner) -> None:
    run_id = runner.start(runner.job(runner.task("main", "print('first')\nprint('é' * 3_000_000)\nprint('last')\n")))
    runner.ended(run_id)
    output = runner.output(run_id)
    assert output["logs_truncated"] is True
    assert 5 * 1024 * 1024 - 4 < len(output["logs"].encode()) <= 5 * 1024 * 1024
    assert output["logs"].endswith("é\nlast\n")
    assert output["logs"].startswith("é")


def test_nothing_but_the_log_is_left_of_a_run(runner: Runner, server: Server) -> None:
    code = "import pathlib, tempfile\npathlib.Path(tempfile.mkdtemp(), 'left').touch()\nprint('done')\n"
    run_id = runner.start(runner.job(runner.task("main", code)))
    task_id = runner.ended(run_id)["tasks"][0]["run_id"]
    assert [path.name for path in (server.home / "runs" / str(task_id)).iterdir()] == ["log"]


def test_fiftyone_reads_plugins_and_says_that_it_is_a_stand_in(runner: Runner) -> None:
    good = runner.upload("plugins/deep/a/fiftyone.yml", "name: '@me/a'\noperators: [one, two]\n")
    runner.upload("plugins/deep/a/inner/fiftyone.yml", "name: inside\n")
    runner.upload("plugins/b/fiftyone.yaml", "name: b\n")
    runner.upload("plugins/.hidden/fiftyone.yml", "name: hidden\n")
    runner.upload("plugins/bad/fiftyone.yml", "name: [\n")
    code = (
        "import subprocess\n"
        "for command in ('--version', 'plugins list', 'operators list', 'delegated launch -t remote', 'other',\n"
        "                'stand-in env FIFTYONE_PLUGINS_DIR', 'stand-in exit 9'):\n"
        "    done = subprocess.run(['fiftyone', *command.split()], capture_output=True, text=True)\n"
        "    print(done.returncode, done.stdout.splitlines())\n"
    )
    env = {"FIFTYONE_PLUGINS_DIR": good.partition("/deep")[0], "PYTHONPATH": "/nowhere"}
    run_id = runner.start(runner.job(runner.task("main", code), env=env))
    runner.ended(run_id)
    lines = runner.output(run_id)["logs"].splitlines()
    assert all("'stand-in for the FiftyOne CLI, part of the emulator; nothing is computed'" in line for line in lines)
    assert [line.split()[0] for line in lines] == ["0", "0", "0", "0", "2", "0", "9"]
    assert "FiftyOne stand-in" in lines[0]
    assert lines[1].count("\\t/") == 2
    assert "@me/a\\t/" in lines[1]
    assert "Failed to parse plugin" in lines[1]
    assert lines[2].endswith("'@me/a/one', '@me/a/two']")
    assert "plugin b: 0 operators" in lines[3]
    assert f"/work/{good.partition('/deep')[0].strip('/')}" in lines[5]


def test_fiftyone_ends_at_once_when_it_is_asked_to(runner: Runner) -> None:
    code = (
        "import signal, subprocess\n"
        "command = subprocess.Popen(['fiftyone', 'stand-in', 'sleep', '60'], stdout=subprocess.PIPE, text=True)\n"
        "print(command.stdout.readline() and command.stdout.readline())\n"
        "command.send_signal(signal.SIGTERM)\n"
        "print(command.wait())\n"
    )
    run_id = runner.start(runner.job(runner.task("main", code)))
    runner.ended(run_id)
    assert runner.output(run_id)["logs"] == "sleeping for 60 seconds\n\n143\n"


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_run_does_not_outlive_its_server_and_is_still_there_to_read(home: Path, how: str) -> None:
    server = started(home, "--port", "0")
    with server.http() as http:
        runner = Runner(server.sdk(), http, "restart")
        code = "import os, time\nprint('pid', os.getpid())\ntime.sleep(60)\n"
        job_id = runner.job(runner.task("main", code), queue={"enabled": True})
        going, queued = runner.start(job_id), runner.start(job_id)
        runner.printed(going, "pid")
        pid = int(runner.output(going)["logs"].split()[1])
        if how == "stop":
            assert run("stop", "--home", home).stdout.startswith("stopped; held 1 job (restart)")
            assert not living(pid)
        else:
            os.kill(int((home / "server.lock").read_text()), signal.SIGKILL)
            os.kill(pid, 0)
    server = started(home, "--port", "0")
    with server.http() as http:
        runner = Runner(server.sdk(), http, "restart")
        ended = runner.ended(going)
        assert result(ended) == LOST
        assert "Could not reach driver of cluster" in ended["state"]["state_message"]
        assert runner.output(going)["logs"] == f"pid {pid}\n"
        assert not living(pid)
        runner.printed(queued, "pid")
        assert sorted(path.name for path in (home / "runs" / str(ended["tasks"][0]["run_id"])).iterdir()) == ["log"]


@pytest.mark.parametrize("how", ["pool", "cluster"])
def test_a_run_without_its_cluster(w: WorkspaceClient, runner: Runner, pool_id: str, how: str) -> None:
    task = runner.task("main", "print('started')")
    del task["job_cluster_key"]
    where: dict[str, Any] = {"existing_cluster_id": "none"}
    if how == "pool":
        where = {"new_cluster": {**CLUSTER, "spark_env_vars": {}, "instance_pool_id": pool_id}}
    job_id = runner.job({**task, **where})
    if how == "pool":
        assert runner.ended(runner.start(job_id))["state"]["result_state"] == "SUCCESS"
        w.instance_pools.delete(pool_id)
    run_id = runner.start(job_id)
    text = f"instance pool with id: {pool_id}" if how == "pool" else "Cluster 'none' does not exist."
    assert text in runner.ended(run_id)["state"]["state_message"]
    assert runner.output(run_id)["logs"] == ""
