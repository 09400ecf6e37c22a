"""The console's answers, to whom they are given, and to whom not. What it looks like is tested in a browser."""

from typing import Any

import httpx
import pytest
from databricks.sdk import WorkspaceClient

from tests.emulator.emulator_harness import Runner, Server


@pytest.fixture
def visitor(server: Server) -> httpx.Client:
    """Without a credential, as a browser is."""
    return httpx.Client(base_url=server.address, trust_env=False)


def started(runner: Runner, *tasks: dict[str, Any], **more: Any) -> int:
    run_id = runner.start(runner.job(*tasks, **more))
    runner.ended(run_id)
    return run_id


def test_the_page_may_load_from_and_ask_its_own_server_only_and_nobody_may_frame_it(visitor: httpx.Client) -> None:
    for path in ("/", "/?o=1", "/console/console.js", "/console/console.css"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
        assert rules.pop("require-trusted-types-for") == "'script'"
        assert rules.pop("img-src") == "data:"
        assert set(rules.values()) == {"'none'", "'self'"}
        assert (rules["default-src"], rules["frame-ancestors"]) == ("'none'", "'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert visitor.get("/console/console.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["token", "..%2Fserver.py", "%2e%2e%2f%2e%2e%2fPulumi.yaml", "index.html/"])
def test_no_other_file_is_served(visitor: httpx.Client, name: str) -> None:
    assert visitor.get(f"/console/{name}").status_code in (401, 404)


@pytest.mark.parametrize("verb", ["refresh", "delegate"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.invalid"},
        # Another server of this machine.
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://{host}"},
        {"origin": "http://evil.invalid", "host": "evil.invalid"},
    ],
)
def test_only_the_page_itself_may_start_a_run(
    visitor: httpx.Client, server: Server, verb: str, headers: dict[str, str]
) -> None:
    given = {name: value.format(host=visitor.base_url.netloc.decode()) for name, value in headers.items()}
    answer = visitor.post(f"/console/orchestrators/none/{verb}", headers=given, json={"operator": "x"})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    # The same, asked by the page, gets to where the orchestrator is looked for.
    answer = visitor.post(
        f"/console/orchestrators/none/{verb}", headers={"origin": server.address}, json={"operator": "x"}
    )
    assert answer.json() == {"error_code": "ValueError", "message": "Orchestrator none does not exist"}


@pytest.mark.parametrize("path", ["/", "/console/data/view", "/console/data/runs/1"])
def test_a_name_that_was_rebound_to_loopback_is_refused(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path, headers={"host": "rebound.invalid"}).status_code == 403


def test_no_other_origin_may_read_what_the_page_reads(visitor: httpx.Client) -> None:
    answer = visitor.get("/console/data/view", headers={"origin": "http://evil.invalid"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_rest_of_the_api_still_asks_for_a_credential(visitor: httpx.Client, server: Server, method: str) -> None:
    for path in ("/api/2.2/jobs/run-now", "/fiftyone/orchestrators/none/refresh", "/console/data/view"):
        assert visitor.request(method, path, headers={"origin": server.address}, json={}).status_code == 401


def test_a_view_has_the_names_of_secrets_and_no_value_or_variable(
    visitor: httpx.Client, runner: Runner, w: WorkspaceClient, name: str
) -> None:
    w.secrets.create_scope(name)
    assert visitor.get("/console/data/view").json()["scopes"][name] == []
    w.secrets.put_secret(name, "key", string_value="hidden-value")
    env = {"FROM_SCOPE": f"{{{{secrets/{name}/key}}}}", "PLAIN": "hidden-variable"}
    run_id = started(runner, runner.task("main", "import os; print(os.environ['FROM_SCOPE'])"), env=env)
    view = visitor.get("/console/data/view")
    assert view.json()["scopes"][name] == ["key"]
    run = visitor.get(f"/console/data/runs/{run_id}")
    assert run.json()["logs"][0]["text"] == "[REDACTED]\n"
    for answer in (view, run):
        assert "hidden-" not in answer.text


def test_a_log_is_told_from_where_the_page_has_it_and_by_the_run_of_a_task_too(
    visitor: httpx.Client, runner: Runner
) -> None:
    run_id = started(runner, runner.task("main", "print('grüße', 'zwei')"))
    path = f"/console/data/runs/{run_id}"
    (whole,) = visitor.get(path).json()["logs"]
    assert (whole["begin"], whole["text"], whole["end"]) == (0, "grüße zwei\n", 11)
    for asked in (path, f"/console/data/runs/{whole['id']}"):
        (rest,) = visitor.get(asked, params={whole["id"]: 6}).json()["logs"]
        assert (rest["begin"], rest["text"], rest["end"]) == (6, "zwei\n", 11)
    assert visitor.get(path, params={whole["id"]: "x"}).status_code == 400
    assert visitor.get("/console/data/runs/1").json()["message"] == "Run 1 does not exist."


def test_the_end_of_a_long_log_is_told_as_a_whole(visitor: httpx.Client, runner: Runner) -> None:
    run_id = started(runner, runner.task("main", "print('x' * 6_000_000)"))
    (log,) = visitor.get(f"/console/data/runs/{run_id}").json()["logs"]
    (again,) = visitor.get(f"/console/data/runs/{run_id}", params={log["id"]: log["end"]}).json()["logs"]
    assert again["begin"] == 0
    assert again["text"] == log["text"]
    assert len(log["text"]) == 5 * 1024 * 1024


def test_what_the_page_looks_at_is_not_in_the_request_log_and_what_it_starts_is(
    visitor: httpx.Client, server: Server
) -> None:
    log = server.home / "requests.jsonl"
    before = log.read_text()
    visitor.get("/console/data/view")
    assert log.read_text() == before
    visitor.post("/console/orchestrators/none/refresh", headers={"origin": server.address}, json={})
    assert log.read_text().count("/console/") == before.count("/console/") + 1
