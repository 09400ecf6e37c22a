"""From FiftyOne to the job and back, by what was registered: refreshes, operations, and each link that can break."""

import shlex
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient

from tests.emulator.emulator_harness import APPLICATION_ID, Runner, Server, run, started

ENTRYPOINT = "import shlex, subprocess, sys\nsys.exit(subprocess.run(shlex.split(sys.argv[2])).returncode)\n"
COMMAND = ["--command", "{{job.parameters.command}}"]


class Chain:
    """A job with one plugin, the service principal that may run it, and the orchestrator that names both."""

    def __init__(self, fom: Any, runner: Runner, server: Server) -> None:
        self.fom, self.runner, self.server, self.id = fom, runner, server, runner.name
        plugins = runner.upload("plugins/hello/fiftyone.yml", "name: '@me/hello'\noperators: [one, two]\n")
        self.env = {
            "API_URL": f"{server.address}/fiftyone",
            "FIFTYONE_INTERNAL_SERVICE": "1",
            "FIFTYONE_PLUGINS_DIR": plugins.removesuffix("/hello/fiftyone.yml"),
        }
        self.tasks = [runner.task(key, ENTRYPOINT, *COMMAND) for key in ("execute", "register")]
        self.more: dict[str, Any] = {"env": self.env, "parameters": [{"name": "command", "default": "none"}]}
        self.job_id = runner.job(*self.tasks, **self.more)
        self.secret = server.credential("service-principal-secret")

    def grant(self, level: str = "CAN_MANAGE_RUN") -> None:
        entry = {"service_principal_name": APPLICATION_ID, "permission_level": level}
        body = {"access_control_list": [entry]}
        self.runner.http.patch(f"/api/2.0/permissions/jobs/{self.job_id}", json=body).raise_for_status()

    def register(self, **changed: str) -> None:
        values = {"jobId": str(self.job_id), "executionTaskId": "execute", "registrationTaskId": "register"}
        secrets = {"host": self.server.address, "accountId": "account", "clientId": APPLICATION_ID}
        secrets["clientSecret"] = self.secret
        values |= {key: value for key, value in changed.items() if key in values}
        secrets |= {key: value for key, value in changed.items() if key in secrets}
        values = {key: value for key, value in values.items() if value}
        self.fom.register_orchestrator(self.id, "", "databricks", {"databricks": values}, {"databricks": secrets})

    def post(self, verb: str, **body: str) -> httpx.Response:
        headers = {"X-API-Key": self.server.credential("fiftyone-api-key")}
        url = f"{self.server.address}/fiftyone/orchestrators/{self.id}/{verb}"
        return httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)

    def operators(self) -> list[str]:
        return self.fom.get_orchestrator(self.id).available_operators


@pytest.fixture
def chain(fom: Any, runner: Runner, server: Server) -> Chain:
    return Chain(fom, runner, server)


@pytest.mark.parametrize("task", ["register", "execute"])
def test_a_refresh_runs_one_task_as_the_service_principal_and_operators_are_known_afterwards(
    chain: Chain, task: str
) -> None:
    chain.grant()
    chain.register(registrationTaskId="register" if task == "register" else "")
    before = chain.fom.get_orchestrator(chain.id)
    started = chain.post("refresh").json()
    ended = chain.runner.ended(started["run_id"])
    assert ended["state"]["result_state"] == "SUCCESS", chain.runner.output(started["run_id"], task)
    assert started["run_page_url"] == ended["run_page_url"]
    assert [each["task_key"] for each in ended["tasks"]] == [task]
    assert (ended["creator_user_name"], ended["job_id"]) == (APPLICATION_ID, chain.job_id)
    command = f"fiftyone stand-in report-operators {chain.id}"
    assert [each["value"] for each in ended["job_parameters"]] == [command]
    after = chain.fom.get_orchestrator(chain.id)
    assert after.available_operators == ["@me/hello/one", "@me/hello/two"]
    assert before.created_at == after.created_at
    assert before.updated_at < after.updated_at


def test_running_the_same_command_again_directly_in_databricks_refreshes(chain: Chain, w: WorkspaceClient) -> None:
    chain.grant()
    chain.register()
    first = chain.runner.ended(chain.post("refresh").json()["run_id"])
    chain.runner.upload("plugins/more/fiftyone.yml", "name: more\noperators: [three]\n")
    parameters = {each["name"]: each["value"] for each in first["job_parameters"]}
    again = w.jobs.run_now(chain.job_id, job_parameters=parameters, only=["register"]).run_id
    assert chain.runner.ended(again)["state"]["result_state"] == "SUCCESS"
    assert chain.operators() == ["@me/hello/one", "@me/hello/two", "more/three"]


def test_an_operation_runs_where_its_operator_is_and_fails_where_it_is_not(chain: Chain) -> None:
    chain.grant()
    chain.register()
    for operator, result in (("@me/hello/one", "SUCCESS"), ("@me/hello/three", "FAILED")):
        ended = chain.runner.ended(chain.post("delegate", operator=operator).json()["run_id"])
        assert ended["state"]["result_state"] == result
        assert [each["task_key"] for each in ended["tasks"]] == ["execute"]
        assert operator in chain.runner.output(ended["run_id"], "execute")["logs"]


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (lambda _: {"host": closed_port()}, "the host in secret HOST_ID cannot be reached"),
        (lambda _: {"host": "no url://"}, "the host in secret HOST_ID"),
        (
            lambda chain: {"host": f"{chain.server.address}/fiftyone"},
            "the host in secret HOST_ID does not answer as a Databricks workspace",
        ),
        (lambda _: {"clientSecret": "not-the-secret"}, "invalid_client"),
        (lambda _: {"clientId": "00000000-another"}, "invalid_client"),
        (lambda _: {"registrationTaskId": "regster"}, "Task key regster does not exist in the job"),
        (lambda _: {"jobId": "1"}, "Job 1 does not exist"),
        (lambda _: {"jobId": "x1"}, "invalid literal for int"),
    ],
)
def test_what_breaks_the_chain_is_told_without_a_value(
    chain: Chain, changed: Callable[[Chain], dict[str, str]], text: str
) -> None:
    chain.grant()
    values = changed(chain)
    chain.register(**values)
    answer = chain.post("refresh")
    assert (answer.status_code, answer.json()["error_code"]) == (502, "ORCHESTRATOR_FAILED")
    message: str = answer.json()["message"]
    assert text.replace("_ID", "_" + chain.id.replace("-", "_").upper()) in message
    for value in (chain.secret, "not-the-secret", "00000000-another", APPLICATION_ID):
        assert value not in message
    assert chain.operators() == []
    assert list(chain.runner.w.jobs.list_runs(job_id=chain.job_id)) == []


@pytest.mark.parametrize("level", [None, "CAN_VIEW"])
def test_a_missing_permission_is_told(chain: Chain, level: str | None) -> None:
    if level:
        chain.grant(level)
    chain.register()
    answer = chain.post("refresh")
    assert answer.status_code == 502
    name = chain.fom.get_orchestrator(chain.id).secrets["client_id"]
    text = f"User [{name}] does not have Manage Run or Owner or Manage permissions on job {chain.job_id}"
    assert text in answer.json()["message"]
    assert not any(value in answer.text for value in (chain.secret, APPLICATION_ID))


def test_fiftyone_uses_its_own_secrets_as_they_are_now(chain: Chain) -> None:
    chain.grant()
    chain.register(clientSecret="not-the-secret")
    name = chain.fom.get_orchestrator(chain.id).secrets["client_secret"]
    assert chain.post("refresh").status_code == 502
    chain.fom.update_secret(name, value=chain.secret)
    chain.runner.ended(chain.post("refresh").json()["run_id"])
    assert len(chain.operators()) == 2
    chain.fom.delete_secret(name)
    answer = chain.post("refresh")
    assert (answer.status_code, f"FiftyOne has no secret {name}" in answer.text) == (502, True)


def test_an_orchestrator_that_is_not_there_is_not_refreshed(chain: Chain) -> None:
    answer = chain.post("refresh")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "ValueError")


def test_only_an_admin_refreshes_and_a_member_delegates(chain: Chain, choose: Callable[..., None]) -> None:
    chain.grant()
    chain.register()
    choose(role="Member")
    assert chain.post("refresh").status_code == 403
    run_id = chain.post("delegate", operator="@me/hello/one").json()["run_id"]
    assert chain.runner.ended(run_id)["state"]["result_state"] == "SUCCESS"


@pytest.mark.parametrize(
    ("env", "instance_id", "text"),
    [
        ({}, "no-such-orchestrator", "no-such-orchestrator does not exist"),
        ({"API_URL": "''"}, None, "cannot be reached at API_URL=''"),
        ({"API_URL": "http://127.0.0.1:1"}, None, "cannot be reached at API_URL='http://127.0.0.1:1'"),
        ({"FIFTYONE_INTERNAL_SERVICE": "''"}, None, "FIFTYONE_INTERNAL_SERVICE"),
    ],
)
def test_a_report_that_does_not_arrive_fails_its_run(
    chain: Chain, env: dict[str, str], instance_id: str | None, text: str
) -> None:
    chain.register()
    chain.runner.reset(chain.job_id, *chain.tasks, **{**chain.more, "env": {**chain.env, **env}})
    parameters = {"command": f"fiftyone stand-in report-operators {instance_id or chain.id}"}
    run_id = chain.runner.start(chain.job_id, only=["register"], job_parameters=parameters)
    assert chain.runner.ended(run_id)["state"]["result_state"] == "FAILED"
    assert text in chain.runner.output(run_id, "register")["logs"]
    assert chain.operators() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain", "FiftyOne-Internal-Service": "1"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded", "FiftyOne-Internal-Service": "1"}, 415),
        ({"Content-Type": "application/json"}, 403),
        ({"Content-Type": "application/json", "FiftyOne-Internal-Service": "1", "Host": "evil.example"}, 403),
    ],
)
def test_no_web_page_can_report_operators(chain: Chain, headers: dict[str, str], status: int) -> None:
    chain.register()
    url = f"{chain.server.address}/fiftyone/orchestrators/{chain.id}/operators"
    assert httpx.post(url, content=b'{"operators": ["evil"]}', headers=headers).status_code == status
    assert chain.operators() == []


def test_the_command_line_refreshes_and_delegates_and_waits_for_the_run(chain: Chain, server: Server) -> None:
    chain.grant()
    chain.register()
    done = run("refresh", chain.id, "--home", server.home)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert f"#job/{chain.job_id}/run/" in lines[0]
    assert f"reported 2 operators of {chain.id}: @me/hello/one @me/hello/two" in lines
    assert lines[-2:] == ["SUCCESS", "available operators: @me/hello/one @me/hello/two"]
    assert run("delegate", chain.id, "@me/hello/two", "--home", server.home).returncode == 0
    failed = run("delegate", chain.id, "@me/none/none", "--home", server.home)
    assert failed.returncode == 1
    assert "@me/none/none is not among those of the plugins here" in failed.stdout
    assert "FAILED Task execute failed" in failed.stdout


def test_the_command_line_says_what_is_in_the_way(chain: Chain, server: Server) -> None:
    absent = run("refresh", "none", "--home", server.home)
    assert (absent.returncode, absent.stderr) == (1, "Orchestrator none does not exist\n")
    chain.register()
    refused = run("refresh", chain.id, "--home", server.home)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"permissions on job {chain.job_id}" in refused.stderr
    stopped = run("refresh", chain.id, "--home", server.home / "none")
    assert (stopped.returncode, "No server runs in" in stopped.stderr) == (1, True)


def test_an_awkward_name_goes_through_the_whole_chain(chain: Chain, server: Server) -> None:
    chain.id = f"{chain.id} $(id) 'q\" é"
    chain.grant()
    chain.register()
    done = run("refresh", chain.id, "--home", server.home)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert chain.operators() == ["@me/hello/one", "@me/hello/two"]
    assert shlex.quote(chain.id) != chain.id


def test_a_refresh_is_logged_and_no_secret_is_written_down(chain: Chain, server: Server) -> None:
    chain.grant()
    chain.register()
    (server.home / "requests.jsonl").write_text("")
    run_id = chain.post("refresh").json()["run_id"]
    chain.runner.ended(run_id)
    log = (server.home / "requests.jsonl").read_text()
    for path in ("refresh", "operators"):
        assert f'"path": "/fiftyone/orchestrators/{chain.id}/{path}", "status": 200' in log
    for path in ("/oidc/v1/token", "/api/2.2/jobs/run-now"):
        assert path in log
    written = log + (server.home / "server.log").read_text() + chain.runner.output(run_id, "register")["logs"]
    for secret in (chain.secret, server.token, server.credential("fiftyone-api-key")):
        assert secret not in written


def test_nothing_of_the_servers_environment_reaches_what_fiftyone_starts(
    home: Path, fom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "DATABRICKS_DISCOVERY_URL"):
        monkeypatch.setenv(variable, closed_port())
    server = started(home, "--port", "0")
    monkeypatch.undo()
    monkeypatch.setenv("FIFTYONE_API_URI", f"{server.address}/fiftyone")
    monkeypatch.setenv("FIFTYONE_API_KEY", server.credential("fiftyone-api-key"))
    fom.reload_api_connection()
    with server.http() as http:
        chain = Chain(fom, Runner(server.sdk(), http, "orc"), server)
        chain.grant()
        chain.register()
        chain.runner.ended(chain.post("refresh").json()["run_id"])
        assert len(chain.operators()) == 2
