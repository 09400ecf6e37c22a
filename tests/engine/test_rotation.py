"""The credential is made anew in time, and FiftyOne holds one that works at every moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.fault_proxy import Fault
from tests.engine.fiftyone import FiftyOne
from tests.engine.rotations import NOW, RotatingStack, rotating_stack
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace

OPERATOR = "@example/hello/first"
ROTATED = ["CLIENT_SECRET_GPU", "credential", "credentials"]


@pytest.fixture(scope="module")
def rotating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RotatingStack]:
    """One stack for all faults, which comes back to two secrets after each."""
    with rotating_stack(tmp_path_factory.mktemp("rotating")) as rotating:
        assert rotating.rotate().code == 0
        yield rotating
        rotating.stack.up("--expect-no-changes")


def test_a_credential_that_is_due_is_made_anew_and_the_one_before_is_valid_until_the_next(tmp_path: Path) -> None:
    with rotating_stack(tmp_path) as rotating:
        stack, workspace = rotating.stack, rotating.stack.workspace
        job_id = stack.outputs()["orchestrators"]["gpu"]["jobId"]
        first, first_id = rotating.held(), rotating.secret_ids()
        stack.environ.update(workspace.pass_days(59))
        assert "59 of 60 days old, ends on " in stack.up("--expect-no-changes").output

        stack.environ.update(workspace.pass_days(61))
        due = stack.succeeds("preview")
        assert "61 of 60 days old, ends on " in due.output
        assert sorted(due.operations("update")) == ROTATED
        # Due is no drift.
        stack.environ["ROTATE_CREDENTIAL"] = "never"
        stack.succeeds("preview", "--refresh", "--expect-no-changes")
        del stack.environ["ROTATE_CREDENTIAL"]
        assert sorted(stack.up().operations("updated")) == ROTATED
        second = rotating.held()
        assert second != first
        assert rotating.works(first)
        assert rotating.works()
        stack.up("--expect-no-changes")

        stack.environ.update(workspace.pass_days(122))
        assert rotating.works()
        assert sorted(stack.up().operations("updated")) == ROTATED
        assert not rotating.works(first)
        assert rotating.works(second)
        assert rotating.works()
        assert len(rotating.secret_ids()) == 2
        assert first_id[0] not in rotating.secret_ids()
        assert stack.outputs()["orchestrators"]["gpu"]["jobId"] == job_id
        assert stack.outputs()["credentialExpires"][:10] > stack.environ["ROTATION_CLOCK"][:10]

        stack.succeeds("destroy", "--yes", "--run-program")
        assert workspace.is_empty()


@contextmanager
def operations_all_the_time(fiftyone: FiftyOne) -> Iterator[list[int | str]]:
    """Delegates operation after operation; the runs' ids, or why one was not started."""
    seen: list[int | str] = []
    over = threading.Event()

    def delegate() -> None:
        while not over.is_set():
            try:
                seen.append(fiftyone.delegate(OPERATOR))
            except AssertionError as refused:
                seen.append(str(refused))

    threads = [threading.Thread(target=delegate) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_runs_that_fiftyone_starts_all_through_two_rotations_never_fail_for_their_credential(
    new_stack: Callable[..., Stack], workspace: Workspace, fiftyone: FiftyOne, source: Path
) -> None:
    stack = new_stack(
        servicePrincipal={"create": True},
        plugins={"source": str(source)},
        orchestrators={"gpu": {"nodeType": "x", "maxConcurrentRuns": 3}},
    )
    stack.up()
    with operations_all_the_time(fiftyone) as seen:
        for _ in range(2):
            before = len(seen)
            held = fiftyone.secrets()["CLIENT_SECRET_GPU"][0]
            run = stack.make_up(**NOW)
            assert run.code == 0, run.output
            assert fiftyone.secrets()["CLIENT_SECRET_GPU"][0] != held
            assert len(seen) > before
    assert [found for found in seen if isinstance(found, str)] == []
    ids = [found for found in seen if isinstance(found, int)]
    assert {workspace.ended(run_id) for run_id in ids} == {"SUCCESS"}


@pytest.mark.parametrize("step", ["create", "hand over", "delete"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "taken-back"])
def test_a_rotation_interrupted_at_each_step_leaves_a_credential_that_works_and_no_secret_over(
    rotating: RotatingStack, step: str, fault: Fault, kept: bool
) -> None:
    path, before, ids = rotating.secrets_path, rotating.held(), rotating.secret_ids()
    assert len(ids) == 2
    match step:
        case "create":
            rotating.databricks.at(f"POST {path}", fault, lasting=True)
        case "hand over":
            rotating.fiftyone.at("update_secret CLIENT_SECRET_GPU", fault, lasting=True)
        case _:
            rotating.databricks.at(f"DELETE {path}/{ids[0]}", fault, lasting=True)
    failed = rotating.rotate()
    assert failed.code != 0, failed.output
    held = rotating.held()
    assert rotating.works()
    assert rotating.works(before)
    rotating.peace()
    mended = rotating.stack.make_up(**(NOW if kept else {}))
    assert mended.code == 0, mended.output
    assert rotating.works()
    assert len(rotating.secret_ids()) == 2
    # What FiftyOne held is the other one; an answer that got lost is all that keeps the stack from knowing it.
    assert rotating.works(before if fault is Fault.UNANSWERED and step == "hand over" else held)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "taken-back"])
def test_an_engine_killed_in_a_rotation_leaves_no_secret_that_nobody_can_read(
    rotating: RotatingStack, kept: bool
) -> None:
    held = rotating.held()
    rotating.rotate_and_kill(f"POST {rotating.secrets_path}")
    assert len(rotating.secret_ids()) == 3
    assert rotating.works()
    rotating.peace()
    mended = rotating.stack.make_up(**(NOW if kept else {}))
    assert mended.code == 0, mended.output
    assert rotating.works()
    assert rotating.works(held)
    assert len(rotating.secret_ids()) == 2
    # And that was all: what is pending no more is not looked for again.
    assert not rotating.stack.make_up().operations("updated")


def test_two_rotations_with_fiftyone_down_cost_neither_what_it_holds_nor_what_it_gets_next(
    rotating: RotatingStack,
) -> None:
    before = rotating.held()
    rotating.fiftyone.plan = lambda call: Fault.LOST
    for _ in range(2):
        assert rotating.rotate().code != 0
        assert rotating.held() == before
        assert rotating.works()
    assert len(rotating.secret_ids()) == 4
    rotating.peace()
    assert rotating.stack.make_up().code == 0
    assert rotating.held() != before
    assert rotating.works()
    assert rotating.works(before)
    assert len(rotating.secret_ids()) == 2


def test_where_fiftyone_was_down_for_too_long_the_message_leads_out(rotating: RotatingStack) -> None:
    rotating.fiftyone.plan = lambda call: Fault.LOST
    outputs = [rotating.rotate().output for _ in range(4)]
    assert "has 5 OAuth secrets" in outputs[-1]
    assert "`ROTATE_CREDENTIAL=never make up STACK=…`" in outputs[-1]
    rotating.peace()
    assert rotating.stack.make_up(ROTATE_CREDENTIAL="never").code == 0
    assert rotating.works()
    assert len(rotating.secret_ids()) == 2
    assert rotating.rotate().code == 0


def test_a_credential_deleted_by_hand_is_seen_by_refresh_and_made_anew(rotating: RotatingStack) -> None:
    for secret_id in rotating.secret_ids():
        rotating.stack.workspace.client.service_principal_secrets_proxy.delete(rotating.principal_id, secret_id)
    assert not rotating.works()
    assert "was deleted in Databricks" in rotating.stack.succeeds("refresh", "--yes", "--run-program").output
    rotating.stack.up()
    assert rotating.works()
    assert rotating.rotate().code == 0
