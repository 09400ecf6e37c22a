"""The server as a process: it is one a home, it lasts, it ends, and it stays out of other programs' way."""

import fcntl
import json
import os
import signal
import socket
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.emulator.emulator_harness import run, started


def pid(home: Path) -> int:
    return int((home / "server.lock").read_text())


def killed(home: Path) -> None:
    """SIGKILL, and wait until the process is gone: it lets go of its lock then."""
    os.kill(pid(home), signal.SIGKILL)
    with (home / "server.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def test_start_twice_is_one_server_and_prints_its_address_alone(home: Path) -> None:
    first = started(home, "--port", "0")
    before = pid(home)
    assert started(home) == first
    assert started(home, "--port", "0") == first
    assert pid(home) == before
    assert run("start", "--home", home).stdout == f"{first.address}\n"
    assert first.address == (home / "address").read_text()


def test_many_starts_at_once_end_with_one_server(home: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        servers = list(pool.map(lambda _: started(home, "--port", "0"), range(6)))
    assert len({(server.address, server.token) for server in servers}) == 1
    with servers[0].http() as client:
        assert client.get("/api/2.0/instance-pools/list").json() == {}


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_was_answered_survives_the_process_with_address_and_token(home: Path, how: str) -> None:
    before = started(home, "--port", "0")
    before.sdk().secrets.create_scope("kept")
    before.sdk().secrets.put_secret("kept", "KEY", string_value="value")
    if how == "stop":
        run("stop", "--home", home)
    else:
        killed(home)
    assert started(home) == before
    assert [secret.key for secret in before.sdk().secrets.list_secrets("kept")] == ["KEY"]


def test_everything_in_the_home_is_its_owners_alone(home: Path) -> None:
    started(home, "--port", "0").sdk().secrets.create_scope("any")
    run("stop", "--home", home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in home.iterdir()} == dict.fromkeys(
        (
            "address",
            "fiftyone-api-key",
            "requests.jsonl",
            "server.lock",
            "server.log",
            "service-principal-secret",
            "start.lock",
            "token",
            "workspace.db",
        ),
        "0o600",
    )


def test_each_home_draws_a_token_of_its_own(home: Path, tmp_path: Path) -> None:
    one = started(home, "--port", "0")
    other = started(tmp_path / "other", "--port", "0")
    run("stop", "--home", tmp_path / "other")
    assert one.token != other.token
    assert len(one.token) >= 40


def test_a_taken_port_is_named_with_the_way_to_choose_another(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("start", "--home", home, "--port", str(port))
    assert (result.returncode, result.stdout) == (1, "")
    assert str(port) in result.stderr
    assert "EMULATOR_PORT" in result.stderr
    assert "Traceback" not in result.stderr
    assert run("stop", "--home", home).stdout == "not running; held nothing\n"


def test_a_running_server_is_not_moved_to_another_port(home: Path) -> None:
    running = started(home, "--port", "0")
    result = run("start", "--home", home, "--port", "1")
    assert result.returncode == 1
    assert running.address in result.stderr
    assert "stop" in result.stderr
    assert run("serve", "--home", home, "--port", "0").returncode == 1
    assert started(home) == running


def test_stop_says_what_is_held_by_name_and_never_a_value(home: Path) -> None:
    client = started(home, "--port", "0").sdk()
    client.secrets.create_scope("scope")
    client.secrets.put_secret("scope", "KEY", string_value="the-value")
    client.instance_pools.create("pool", "m5.xlarge")
    client.workspace.mkdirs("/Shared/made")
    said = run("stop", "--home", home)
    expected = "held 1 instance pool (pool); 1 secret scope (scope [KEY]); 1 folder (/Shared/made)\n"
    assert (said.returncode, said.stdout) == (0, f"stopped; {expected}")
    assert run("stop", "--home", home).stdout == f"not running; {expected}"


def test_an_untouched_workspace_holds_nothing(home: Path) -> None:
    started(home, "--port", "0")
    assert run("stop", "--home", home).stdout == "stopped; held nothing\n"


def test_a_workspace_of_another_version_is_left_as_it_is(home: Path) -> None:
    started(home, "--port", "0")
    run("stop", "--home", home)
    with sqlite3.connect(home / "workspace.db") as db:
        db.execute("PRAGMA user_version = 1")
    said = run("stop", "--home", home)
    assert (said.returncode, said.stdout) == (1, "")
    assert "made by another version of the stand-in: delete its folder" in said.stderr


def test_stop_of_a_home_that_never_was_makes_none(tmp_path: Path) -> None:
    assert run("stop", "--home", tmp_path / "none").returncode == 0
    assert not (tmp_path / "none").exists()


def test_stop_leaves_a_foreign_process_alone_that_got_the_servers_number(home: Path) -> None:
    started(home, "--port", "0")
    run("stop", "--home", home)
    # This process stands for the foreign one: were it signalled, the test would end here.
    (home / "server.lock").write_text(str(os.getpid()))
    assert run("stop", "--home", home).stdout == "not running; held nothing\n"


def test_the_server_is_in_a_session_of_its_own(home: Path) -> None:
    started(home, "--port", "0")
    assert os.getsid(pid(home)) == pid(home)


def test_requests_at_once_are_all_kept(home: Path) -> None:
    server = started(home, "--port", "0")
    with ThreadPoolExecutor(8) as pool, server.http() as client:
        client.post("/api/2.0/secrets/scopes/create", json={"scope": "s"})
        bodies = [{"scope": "s", "key": f"k{index}", "string_value": "v"} for index in range(40)]
        answers = list(pool.map(lambda body: client.post("/api/2.0/secrets/put", json=body), bodies))
        assert {answer.status_code for answer in answers} == {200}
        assert len(client.get("/api/2.0/secrets/list?scope=s").json()["secrets"]) == 40


def test_every_request_is_logged_and_no_value_or_token_is(home: Path) -> None:
    server = started(home, "--port", "0")
    (home / "requests.jsonl").write_text("")
    with server.http() as client:
        client.post("/api/2.0/secrets/scopes/create", json={"scope": "s"})
        client.post("/api/2.0/secrets/put", json={"scope": "s", "key": "k", "string_value": "the-value"})
        client.post("/api/2.0/secrets/put", json={"scope": "s", "key": "k", "string_value": ["the-value"]})
        client.get("/api/2.0/secrets/get?scope=s&key=k")
        client.get("/api/2.2/jobs/get?job_id=1")
    text = (home / "requests.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["method"], line["path"], line["status"], line["error_code"]) for line in lines] == [
        ("POST", "/api/2.0/secrets/scopes/create", 200, None),
        ("POST", "/api/2.0/secrets/put", 200, None),
        ("POST", "/api/2.0/secrets/put", 400, "MALFORMED_REQUEST"),
        ("GET", "/api/2.0/secrets/get?scope=s&key=k", 200, None),
        ("GET", "/api/2.2/jobs/get?job_id=1", 400, "INVALID_PARAMETER_VALUE"),
    ]
    assert {tuple(line) for line in lines} == {("time", "method", "path", "status", "error_code")}
    for secret in ("the-value", server.token):
        assert secret not in text + (home / "server.log").read_text()
