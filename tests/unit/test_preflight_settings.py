"""What is wrong with settings and limits is a result each, what cannot be read is said, and the list's end counts."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from preflight import limits_check
from preflight.configuration import Configuration, from_backend, from_file
from preflight.limits_check import check_limits
from preflight.result import Outcome, Result, exit_code, likely, not_checked, right, summary, wrong, yourself
from preflight.settings_checks import check_settings
from tests.unit.settings_cases import ENVIRON, configuration

FILE = """\
config:
  databricks:authType: pat
  fiftyone:apiUri: https://fiftyone.example.com/api
  fiftyone:version: 2.13.1
  fiftyone:mongodbAtlas: false
  fiftyone:apiKey:
    secure: v1:abc
  fiftyone:pypiUrl: {secure: v1:abc}
  servicePrincipal:
    clientId: 5ad0c0de-0000-4000-8000-000000000001
  orchestrators:
    gpu:
      nodeType: g2-standard-8
      workers: 2
"""


def written(folder: Path, text: str) -> Configuration:
    file = folder / "Pulumi.dev.yaml"
    file.write_text(text)
    return from_file(file)


def plain(**changes: str) -> Configuration:
    return Configuration(values=configuration(**changes), source="a test")


def of(results: list[Result], outcome: Outcome) -> list[Result]:
    return [result for result in results if result.outcome is outcome]


def test_a_stack_files_plain_values_are_what_the_engine_hands_a_program(tmp_path: Path) -> None:
    found = written(tmp_path, FILE)
    assert found.get("fiftyone:version") == "2.13.1"
    assert found.get("fiftyone:mongodbAtlas") == "false"
    assert json.loads(found.get("fiftyone-databricks:orchestrators") or "") == {
        "gpu": {"nodeType": "g2-standard-8", "workers": 2}
    }
    assert found.unread == {"fiftyone:apiKey", "fiftyone:pypiUrl"}


def test_valid_settings_with_all_their_secrets_are_right() -> None:
    settings, results = check_settings("dev", plain(), ENVIRON)
    assert settings is not None
    assert {result.outcome for result in results} == {Outcome.RIGHT}


def test_every_problem_of_settings_is_a_result_of_its_own_with_its_mend() -> None:
    orchestrators = {"gpu": {"nodeType": "g2-standard-8", "workers": -1, "idleMinutes": "x"}}
    settings, results = check_settings("dev", plain(orchestrators=orchestrators), ENVIRON)  # type: ignore[arg-type]
    assert settings is None
    found = of(results, Outcome.WRONG)
    assert {result.found.split()[0] for result in found} == {
        "orchestrators.gpu.workers",
        "orchestrators.gpu.idleMinutes",
    }
    assert all(result.mend for result in found)


@pytest.mark.parametrize("variable", ["FIFTYONE_PYPI_URL", "FIFTYONE_API_KEY", "SERVICE_PRINCIPAL_CLIENT_SECRET"])
def test_a_missing_secret_is_wrong_whether_workers_or_registering_need_it(variable: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != variable}
    settings, results = check_settings("dev", plain(), environ)
    (missing,) = of(results, Outcome.WRONG)
    assert "is required and missing" in missing.found
    assert variable in missing.mend
    assert settings is not None, "all else can still be checked"


def test_a_secret_that_is_encrypted_where_nothing_can_read_it_is_not_checked_and_not_missing(tmp_path: Path) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name not in ("FIFTYONE_API_KEY", "FIFTYONE_PYPI_URL")}
    settings, results = check_settings("dev", written(tmp_path, FILE), environ)
    assert settings is not None
    assert not of(results, Outcome.WRONG)
    (unread,) = of(results, Outcome.NOT_CHECKED)
    assert "fiftyone:apiKey, fiftyone:pypiUrl are encrypted" in unread.found


def test_no_result_shows_a_secret() -> None:
    config = {**configuration(), "fiftyone:databaseUri": "hidden-not-a-uri", "fiftyone:apiKey": "hidden-in-the-clear"}
    _, results = check_settings("dev", Configuration(values=config, source="a test"), ENVIRON)
    assert of(results, Outcome.WRONG)
    assert "hidden" not in "\n".join(line for result in results for line in result.lines)
    assert "hidden" not in repr(Configuration(values=config, source="a test"))


def test_a_backend_that_cannot_read_the_stack_is_wrong_and_the_file_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 255, "", "error: no stack named 'dev' found")

    (tmp_path / "Pulumi.dev.yaml").write_text(FILE)
    monkeypatch.setattr(subprocess, "run", fails)
    settings, results = check_settings("dev", from_backend("dev", {}, tmp_path), ENVIRON)
    assert settings is not None
    (unreadable,) = of(results, Outcome.WRONG)
    assert "no stack named 'dev' found" in unreadable.found
    assert "pulumi stack init dev" in unreadable.mend


def test_a_backends_answer_is_read_with_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {
        "fiftyone:apiKey": {"value": "k", "secret": True},
        "a:b": {"value": "{}", "objectValue": {}, "secret": False},
    }

    def answers(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, json.dumps(answer), "")

    monkeypatch.setattr(subprocess, "run", answers)
    found = from_backend("dev", {}, tmp_path)
    assert found.values == {"fiftyone:apiKey": "k", "a:b": "{}"}
    assert found.secret_keys == {"fiftyone:apiKey"}


@pytest.mark.parametrize("content", ["{", '{"pool-capacty": {}}', '{"pool-capacity": {"maxCapacity": "many"}}'])
def test_a_limits_file_with_which_the_pack_would_not_start_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    folder = tmp_path / "policies" / "limits"
    folder.mkdir(parents=True)
    (folder / "dev.json").write_text(content)
    read = limits_check.read_limits
    monkeypatch.setattr(limits_check, "read_limits", lambda stack, rules: read(stack, rules, folder))  # pyright: ignore
    (result,) = check_limits("dev")
    assert result.outcome is Outcome.WRONG
    assert "dev.json" in result.found


def test_valid_limits_and_defaults_are_right_and_the_rules_are_left_to_the_preview() -> None:
    for stack, said in (("prod", "pool-capacity.maxCapacity 10"), ("dev", "defaults hold")):
        limits, rules = check_limits(stack)
        assert limits.outcome is Outcome.RIGHT
        assert said in limits.found
        assert rules.outcome is Outcome.NOT_CHECKED
        assert f"make preview STACK={stack}" in rules.found


def test_only_what_is_wrong_makes_the_exit_code() -> None:
    harmless = [right("a", "b"), likely("a", "b", "c"), not_checked("a", "b"), yourself("a")]
    assert exit_code(harmless) == 0
    assert exit_code([*harmless, wrong("a", "b", "c")]) == 1


def test_a_person_reads_the_mark_the_reason_the_mend_and_a_count() -> None:
    results = [
        right("a", "fine"),
        wrong("b", "broken", "do this"),
        not_checked("c", "it is far"),
        yourself("d is there"),
    ]
    assert [line for result in results for line in result.lines] == [
        "✓ a: fine",
        "✗ b: broken",
        "    mend: do this",
        "– c: not checked because it is far",
        "– check yourself: d is there",
    ]
    assert summary(results) == "1 ✓, 1 ✗, 0 !, 1 not checked, 1 to check yourself"
