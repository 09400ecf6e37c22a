"""What an interrupted run has left is taken in by the next `make up`: no double, and nothing foreign is touched."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil
import pytest

from tests.engine.fault_proxy import Fault, FaultProxy
from tests.engine.stack import Run, Stack
from tests.engine.workspace import Workspace
from toolchain.interrupted import was_interrupted
from toolchain.stack import AFTER_INTERRUPTION

UP = ("up", "--yes", "--skip-preview")
# The job waits for its pools.
CREATES = ("POST /api/2.0/instance-pools/create", "POST /api/2.2/jobs/create")


@dataclass
class FaultyStack:
    """A stack that makes all it can, whose requests to the workspace pass a proxy."""

    stack: Stack
    proxy: FaultProxy

    def kill_at(self, call: str, *arguments: str) -> None:
        """Kill the engine while the workspace, which has acted, owes the answer to a call."""
        self.proxy.silenced.clear()
        self.proxy.at(call, Fault.SILENT)
        engine = self.stack.start(*(arguments or UP))
        assert self.proxy.silenced.wait(timeout=120)
        engine.kill()
        engine.wait()
        self.proxy.peace()

    def counts(self) -> tuple[int, ...]:
        """Jobs, pools, scopes and service principals that the workspace has."""
        w = self.stack.workspace.client
        return tuple(
            len(list(found))
            for found in (w.jobs.list(), w.instance_pools.list(), w.secrets.list_scopes(), w.service_principals.list())
        )

    def comes_right(self) -> Run:
        """One `make up`, after which there is one of each that the stack makes, and nothing is left to do."""
        run = self.stack.make_up()
        assert run.code == 0, run.output
        # Beside the emulator's own service principal.
        assert self.counts() == (1, 2, 1, 2), run.output
        preview = self.stack.pulumi("--stack", self.stack.name, "preview", "--expect-no-changes")
        assert preview.code == 0, preview.output
        return run


@pytest.fixture
def faulty(new_stack: Callable[..., Stack], workspace: Workspace) -> Iterator[FaultyStack]:
    stack = new_stack(servicePrincipal={"create": True}, **{"databricks:retryTimeoutSeconds": 2})
    with FaultProxy(workspace.address).running() as proxy:
        stack.environ["DATABRICKS_HOST"] = proxy.address
        yield FaultyStack(stack, proxy)


def left_running(stack: Stack) -> list[str]:
    """Processes that work on the stack still."""
    found: list[str] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("PULUMI_BACKEND_URL") == stack.environ["PULUMI_BACKEND_URL"]:
                found.append(process.name())
    return found


def test_what_killed_runs_have_made_is_taken_in_and_made_once(faulty: FaultyStack) -> None:
    for call in CREATES:
        faulty.stack.recover()
        faulty.kill_at(call)
    assert left_running(faulty.stack)
    run = faulty.comes_right()
    assert "removing the lock of" in run.output
    assert "made, and not in the state: gpu (" in run.output
    assert left_running(faulty.stack) == []
    assert not was_interrupted(faulty.stack.name, faulty.stack.environ, faulty.stack.folder)


def test_a_pool_that_a_killed_run_was_to_replace_another_with_does_not_stand_in_the_way(faulty: FaultyStack) -> None:
    faulty.stack.up()
    faulty.stack.orchestrator(registrationNodeType="c3-standard-8-lssd")
    faulty.kill_at("POST /api/2.0/instance-pools/create")
    run = faulty.comes_right()
    assert "which was to be gpu-registration" in run.output


def test_a_scope_that_could_not_be_read_after_it_was_made_is_read_then(faulty: FaultyStack) -> None:
    faulty.proxy.at("GET /api/2.0/secrets/scopes/list", Fault.FAILED)
    red = faulty.stack.make_up()
    faulty.proxy.peace()
    assert red.code != 0
    assert "initErrors" in faulty.stack.state()
    run = faulty.comes_right()
    assert "recovery: scope is made" in run.output


def test_a_killed_destroy_is_finished_and_leaves_nothing(faulty: FaultyStack) -> None:
    faulty.stack.up()
    faulty.kill_at("POST /api/2.2/jobs/delete", "destroy", "--yes", "--skip-preview", "--run-program")
    assert faulty.stack.recover().code == 0
    faulty.stack.succeeds("destroy", "--yes", "--skip-preview", "--run-program")
    assert faulty.stack.workspace.is_empty()


def test_what_a_killed_destroy_has_deleted_is_made_again(faulty: FaultyStack) -> None:
    faulty.stack.up()
    faulty.kill_at("POST /api/2.0/secrets/delete", "destroy", "--yes", "--skip-preview", "--run-program")
    faulty.comes_right()
    (scope,) = faulty.stack.workspace.client.secrets.list_scopes()
    assert len(list(faulty.stack.workspace.client.secrets.list_secrets(scope.name or ""))) == 3


def test_what_a_killed_run_has_deleted_is_noticed_though_recovery_failed_at_first(faulty: FaultyStack) -> None:
    faulty.stack.up()
    faulty.kill_at("POST /api/2.0/secrets/delete", "destroy", "--yes", "--skip-preview", "--run-program")
    faulty.proxy.plan = lambda call: Fault.FORBIDDEN
    red = faulty.stack.make_up()
    faulty.proxy.peace()
    assert red.code != 0
    assert "recovery: nothing was deployed" in red.output
    run = faulty.comes_right()
    assert "removing the lock of" in run.output


def test_a_pool_that_is_gone_after_a_run_that_failed_is_made_again(faulty: FaultyStack) -> None:
    faulty.stack.up()
    faulty.stack.orchestrator(maxCapacity=7)
    faulty.proxy.at("POST /api/2.0/instance-pools/edit", Fault.FAILED)
    assert faulty.stack.make_up().code != 0
    faulty.proxy.peace()
    w = faulty.stack.workspace.client
    (gone,) = [pool for pool in w.instance_pools.list() if "-registration-" in (pool.instance_pool_name or "")]
    w.instance_pools.delete(gone.instance_pool_id or "")
    faulty.comes_right()


def test_a_job_that_a_killed_run_has_deleted_with_its_orchestrator_is_not_deleted_twice(faulty: FaultyStack) -> None:
    settings = faulty.stack.settings
    second = {**settings["orchestrators"], "second": {"nodeType": "g2-standard-8"}}
    faulty.stack.settings = {**settings, "orchestrators": second}
    faulty.stack.up()
    faulty.stack.settings = settings
    faulty.kill_at("POST /api/2.2/jobs/delete")
    faulty.comes_right()


def test_a_state_that_the_engine_broke_is_repaired(faulty: FaultyStack) -> None:
    # Where nothing is deployed, the engine writes what depends on something that is not there (pulumi #21645).
    broken = faulty.stack.pulumi("--stack", faulty.stack.name, "refresh", "--yes", "--skip-preview", "--run-program")
    assert "snapshot integrity failure" in broken.output
    assert faulty.stack.recover().code == 0
    # As `make refresh` does after an interruption.
    faulty.stack.succeeds("refresh", "--yes", "--skip-preview", *AFTER_INTERRUPTION["refresh"])
    faulty.comes_right()


def test_a_run_that_is_at_work_is_named_and_not_disturbed(faulty: FaultyStack) -> None:
    faulty.proxy.at("POST /api/2.2/jobs/create", Fault.SILENT)
    engine = faulty.stack.start(*UP)
    assert faulty.proxy.silenced.wait(timeout=120)
    refused = faulty.stack.make_up()
    assert refused.code != 0
    assert f"process {engine.pid} of" in refused.output
    assert "is at work on test; run the same command again when it has ended" in refused.output
    assert engine.poll() is None
    engine.kill()
    engine.wait()
    assert faulty.stack.recover().code == 0
