"""The stand-in of FiftyOne's management SDK: what its reference documents, and both answers to what it leaves open."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulator.emulator_harness import ROOT, Server, run, started

CONFIG = {"jobId": "1", "executionTaskId": "execute", "registrationTaskId": "register"}
VALUES = {"host": "the-host", "accountId": "the-account", "clientId": "the-client", "clientSecret": "the-secret"}
Choose = Callable[..., None]


@pytest.fixture
def key(name: str) -> str:
    """Of a secret, which no other test uses."""
    return name.replace("-", "_").upper()


def registered(fom: Any, name: str, **more: Any) -> Any:
    given = {"description": "text", "environment": fom.OrchestratorEnvironment.DATABRICKS}
    documents = {"config": {"databricks": CONFIG}, "secrets": {"databricks": VALUES}}
    return fom.register_orchestrator(name, **{**given, **documents, **more})


def names(name: str) -> dict[str, str]:
    end = name.replace("-", "_").upper()
    return {field: f"{field.upper()}_{end}" for field in ("host", "account_id", "client_id", "client_secret")}


# -- the documented surface


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        ("register_orchestrator", "instance_id, description, environment, config, secrets"),
        ("get_orchestrator", "instance_id, user=None"),
        ("list_orchestrators", "include_deactivated=False"),
        ("delete_orchestrator", "instance_id"),
        ("add_secret", "key, value, description=None"),
        ("get_secret_info", "key"),
        ("list_secrets", ""),
        ("update_secret", "key, value=None, description=None"),
        ("delete_secret", "key"),
        ("test_api_connection", ""),
        ("reload_api_connection", ""),
    ],
)
def test_each_function_has_its_documented_arguments(fom: Any, function: str, signature: str) -> None:
    parameters = inspect.signature(getattr(fom, function)).parameters.values()
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    assert ", ".join(str(each).replace(" = ", "=") for each in bare) == signature


def test_the_environments_are_strings_and_an_enum(fom: Any) -> None:
    assert {each.name: each.value for each in fom.OrchestratorEnvironment} == {
        each.upper(): each for each in ("databricks", "anyscale", "kubernetes", "self_registered")
    }
    assert fom.OrchestratorEnvironment.DATABRICKS == "databricks"


def test_values_become_secrets_named_after_the_orchestrator(fom: Any, name: str) -> None:
    before = datetime.now(UTC)
    made = registered(fom, name)
    assert made == fom.get_orchestrator(name, user="somebody")
    assert (made.instance_identifier, made.description, made.environment) == (name, "text", "databricks")
    assert made.config == {"databricks": CONFIG}
    assert made.secrets == names(name)
    assert made.available_operators == []
    assert before <= made.created_at <= made.updated_at
    assert name in fom.list_orchestrators(include_deactivated=True)
    assert set(names(name).values()) <= set(fom.list_secrets())
    assert "the-secret" not in str(fom.get_secret_info(made.secrets["client_secret"]))


def test_a_string_that_names_a_secret_refers_to_it(fom: Any, name: str, key: str) -> None:
    fom.add_secret(key, "the-host", "mine")
    made = registered(fom, name, secrets={fom.OrchestratorEnvironment.DATABRICKS: {**VALUES, "host": key}})
    assert made.secrets == {**names(name), "host": key}
    assert fom.get_secret_info(names(name)["host"]) is None
    assert fom.get_secret_info(key).description == "mine"


def test_keys_may_be_the_enum_or_its_string(fom: Any, name: str) -> None:
    made = registered(fom, name, environment="databricks", config={fom.OrchestratorEnvironment.DATABRICKS: CONFIG})
    assert made.config == {"databricks": CONFIG}


def test_the_registration_task_may_be_left_out(fom: Any, name: str) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "registrationTaskId"}
    assert registered(fom, name, config={"databricks": config}).config == {"databricks": config}


@pytest.mark.parametrize(
    "wrong",
    [
        {"config": {"databricks": {"jobId": "1"}}},
        {"config": {"databricks": {"executionTaskId": "a"}}},
        {"config": {"databricks": {**CONFIG, "jobId": 1}}},
        {"config": {"databricks": {**CONFIG, "other": "1"}}},
        {"config": {"anyscale": CONFIG}},
        {"config": {"databricks": CONFIG, "anyscale": CONFIG}},
        {"config": {}},
        {"secrets": {"databricks": {"host": "the-host"}}},
        {"secrets": {"anyscale": VALUES}},
        {"secrets": {"databricks": {**VALUES, "clientSecret": ""}}},
        {"environment": "kubernetes"},
    ],
)
def test_what_registration_refuses_leaves_nothing(fom: Any, name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"config|secrets|environment") as refused:
        registered(fom, name, **wrong)
    assert "the-" not in str(refused.value).replace("the environment", "")
    assert name not in fom.list_orchestrators()
    assert not set(names(name).values()) & set(fom.list_secrets())


def test_an_orchestrator_that_is_not_there(fom: Any, name: str) -> None:
    for function in (fom.get_orchestrator, fom.delete_orchestrator):
        with pytest.raises(ValueError, match=f"{name} does not exist"):
            function(name)


def test_secrets_are_added_described_changed_and_deleted(fom: Any, key: str) -> None:
    assert fom.get_secret_info(key) is None
    fom.add_secret(key, "the-value")
    made = fom.get_secret_info(key)
    assert (made.key, made.description, made.created_at.tzinfo) == (key, None, UTC)
    fom.update_secret(key, description="text")
    fom.update_secret(key, value="other")
    assert fom.get_secret_info(key).description == "text"
    fom.delete_secret(key)
    assert fom.get_secret_info(key) is None


@pytest.mark.parametrize("wrong", ["lower", "1A", "A-B", "", "A B"])
def test_keys_of_secrets_are_upper_snake_case(fom: Any, wrong: str) -> None:
    with pytest.raises(ValueError, match="UPPER_SNAKE_CASE"):
        fom.add_secret(wrong, "the-value")


def test_the_connection_is_tested_and_kept_until_it_is_reloaded(
    fom: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fom.test_api_connection()
    assert "succeeded" in capsys.readouterr().out
    monkeypatch.setenv("FIFTYONE_API_KEY", "wrong")
    fom.test_api_connection()
    fom.reload_api_connection()
    with pytest.raises(fom.ManagementError) as refused:
        fom.test_api_connection()
    assert refused.value.status_code == 401
    monkeypatch.delenv("FIFTYONE_API_KEY")
    fom.reload_api_connection()
    with pytest.raises(ConnectionError, match="FIFTYONE_API_KEY"):
        fom.test_api_connection()


def test_what_is_not_the_api_is_told_as_what_it_is(fom: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIFTYONE_API_URI", server.address)
    fom.reload_api_connection()
    with pytest.raises(fom.ManagementError) as refused:
        fom.list_secrets()
    assert refused.value.status_code in (401, 404)
    monkeypatch.setenv("FIFTYONE_API_URI", "http://127.0.0.1:1")
    fom.reload_api_connection()
    with pytest.raises(httpx.ConnectError):
        fom.list_secrets()


def test_several_threads_use_one_connection(fom: Any, key: str) -> None:
    fom.reload_api_connection()
    keys = [f"{key}_{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: fom.add_secret(each, "the-value"), keys))
    assert set(keys) <= set(fom.list_secrets())


@pytest.mark.parametrize("how", ["variable", "named file", "home file", "nothing"])
def test_a_direct_database_connection_is_refused_at_import(tmp_path: Path, how: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    uri = "mongodb://user:the-value@host"
    if how == "variable":
        environment["FIFTYONE_DATABASE_URI"] = uri
    if how == "named file":
        environment["FIFTYONE_CONFIG_PATH"] = str(tmp_path / "named.json")
    (tmp_path / ".fiftyone").mkdir()
    file = tmp_path / ("named.json" if how == "named file" else ".fiftyone/config.json")
    file.write_text(f'{{"database_uri": "{uri}"}}' if "file" in how else '{"timezone": "local"}')
    code = [sys.executable, "-c", "import emulator.fiftyone_management"]
    done = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == (0 if how == "nothing" else 1)
    assert ("ConnectionError: A direct database connection" in done.stderr) is (how != "nothing")
    assert "the-value" not in done.stderr


# -- who may


def test_a_member_reads_and_registers_and_changes_no_secret(fom: Any, choose: Choose, key: str, name: str) -> None:
    fom.add_secret(key, "the-value")
    choose(role="Member")
    calls: list[Callable[[], Any]] = [
        lambda: fom.add_secret(f"{key}_2", "the-value"),
        lambda: fom.update_secret(key, value="other"),
        lambda: fom.delete_secret(key),
    ]
    for call in calls:
        with pytest.raises(fom.ManagementError, match=r"admins.*Member") as refused:
            call()
        assert refused.value.status_code == 403
    assert key in fom.list_secrets()
    assert fom.get_secret_info(key).key == key
    registered(fom, name)


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer TOKEN"}])
def test_no_call_without_the_key(server: Server, headers: dict[str, str]) -> None:
    headers = {name: value.replace("TOKEN", server.token) for name, value in headers.items()}
    for path in ("management/list_secrets", "orchestrators/any/refresh", "orchestrators/any/delegate"):
        answer = httpx.post(f"{server.address}/fiftyone/{path}", json={}, headers=headers)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")


def test_the_key_opens_nothing_of_the_workspace(server: Server) -> None:
    with server.http(server.credential("fiftyone-api-key")) as client:
        assert client.get("/api/2.0/secrets/scopes/list").status_code == 403


# -- what is not documented, both ways


def test_config_reads_back_as_chosen(fom: Any, choose: Choose, name: str) -> None:
    registered(fom, name)
    snake = {"job_id": "1", "execution_task_id": "execute", "registration_task_id": "register"}
    for shape, case, expected in (
        ("nested", "camel", {"databricks": CONFIG}),
        ("nested", "snake", {"databricks": snake}),
        ("flat", "camel", CONFIG),
        ("flat", "snake", snake),
    ):
        choose(config_shape=shape, config_case=case)
        assert fom.get_orchestrator(name).config == expected


def test_the_environment_is_a_string_or_the_enum(fom: Any, choose: Choose, name: str) -> None:
    assert type(registered(fom, name).environment) is str
    choose(environment="enum")
    assert fom.get_orchestrator(name).environment is fom.OrchestratorEnvironment.DATABRICKS


def test_operators_are_none_or_empty_before_a_refresh(fom: Any, choose: Choose, name: str) -> None:
    assert registered(fom, name).available_operators == []
    choose(operators_before_refresh="none")
    assert fom.get_orchestrator(name).available_operators is None


def test_secrets_are_listed_by_name_or_as_documents(fom: Any, choose: Choose, key: str) -> None:
    fom.add_secret(key, "the-value", "text")
    assert key in fom.list_secrets()
    choose(list_secrets="documents")
    assert fom.get_secret_info(key) in fom.list_secrets()
    assert "the-value" not in str(fom.list_secrets())


def test_deleting_an_orchestrator_keeps_its_secrets_or_deletes_them(fom: Any, choose: Choose, name: str) -> None:
    registered(fom, name)
    fom.delete_orchestrator(name)
    assert set(names(name).values()) <= set(fom.list_secrets())
    registered(fom, name, secrets={"databricks": dict(zip(VALUES, names(name).values(), strict=True))})
    choose(delete_orchestrator="deletes_secrets")
    fom.delete_orchestrator(name)
    assert not set(names(name).values()) & set(fom.list_secrets())
    assert name not in fom.list_orchestrators()


def test_registering_an_id_again_is_refused_or_replaces(fom: Any, choose: Choose, name: str) -> None:
    refers = dict(zip(VALUES, names(name).values(), strict=True))
    registered(fom, name)
    with pytest.raises(ValueError, match=f"{name} already exists"):
        registered(fom, name, description="new", secrets={"databricks": refers})
    assert fom.get_orchestrator(name).description == "text"
    choose(register_existing="replaces")
    assert registered(fom, name, description="new", secrets={"databricks": refers}).description == "new"


def test_adding_a_secret_again_is_refused_or_overwrites(fom: Any, choose: Choose, key: str) -> None:
    fom.add_secret(key, "the-value", "old")
    with pytest.raises(ValueError, match=f"{key} already exists") as refused:
        fom.add_secret(key, "other-value")
    assert "other-value" not in str(refused.value)
    choose(add_existing_secret="overwrites")
    fom.add_secret(key, "other-value", "new")
    assert fom.get_secret_info(key).description == "new"


@pytest.mark.parametrize(("choice", "exception"), [("ValueError", ValueError), ("RuntimeError", RuntimeError)])
def test_refusals_of_secrets_are_of_the_chosen_class(
    fom: Any, choose: Choose, key: str, choice: str, exception: type[Exception]
) -> None:
    choose(secret_refusal=choice)
    for call in (lambda: fom.update_secret(key, value="v"), lambda: fom.delete_secret(key)):
        with pytest.raises(exception, match=f"{key} does not exist"):
            call()
    with pytest.raises(exception):
        fom.add_secret("lower", "v")


def test_an_empty_description_clears_or_is_ignored(fom: Any, choose: Choose, key: str) -> None:
    fom.add_secret(key, "the-value", "text")
    choose(empty_description="ignored")
    fom.update_secret(key, description="")
    assert fom.get_secret_info(key).description == "text"
    choose(empty_description="clears")
    fom.update_secret(key, description="")
    assert fom.get_secret_info(key).description is None


def test_a_choice_that_there_is_not_is_named(fom: Any, choose: Choose) -> None:
    choose(roles="Admin")
    with pytest.raises(fom.ManagementError, match=r"fiftyone\.json.*roles"):
        fom.list_secrets()


# -- the home


def test_stop_counts_what_fiftyone_holds_and_no_value_is_written_beside_the_database(
    home: Path, fom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = started(home, "--port", "0")
    monkeypatch.setenv("FIFTYONE_API_URI", f"{server.address}/fiftyone")
    monkeypatch.setenv("FIFTYONE_API_KEY", server.credential("fiftyone-api-key"))
    fom.reload_api_connection()
    registered(fom, "orc")
    fom.update_secret("HOST_ORC", value="the-other")
    with pytest.raises(ValueError, match="already exists"):
        fom.add_secret("HOST_ORC", "the-third")
    names = "ACCOUNT_ID_ORC, CLIENT_ID_ORC, CLIENT_SECRET_ORC, HOST_ORC"
    held = f"held 4 FiftyOne secrets ({names}); 1 FiftyOne orchestrator (orc)\n"
    assert run("stop", "--home", home).stdout == f"stopped; {held}"
    log = (home / "requests.jsonl").read_text()
    assert log.count('"/fiftyone/management/') == 3
    assert '"error_code": "ValueError"' in log
    for text in (log, (home / "server.log").read_text()):
        assert "the-" not in text
        assert server.credential("fiftyone-api-key") not in text
