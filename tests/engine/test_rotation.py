"""The credential is made anew in time, and FiftyOne holds one that works at every moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.fault_proxy import Fault
from tests.engine.fiftyone import FiftyOne
from tests.engine.rotations import rotating_stack
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace

OPERATOR = "@example/hello/first"
ROTATED = ["CLIENT_SECRET_GPU", "credential", "credentials"]


def test_a_credential_that_is_due_is_made_anew_and_the_one_before_is_valid_until_the_next(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    with rotating_stack(new_stack) as rotating:
        stack = rotating.stack
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
            run = stack.make_up(ROTATE_CREDENTIAL="now")
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
    new_stack: Callable[..., Stack], step: str, fault: Fault, kept: bool
) -> None:
    with rotating_stack(new_stack) as rotating:
        # So that there is one to delete.
        assert rotating.rotate().code == 0
        path, before, ids = rotating.secrets_path, rotating.held(), rotating.secret_ids()
        match step:
            case "create":
                rotating.databricks.at(f"POST {path}", fault, lasting=True)
            case "hand over":
                rotating.fiftyone.at("update_secret CLIENT_SECRET_GPU", fault, lasting=True)
            case _:
                rotating.databricks.at(f"DELETE {path}/{ids[0]}", fault, lasting=True)
        failed = rotating.rotate()
        assert failed.code != 0, failed.output
        assert rotating.works()
        assert rotating.works(before)
        rotating.peace()
        mended = rotating.stack.make_up(**({"ROTATE_CREDENTIAL": "now"} if kept else {}))
        assert mended.code == 0, mended.output
        assert rotating.works()
        assert len(rotating.secret_ids()) == 2
        rotating.stack.up("--expect-no-changes")


def test_two_rotations_with_fiftyone_down_cost_neither_what_it_holds_nor_what_it_gets_next(
    new_stack: Callable[..., Stack],
) -> None:
    with rotating_stack(new_stack) as rotating:
        assert rotating.rotate().code == 0
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


def test_a_moments_fault_does_not_leave_a_secret_over(new_stack: Callable[..., Stack]) -> None:
    with rotating_stack(new_stack) as rotating:
        # Made, not answered, and made again by the client.
        rotating.databricks.at(f"POST {rotating.secrets_path}", Fault.UNANSWERED)
        rotating.rotate()
        if not rotating.works() or len(rotating.secret_ids()) != 2:
            assert rotating.stack.make_up().code == 0
        assert rotating.works()
        assert len(rotating.secret_ids()) <= 2


def test_a_credential_deleted_by_hand_is_seen_by_refresh_and_made_anew(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    with rotating_stack(new_stack) as rotating:
        (only,) = rotating.secret_ids()
        workspace.client.service_principal_secrets_proxy.delete(rotating.principal_id, only)
        assert not rotating.works()
        assert "was deleted in Databricks" in rotating.stack.succeeds("refresh", "--yes", "--run-program").output
        rotating.stack.up()
        assert rotating.works()


def test_nothing_of_a_service_principal_that_the_stack_made_is_left_by_destroy(
    new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    with rotating_stack(new_stack) as rotating:
        path = rotating.secrets_path
        rotating.stack.succeeds("destroy", "--yes", "--run-program")
        assert workspace.is_empty()
        assert path.split("/")[5] not in [found.id for found in workspace.client.service_principals.list()]
