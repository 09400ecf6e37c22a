"""CI's workflows give away nothing: actions are pinned by digest, rights are the least, forks see no secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml"))


def read(file: Path) -> dict[Any, Any]:
    # YAML takes the key `on` for true.
    return yaml.safe_load(file.read_text())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_of_others_are_pinned_by_digest_and_name_their_version(file: Path) -> None:
    for line in file.read_text().splitlines():
        found = re.search(r"uses: (\S+)", line)
        if found and not found[1].startswith("./"):
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_reads_the_repository_and_no_more(file: Path) -> None:
    workflow = read(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow[True]


def test_only_the_job_that_runs_nothing_of_the_pull_request_may_write_a_comment() -> None:
    jobs = read(WORKFLOWS[0].with_name("pull-request.yml"))["jobs"]
    writing = [name for name, job in jobs.items() if "permissions" in job]
    assert writing == ["comment"]
    assert not any("checkout" in step.get("uses", "") for step in jobs["comment"]["steps"])


def test_jobs_with_secrets_are_not_for_forks() -> None:
    file = WORKFLOWS[0].with_name("pull-request.yml")
    for name, job in read(file)["jobs"].items():
        if "secrets." in str(job) or "environment" in job:
            assert "head.repo.full_name == github.repository" in job["if"], name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_shell_line_is_written_by_whoever_opens_a_pull_request(file: Path) -> None:
    for job in read(file)["jobs"].values():
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", "")


def test_a_scheduled_rotation_deploys_nothing_else_and_no_due_one_is_taken_for_drift() -> None:
    folder = WORKFLOWS[0].parent
    for job in read(folder / "rotate.yml")["jobs"].values():
        assert job["with"]["rotation-only"] is True
        assert job["with"]["environment"] == f"{job['with']['stack']}-rotation"
    steps = {step.get("run"): step.get("if") for step in read(folder / "up.yml")["jobs"]["up"]["steps"]}
    assert steps['make rotate-due STACK="$STACK"'] == "inputs.rotation-only"
    assert steps['make up STACK="$STACK" ARGS="--yes --color never"'] == "${{ !inputs.rotation-only }}"
    assert read(folder / "drift.yml")["jobs"]["drift"]["env"]["ROTATE_CREDENTIAL"] == "never"
