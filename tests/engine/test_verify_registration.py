"""Each link broken by hand from the job's secrets to FiftyOne's operators: `make verify` names it and none else.

The stack has what `test_verify` has not: a scope and a service principal that exist already, and operators that only a
click refreshes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databricks.sdk.service.jobs import JobSettings, Task

from emulator.identity import APPLICATION_ID
from tests.engine.fiftyone import INSTANCE, FiftyOne, write_operators
from tests.engine.stack import SECRETS, Stack
from tests.engine.verifying import mend, passes, undone, verify
from tests.engine.workspace import Workspace

SCOPE = "by-hand"
REFRESH_AND_UP = "`make refresh STACK=test && make up STACK=test`"
MARK = "[pulumi-stack: fiftyone-databricks/test/gpu]"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Each case leaves it whole."""
    root = tmp_path_factory.mktemp("verify")
    workspace = Workspace.start(root / "workspace")
    try:
        workspace.client.secrets.create_scope(SCOPE)
        for key, value in SECRETS.items():
            workspace.client.secrets.put_secret(SCOPE, key, string_value=value)
        write_operators(root / "plugins", "first")
        (root / "project").mkdir()
        scope = {"name": SCOPE, "existing": True}
        stack = Stack.create(root / "project", workspace, plugins={"source": str(root / "plugins")}, secretScope=scope)
        for name in SECRETS:
            del stack.environ[name]
        stack.up()
        assert workspace.ended(workspace.fiftyone.refresh()) == "SUCCESS"
        yield stack
    finally:
        workspace.stop()


@pytest.fixture
def fiftyone(stack: Stack) -> FiftyOne:
    return stack.workspace.fiftyone


def job_id(stack: Stack) -> int:
    return int(stack.outputs()["orchestrators"][INSTANCE]["jobId"])


def broken(stack: Stack, *, run: bool = False, **environ: str) -> tuple[str, str]:
    """The one thing that is named, and its mend."""
    verified = verify(stack, run=run, **environ)
    assert verified.code == 1
    (found,) = verified.broken
    return found, verified.mend


def register_by_hand(fiftyone: FiftyOne, **config: str) -> None:
    found = fiftyone.orchestrator()
    fiftyone.ask("delete_orchestrator", instance_id=INSTANCE)
    fiftyone.ask(
        "register_orchestrator",
        instance_id=INSTANCE,
        description=found["description"],
        environment="databricks",
        config={"databricks": {**found["config"]["databricks"], **config}},
        secrets={
            "databricks": {
                "host": "HOST_GPU",
                "accountId": "ACCOUNT_ID_GPU",
                "clientId": "CLIENT_ID_GPU",
                "clientSecret": "CLIENT_SECRET_GPU",
            }
        },
    )


def test_operators_that_only_a_click_refreshes_are_named_with_what_to_click(stack: Stack, fiftyone: FiftyOne) -> None:
    register_by_hand(fiftyone)
    found, how = broken(stack, run=True)
    assert found.startswith("operators: operators of gpu: FiftyOne lists none")
    assert "open the Runs page in FiftyOne, choose the orchestrator gpu, refresh its operators" in how
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    passes(stack, run=True)
    # From then on the command is known.
    stack.settings = {**stack.settings, "fiftyone:version": "2.13.2"}
    stack.up()
    passes(stack)
    register_by_hand(fiftyone)
    found, how = broken(stack)
    assert found.startswith("operators: operators of gpu: FiftyOne lists none")
    mend(stack, how)
    assert fiftyone.orchestrator()["available_operators"] == ["@example/hello/first"]
    passes(stack)


def test_a_key_that_an_existing_scope_lacks_is_named_and_put_by_hand(stack: Stack) -> None:
    stack.workspace.client.secrets.delete_secret(SCOPE, "FIFTYONE_PYPI_URL")
    found, how = broken(stack)
    assert (
        found == "secrets of runs: keys of job gpu: scope by-hand does not hold FIFTYONE_PYPI_URL, so no cluster starts"
    )
    mend(stack, how)
    passes(stack)


def test_a_credential_that_ended_is_named_and_a_new_one_mends_it(stack: Stack) -> None:
    (stack.workspace.home / "service-principal-secret").write_text("hidden-rotated-secret")
    found, how = broken(stack, run=True)
    assert f"gives {APPLICATION_ID} no token" in found
    assert "invalid_client" in found
    assert f"make a new OAuth secret of {APPLICATION_ID} in Databricks" in how
    assert "`make up STACK=test`" in how
    stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"] = "hidden-rotated-secret"
    stack.up()
    passes(stack)


def test_what_the_shell_says_of_other_credentials_has_no_part_in_the_registered_one(
    stack: Stack, tmp_path: Path
) -> None:
    profile = {"host": stack.workspace.address, "token": stack.workspace.token, "scopes": "another"}
    file = tmp_path / "profiles"
    file.write_text("\n".join(["[elsewhere]", *(f"{name} = {value}" for name, value in profile.items())]))
    verified = verify(
        stack,
        DATABRICKS_HOST="",
        DATABRICKS_TOKEN="",
        DATABRICKS_CONFIG_FILE=str(file),
        DATABRICKS_CONFIG_PROFILE="elsewhere",
        DATABRICKS_DISCOVERY_URL="http://127.0.0.1:9/oidc",
    )
    assert verified.broken == []
    assert f"gives {APPLICATION_ID} a token" in verified.output


def test_a_run_that_fails_is_named_with_its_log_its_cause_and_what_mends_it(stack: Stack) -> None:
    before = stack.settings
    stack.orchestrator(allowedCommands=["sh"])
    stack.up()
    passes(stack)
    found, how = broken(stack, run=True)
    assert found.startswith("run: execute_task of gpu: run ")
    assert "ended with RUN_EXECUTION_ERROR" in found
    assert "The entrypoint runs no other commands than the orchestrator's `allowedCommands`" in found
    verified = verify(stack, run=True)
    assert "\n      entrypoint: only sh may be run here" in verified.output
    assert any(
        "register_task of gpu" in line and "execute_task of gpu is not right" in line for line in verified.unchecked
    )
    stack.settings = before
    mend(stack, how)
    passes(stack, run=True)


CASES = {
    "secret deleted": (
        lambda fiftyone: fiftyone.ask("delete_secret", key="HOST_GPU"),
        "secret HOST_GPU: FiftyOne secret HOST_GPU was deleted in FiftyOne",
        REFRESH_AND_UP,
    ),
    "secret written": (
        lambda fiftyone: fiftyone.ask("update_secret", key="CLIENT_ID_GPU", value="x", description=f"by hand {MARK}"),
        "FiftyOne secret CLIENT_ID_GPU was written in FiftyOne since",
        REFRESH_AND_UP,
    ),
    "secret of somebody else": (
        lambda fiftyone: fiftyone.ask(
            "update_secret", key="CLIENT_SECRET_GPU", value="hidden-x", description="by hand"
        ),
        "FiftyOne secret CLIENT_SECRET_GPU was made anew in FiftyOne, and is not this stack's any more",
        f"end its description in FiftyOne with `{MARK}` to hand it over",
    ),
    "orchestrator deleted": (
        lambda fiftyone: fiftyone.ask("delete_orchestrator", instance_id=INSTANCE),
        "orchestrator gpu was deleted in FiftyOne",
        REFRESH_AND_UP,
    ),
    "registered with another job": (
        lambda fiftyone: register_by_hand(fiftyone, jobId="5"),
        "orchestrator gpu: config was changed in FiftyOne",
        REFRESH_AND_UP,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_broken_in_fiftyone_is_named_with_what_mends_it_and_none_else(
    stack: Stack, fiftyone: FiftyOne, case: str
) -> None:
    act, named, command = CASES[case]
    with undone(stack):
        act(fiftyone)
        found, how = broken(stack)
    assert named in found
    assert command in how


def test_the_commands_that_it_names_mend_what_is_broken_in_fiftyone(stack: Stack, fiftyone: FiftyOne) -> None:
    for case in ("registered with another job", "secret deleted", "secret written"):
        CASES[case][0](fiftyone)
    mend(stack, verify(stack).mend)
    passes(stack, run=True)
    fiftyone.ask("delete_orchestrator", instance_id=INSTANCE)
    CASES["secret of somebody else"][0](fiftyone)
    how = verify(stack).mend
    fiftyone.ask("update_secret", key="CLIENT_SECRET_GPU", description=f"handed over {MARK}")
    mend(stack, how)
    passes(stack, run=True)


def test_a_task_that_the_job_lost_is_named_by_what_differs_and_by_no_other_link(stack: Stack) -> None:
    job = stack.workspace.client.jobs.get(job_id(stack))
    tasks = [Task.from_dict(task.as_dict()) for task in (job.settings and job.settings.tasks) or []]
    with undone(stack):
        settings = job.settings or JobSettings()
        settings.tasks = [task for task in tasks if task.task_key != "register_task"]
        stack.workspace.client.jobs.reset(job_id(stack), settings)
        found, how = broken(stack)
    assert "job gpu: changed since it was deployed: tasks.register_task" in found
    assert how == REFRESH_AND_UP


def test_a_registration_that_an_interrupted_up_left_with_the_job_before_is_named(
    stack: Stack, fiftyone: FiftyOne
) -> None:
    stack.workspace.client.jobs.delete(job_id(stack))
    stack.succeeds("refresh", "--yes", "--skip-preview", "--run-program")
    stack.succeeds("up", "--yes", "--skip-preview", "--target", "**job:Job::gpu", "--target", "**Permissions::gpu-job")
    found, how = broken(stack)
    assert "FiftyOne would start job" in found
    assert f"and the stack's is {job_id(stack)}" in found
    mend(stack, how)
    # The command was in the history of the job before.
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    passes(stack)


def test_fiftyone_out_of_reach_or_without_a_key_is_told_apart(stack: Stack) -> None:
    found, how = broken(stack, FIFTYONE_API_KEY="hidden-wrong")
    assert "does not accept the key" in found
    assert "Set `fiftyone:apiKey`" in how
    verified = verify(stack, FIFTYONE_API_KEY="")
    assert (verified.code, verified.broken) == (0, [])
    assert any("there is no key, `fiftyone:apiKey` or FIFTYONE_API_KEY" in line for line in verified.unchecked)


def test_a_credential_that_is_not_the_stacks_cannot_be_tried(stack: Stack, fiftyone: FiftyOne) -> None:
    before = stack.settings
    fiftyone.ask("add_secret", key="THE_SECRET", value=stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"])
    stack.settings = {**before, "secretsFrom": {"clientSecret": "THE_SECRET"}, "allowReregister": True}
    stack.up()
    assert stack.workspace.ended(fiftyone.refresh()) == "SUCCESS"
    verified = passes(stack, run=True)
    assert any(
        "credential of gpu" in line and "FiftyOne does not give values back" in line for line in verified.unchecked
    )
    fiftyone.ask("delete_secret", key="THE_SECRET")
    found, how = broken(stack)
    assert "orchestrator gpu refers to secret THE_SECRET, which was deleted in FiftyOne" in found
    assert "restore that secret in FiftyOne" in how
    fiftyone.ask("add_secret", key="THE_SECRET", value=stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"])
    passes(stack)
