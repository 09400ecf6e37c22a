"""State that an earlier version of the program wrote still updates, and the workspace loses nothing by it.

`old_state` records and restores. The versions: `databricks-side`, the first one, which registered nothing in FiftyOne;
`registration`, with an existing service principal; `service-principal`, with one of the stack's own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine import old_state
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace

VERSIONS = sorted(folder.name for folder in old_state.FOLDER.iterdir())
# Of the first version's state, what only an `up` can take over is its folder.
GO_AT_ONCE = [version for version in VERSIONS if version != "databricks-side"]
# Pools of the first version had no name by which one can replace another.
REPLACED = {"databricks-side": ["gpu-execution", "gpu-registration"]}


@pytest.fixture
def version(request: pytest.FixtureRequest) -> Path:
    return old_state.FOLDER / request.param


@pytest.fixture
def workspace(version: Path, tmp_path: Path) -> Iterator[Workspace]:
    workspace = old_state.restored_workspace(version, tmp_path / "workspace")
    yield workspace
    workspace.stop()


@pytest.mark.parametrize("version", VERSIONS, indirect=True)
def test_an_earlier_versions_stack_updates_settles_and_goes(
    version: Path, new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    stack = new_stack(**old_state.settings(version))
    old_state.restore_state(version, stack)
    job_id = stack.outputs()["orchestrators"]["gpu"]["jobId"]
    secrets = workspace.fiftyone.secrets()

    update = stack.up()
    assert sorted(update.operations("deleted")) == REPLACED.get(version.name, []), update.output
    assert [str(job.job_id) for job in workspace.client.jobs.list()] == [job_id]
    assert stack.outputs()["orchestrators"]["gpu"]["jobId"] == job_id
    assert workspace.fiftyone.secrets().items() >= secrets.items()
    assert workspace.fiftyone.orchestrator()["config"]["databricks"]["jobId"] == job_id

    before = len(workspace.requests())
    stack.up("--expect-no-changes")
    assert workspace.writes(since=before) == []
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()


@pytest.mark.parametrize("version", GO_AT_ONCE, indirect=True)
def test_an_earlier_versions_stack_goes_at_once(
    version: Path, new_stack: Callable[..., Stack], workspace: Workspace
) -> None:
    stack = new_stack(**old_state.settings(version))
    old_state.restore_state(version, stack)
    stack.succeeds("destroy", "--yes", "--run-program")
    assert workspace.is_empty()
