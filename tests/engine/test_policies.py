"""The policy pack on the real engine: what keeps the rules passes, and what breaks one stops at the first preview."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from rules.catalogue import RULES
from tests.engine.stack import Run, Stack
from tests.engine.workspace import REPO, Workspace
from toolchain.paths import POLICY_PACK

# One setting beyond each rule's limit, or what the usual tool lets through, and what the message says of it.
BEYOND: dict[str, Any] = {
    "fiftyone:mongodbAtlas": False,
    "servicePrincipal": {"create": True},
    "rotateAfterDays": 120,
    "orchestrators": {
        "gpu": {
            "nodeType": "g2-standard-96",
            "registrationNodeType": "g2-standard-8",
            "maxCapacity": 600,
            "minIdleInstances": 500,
            "workers": 9999,
            "maxConcurrentRuns": 4,
            "processPoolWorkers": 5,
            "env": {
                "MONGODB": "mongodb://fiftyone:hidden-password@db.invalid/",
                "UV_INDEX_URL": "https://hidden-token@pypi.invalid/simple/",
                "LICENCE": "{{secrets/fiftyone-test/LICENSE}}",
            },
        },
        "cpu": {"pool": "1123-075537-theirs", "registrationPool": "1123-075537-theirs"},
    },
}
BY_SETTINGS = {
    "pool-capacity": "maxCapacity of pool gpu-execution is 600, above the limit of 20",
    "pool-idle": "minIdleInstances of pool gpu-execution is 500, above the limit of 0",
    "pool-node-type": "pool gpu-execution is of node type g2-standard-96, which is not in pool-node-type.nodeTypes",
    "stack-capacity": "the stack's pools may hold 602 instances together",
    "existing-pool": "job cpu (execution), cpu (registration) is on pool 1123-075537-theirs, which this stack",
    "worker-count": "job gpu (execution): numWorkers is 9999, above the limit of 3",
    "process-pool": "FIFTYONE_MAX_PROCESS_POOL_WORKERS is 5, above the limit of 4",
    "concurrent-runs": "maxConcurrentRuns of job gpu is 4, above the limit of 3",
    "run-capacity": "runs may take 40000 instances of pool gpu-execution at once",
    "clear-credentials": "(execution, registration): MONGODB holds an address with user info in the clear",
    "private-index": "(execution, registration): UV_INDEX_URL is no secret reference",
    "rotation-period": "rotateAfterDays of credential is 120, above the limit of 90",
    "secret-references": "LICENCE refers to {{secrets/fiftyone-test/LICENSE}}, which this stack does not make",
}
# The program always writes these right, so a program of the test's own breaks them (careless/).
BY_PROGRAM = {
    "pool-preload": "pool gpu-execution preloads 15.4.x-scala2.12, and cluster execution of job gpu runs 16.4.x-",
    "workers-on-pools": "task execute_task of job gpu sets existingClusterId",
    "job-queue": "job gpu has no queue",
    "unique-keys": "job gpu has several tasks with the key execute_task",
    "security-mode": "job gpu (execution): dataSecurityMode is USER_ISOLATION",
    "scope-access": "scope gives MANAGE on a secret scope to the group users",
    "trigger-level": "gpu-job gives the service principal CAN_MANAGE on the job",
    "trigger-access": "no service principal may start job lonely",
    "registration-environment": "orchestrator gpu is not registered with the environment databricks",
    "registration-secrets": "orchestrator gpu does not refer to CLIENT_SECRET_GPU for clientSecret",
    "registration-job": "orchestrator gpu is registered with a job that this stack does not make",
    "requirements": "gpu-requirements.txt does not pin fiftyone to one version",
    "requirements-file": "tasks execute_task, execute_task of job gpu install from no requirements file",
}
# And time breaks the rest.
BY_TIME = ("credential-due", "credential-ended")


def test_every_rule_is_broken_below() -> None:
    assert {*BY_SETTINGS, *BY_PROGRAM, *BY_TIME} == {rule.name for rule in RULES}


def test_a_stack_within_limits_passes_and_every_rule_looks_at_something_in_it_until_its_credential_ends(
    new_stack: Callable[..., Stack],
) -> None:
    stack = new_stack(servicePrincipal={"create": True})
    for arguments in (("preview",), ("up", "--yes", "--skip-preview"), ("preview", "--expect-no-changes")):
        run = stack.with_pack(*arguments)
        assert run.code == 0, run.output
        assert "✅ fiftyone-databricks@" in run.output
        assert "checked at update" not in run.output
    deployed = {resource["type"] for resource in json.loads(stack.state())["deployment"]["resources"]}
    assert [rule.name for rule in RULES if not deployed.intersection(rule.types)] == []

    due, ended = BY_TIME
    stack.environ["ROTATE_CREDENTIAL"] = "never"
    for days, level, rule, code in ((61, "advisory", due, 0), (128, "mandatory", ended, 255)):
        stack.environ["ROTATION_CLOCK"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        run = stack.with_pack("preview")
        assert run.code == code, run.output
        assert re.findall(r"\[(\w+)\]\s+(\S+)", run.output) == [(level, rule)]
    # One that the run makes anew is neither.
    del stack.environ["ROTATE_CREDENTIAL"]
    assert stack.with_pack("preview").code == 0


def test_settings_beyond_the_limits_stop_the_first_preview(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    run = new_stack(**BEYOND).with_pack("up", "--yes")
    _stopped(run, BY_SETTINGS)
    assert "registration pool gpu-registration is of node type g2-standard-8, which has a GPU" in run.output
    assert workspace.is_empty()
    assert workspace.writes() == []


def test_a_careless_program_is_stopped_at_the_first_preview(stack: Stack, workspace: Workspace) -> None:
    definition = yaml.safe_load((stack.folder / "Pulumi.yaml").read_text())
    definition["main"] = str(REPO / "tests" / "engine" / "careless")
    (stack.folder / "Pulumi.yaml").write_text(yaml.safe_dump(definition))
    stack.environ["PYTHONPATH"] = str(REPO)
    run = stack.with_pack("up", "--yes")
    _stopped(run, BY_PROGRAM)
    advice = "clear-credentials: job gpu (execution): whether POOL holds a credential is known only to the update"
    assert advice in _unfolded(run.output)
    assert workspace.is_empty()
    assert workspace.writes() == []


def test_limits_are_the_stacks_own_and_a_file_that_says_anything_else_stops_the_pack(
    stack: Stack, tmp_path: Path, workspace: Workspace
) -> None:
    pack = tmp_path / "elsewhere" / "policies"
    shutil.copytree(POLICY_PACK, pack, ignore=shutil.ignore_patterns("__pycache__"))
    limits = pack / "limits" / "test.json"
    made = stack.settings
    pools = [{"id": name, "capacity": 6, "nodeType": "c3-standard-4-lssd"} for name in ("theirs-1", "theirs-2")]
    limits.write_text(json.dumps({"existing-pool": {"pools": pools}}))
    stack.settings = {
        **made,
        "secretScope": {"name": "theirs", "existing": True},
        "orchestrators": {"gpu": {"pool": "theirs-1", "registrationPool": "theirs-2"}},
    }
    run = stack.with_pack("preview", pack=pack)
    assert run.code == 0, run.output
    stack.settings = made
    limits.write_text('{"pool-capacity": {"maxCapacity": 19}}')
    run = stack.with_pack("preview", pack=pack)
    _stopped(run, {"pool-capacity": "is 20, above the limit of 19 (pool-capacity.maxCapacity in policies/limits/test."})
    for content, line in (
        ('{"pool-capacity": {"maxCapacty": 50}}', "maxCapacty, which is no limit; did you mean maxCapacity?"),
        ('{"pool-capacity": {"enforcementLevel": "advisory"}}', "every rule is mandatory: drop it"),
    ):
        limits.write_text(content)
        run = stack.with_pack("up", "--yes", pack=pack)
        assert run.code != 0
        assert "policy pack: policies/limits/test.json sets pool-capacity." in run.output, run.output
        assert line in run.output
        assert "Traceback" not in run.output
    assert workspace.writes() == []


def _stopped(run: Run, expected: dict[str, str]) -> None:
    """The run ended with these rules, by name and message, at mandatory level, and with no other; nothing was made."""
    text = _unfolded(run.output)
    assert run.code != 0, run.output
    assert "Updating" not in run.output
    broken = set(re.findall(r"\[mandatory\]\s+(\S+)", run.output))
    assert broken == set(expected), (run.output, broken ^ set(expected))
    for message in expected.values():
        assert message in text, (message, run.output)
    assert "hidden" not in run.output
    assert "Traceback" not in run.output


def _unfolded(output: str) -> str:
    return " ".join(output.split())
