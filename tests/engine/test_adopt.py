"""What people made by hand, following the guide, is adopted: nothing is made anew, and nothing is guessed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from fiftyone_provider.mark import parsed
from tests.engine import by_hand
from tests.engine.by_hand import DESCRIPTION, FOLDER, JOB, SCOPE, ByHand, follow_the_guide
from tests.engine.fiftyone import INSTANCE, FiftyOne
from tests.engine.stack import SECRETS, Run, Stack
from tests.engine.workspace import REPO, Workspace

KEYS = ("ACCOUNT_ID_GPU", "CLIENT_ID_GPU", "CLIENT_SECRET_GPU", "HOST_GPU")


@pytest.fixture
def hand(workspace: Workspace) -> ByHand:
    return follow_the_guide(workspace, SECRETS)


@pytest.fixture
def stack(new_stack: Callable[..., Stack], hand: ByHand) -> Stack:
    """A stack file as one begins it; the credential's secret is that of the guide's step."""
    stack = new_stack(orchestrators={INSTANCE: {"nodeType": "g2-standard-8"}})
    stack.settings = {name: value for name, value in stack.settings.items() if name != "servicePrincipal"}
    stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"] = hand.client_secret
    return stack


def adopt(stack: Stack, *flags: str) -> Run:
    """What `make adopt` runs, where nobody can answer."""
    done = subprocess.run(
        [sys.executable, "-m", "adoption", stack.name, *flags],
        cwd=stack.folder,
        env={**stack.environ, "PYTHONPATH": str(REPO)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for value in (*SECRETS.values(), stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"]):
        assert value not in done.stdout
    return Run(code=done.returncode, output=done.stdout)


def answer(stack: Stack, text: str) -> int:
    """The exit code where somebody sits at a terminal and answers so."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "wb", buffering=0) as keyboard:
        keyboard.write(f"{text}\n".encode())
        command = [sys.executable, "-m", "adoption", stack.name]
        environ = {**stack.environ, "PYTHONPATH": str(REPO)}
        done = subprocess.run(
            command, cwd=stack.folder, env=environ, stdin=theirs, capture_output=True, text=True, check=False
        )
    os.close(theirs)
    assert "Adopt these? [y/N]" in done.stdout
    return done.returncode


def follow(stack: Stack, shown: str) -> None:
    """Put what adopt suggests into the stack file, as a person does."""
    _, _, text = shown.partition("To keep what stands, put under `config:`")
    lines = text.splitlines()[1:]
    block = "\n".join(lines[: next(i for i, line in enumerate([*lines, ""]) if not line.startswith("  "))])
    settings, suggested = stack.settings, yaml.safe_load(block)
    own = {**settings["orchestrators"][INSTANCE], **suggested.pop("orchestrators", {}).get(INSTANCE, {})}
    if "pool" in own:
        own.pop("nodeType", None)
    stack.settings = {**settings, **suggested, "orchestrators": {INSTANCE: own}}


def standing(workspace: Workspace) -> dict[str, Any]:
    """What people made, by what tells it from another."""
    w, found = workspace.client, workspace.fiftyone.orchestrator()
    return {
        "pools": sorted((pool.instance_pool_id, pool.instance_pool_name) for pool in w.instance_pools.list()),
        "jobs": [job.job_id for job in w.jobs.list()],
        "scopes": [scope.name for scope in w.secrets.list_scopes()],
        "secrets": {key: workspace.secret(SCOPE, key) for key in SECRETS},
        "principals": sorted(found.application_id or "" for found in w.service_principals.list()),
        "files": sorted(str(entry.path) for entry in w.workspace.list(FOLDER)),
        "registration": {name: found[name] for name in ("created_at", "config", "secrets", "available_operators")},
        "values": {key: value for key, (value, _) in workspace.fiftyone.secrets().items()},
    }


def test_the_guide_followed_by_hand_is_adopted_and_no_up_makes_any_of_it_anew(
    stack: Stack, workspace: Workspace, fiftyone: FiftyOne, hand: ByHand
) -> None:
    before, since = standing(workspace), len(workspace.requests())
    shown = adopt(stack)
    assert shown.code == 1
    assert "differs from the settings in its description" in shown.output
    follow(stack, shown.output)
    assert stack.settings["servicePrincipal"] == {"clientId": hand.client_id}
    assert stack.settings["secretScope"] == SCOPE
    assert stack.settings["orchestrators"][INSTANCE] == {
        "description": DESCRIPTION,
        "pool": hand.pool,
        "registrationPool": hand.registration_pool,
        "maxConcurrentRuns": 5,
    }

    # Nobody answers, so nothing is done.
    refused = adopt(stack)
    assert refused.code == 1
    assert "The settings agree with what stands." in refused.output
    assert "nobody can be asked here" in refused.output
    assert workspace.writes(since=since) == []

    done = adopt(stack, "--yes")
    assert done.code == 0, done.output
    assert workspace.writes(since=since) == ["/fiftyone/management/update_secret"] * len(KEYS)
    for _, description in fiftyone.secrets().values():
        assert (parsed(description).mark, parsed(description).token) == ("fiftyone-databricks/test/gpu", "")
    assert standing(workspace) == before
    again = adopt(stack, "--yes")
    assert again.code == 0
    assert "nothing to adopt" in again.output
    assert len(workspace.writes(since=since)) == len(KEYS)

    plan = stack.succeeds("preview")
    assert plan.operations("update") == ["gpu"]
    assert not [name for name in plan.operations("create") if name in ("gpu-job", "scope")]
    assert "replace" not in plan.output
    assert "delete" not in plan.output
    up = stack.up()
    assert up.operations("updated") == ["gpu"]
    after = standing(workspace)
    assert after == before
    assert stack.outputs()["orchestrators"][INSTANCE]["jobId"] == str(hand.job_id)
    assert workspace.ended(fiftyone.delegate("@example/hello/first")) == "SUCCESS"
    stack.up("--expect-no-changes")
    stack.succeeds("refresh", "--yes", "--run-program", "--expect-no-changes")
    assert "nothing to adopt" in adopt(stack).output

    # The registration gets the mark with its next true change, and is the stack's to delete.
    stack.orchestrator(description="Changed")
    stack.up()
    assert parsed(fiftyone.orchestrator()["description"]).mark == "fiftyone-databricks/test/gpu"
    stack.succeeds("destroy", "--yes", "--run-program")
    assert fiftyone.orchestrators() == []
    left = workspace.client
    assert [pool.instance_pool_id for pool in left.instance_pools.list()].count(hand.pool) == 1
    assert [str(entry.path) for entry in left.workspace.list(FOLDER)]
    assert [found for found in left.service_principals.list() if found.application_id == hand.client_id]


def test_destroying_a_stack_deletes_the_registration_that_it_took_over_as_it_stood(
    stack: Stack, fiftyone: FiftyOne
) -> None:
    follow(stack, adopt(stack).output)
    assert adopt(stack, "--yes").code == 0
    stack.up()
    stack.succeeds("destroy", "--yes", "--run-program")
    assert fiftyone.orchestrators() == []
    assert fiftyone.secrets() == {}


def test_with_secrets_that_existed_before_the_registration_stays_too_and_they_are_never_written(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne
) -> None:
    hand = follow_the_guide(workspace, SECRETS, existing_secrets=True)
    stack = new_stack(orchestrators={INSTANCE: {"pool": hand.pool}})
    follow(stack, adopt(stack).output)
    assert stack.settings["secretsFrom"] == by_hand.EXISTING
    before, secrets = standing(workspace), fiftyone.secrets()
    assert adopt(stack, "--yes").code == 0
    stack.up()
    stack.up("--expect-no-changes")
    assert standing(workspace) == before
    assert fiftyone.secrets() == secrets
    stack.succeeds("destroy", "--yes", "--run-program")
    assert fiftyone.orchestrators() == []
    assert fiftyone.secrets() == secrets


def test_what_can_be_meant_in_two_ways_is_listed_and_nothing_is_adopted(
    stack: Stack, workspace: Workspace, fiftyone: FiftyOne, hand: ByHand
) -> None:
    follow(stack, adopt(stack).output)
    settings = stack.settings
    settings.pop("servicePrincipal")
    stack.settings = settings
    second, _ = by_hand.service_creds(workspace, hand.job_id)
    shown = adopt(stack, "--yes")
    assert shown.code == 1
    for client_id in (hand.client_id, second):
        assert client_id in shown.output.partition("Nothing was adopted:")[2]

    # Two jobs of a name, of which none is registered.
    fiftyone.ask("delete_orchestrator", instance_id=INSTANCE)
    stack.settings = {**settings, "servicePrincipal": {"clientId": hand.client_id}}
    other = by_hand.job(workspace, hand.pool, hand.registration_pool)
    since = len(workspace.requests())
    shown = adopt(stack, "--yes", "--job", f"{INSTANCE}={JOB}")
    assert shown.code == 1
    assert f"jobs {other}, {hand.job_id} are all called {JOB}" in shown.output
    assert workspace.writes(since=since) == []
    assert '"resources"' not in stack.state()

    shown = adopt(stack, "--yes", "--job", f"{INSTANCE}={hand.job_id}")
    assert shown.code == 0, shown.output
    stack.up()
    assert fiftyone.orchestrator()["config"]["databricks"]["jobId"] == str(hand.job_id)
    assert sorted(job.job_id or 0 for job in workspace.client.jobs.list()) == sorted([hand.job_id, other])


def test_whoever_sits_at_a_terminal_is_asked_and_only_yes_adopts(
    stack: Stack, workspace: Workspace, hand: ByHand
) -> None:
    follow(stack, adopt(stack).output)
    second, _ = by_hand.service_creds(workspace, hand.job_id)
    since = len(workspace.requests())
    assert answer(stack, "n") == 1
    assert answer(stack, "") == 1
    assert workspace.writes(since=since) == []
    assert '"resources"' not in stack.state()
    assert answer(stack, "y") == 0
    assert len(workspace.writes(since=since)) == len(KEYS)
    # Who else could start the job was settled by the settings; that it loses its access is a true difference.
    assert second in stack.succeeds("preview", "--diff").output

    # What an interrupted import has left out is brought in by the next, below the components that are there.
    state = json.loads(stack.state())["deployment"]["resources"]
    urn = next(each["urn"] for each in state if each["urn"].endswith("::gpu-job"))
    stack.succeeds("state", "delete", urn, "--yes")
    done = adopt(stack, "--yes")
    assert done.code == 0, done.output
    asked = done.output.partition("To be adopted:")[2].partition("Importing")[0].strip().splitlines()
    assert asked[0] == f"into the stack's state: Permissions /jobs/{hand.job_id}"
    assert not [line for line in asked[1:] if "into the stack's state" in line or "marked" in line]
    assert urn in stack.state()


def test_a_secret_in_the_clear_is_named_and_never_copied_into_the_state(
    stack: Stack, workspace: Workspace, hand: ByHand
) -> None:
    follow(stack, adopt(stack).output)
    job: Any = workspace.client.jobs.get(hand.job_id).settings
    for cluster in job.job_clusters:
        cluster.new_cluster.spark_env_vars |= {
            "FIFTYONE_ENCRYPTION_KEY": SECRETS["FIFTYONE_ENCRYPTION_KEY"],
            "REGION": "hidden-or-not",
        }
    workspace.client.jobs.reset(hand.job_id, job)
    shown = adopt(stack, "--yes")
    assert shown.code == 1
    assert "holds FIFTYONE_ENCRYPTION_KEY, REGION in the clear" in shown.output
    assert "hidden-or-not" not in shown.output
    stack.orchestrator(env={"REGION": "hidden-or-not"})
    assert "holds FIFTYONE_ENCRYPTION_KEY in the clear" in adopt(stack, "--yes").output
    assert '"resources"' not in stack.state()


def test_what_another_stack_has_is_not_taken(stack: Stack, workspace: Workspace, fiftyone: FiftyOne) -> None:
    follow(stack, adopt(stack).output)
    theirs = "theirs [pulumi-stack: fiftyone-databricks/other/gpu #0123]"
    fiftyone.ask("update_secret", key="HOST_GPU", description=theirs)
    (job,) = workspace.client.jobs.list()
    from databricks.sdk.service.jobs import JobSettings

    workspace.client.jobs.update(job.job_id or 0, new_settings=JobSettings(tags={"pulumi-stack": "theirs"}))
    shown = adopt(stack, "--yes")
    assert shown.code == 1
    assert "secret HOST_GPU in FiftyOne is another stack's" in shown.output
    assert "is another stack's, by its tag theirs" in shown.output
    assert fiftyone.secrets()["HOST_GPU"][1] == theirs
    assert '"resources"' not in stack.state()


def test_where_nothing_stands_there_is_nothing_to_adopt(new_stack: Callable[..., Stack]) -> None:
    shown = adopt(new_stack())
    assert shown.code == 0
    assert "Nothing stands for gpu" in shown.output
