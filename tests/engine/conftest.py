"""Fixtures of the engine tests: a workspace and a stack of a test's or a file's own, so that files run side by side."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.fiftyone import FiftyOne, write_operators
from tests.engine.stack import Stack
from tests.engine.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace.start(tmp_path / "workspace")
    yield workspace
    workspace.stop()


@pytest.fixture
def fiftyone(workspace: Workspace) -> FiftyOne:
    return workspace.fiftyone


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of plugins with one operator, `@example/hello/first`."""
    folder = tmp_path / "plugins"
    write_operators(folder, "first")
    return folder


@pytest.fixture
def new_stack(tmp_path: Path, workspace: Workspace) -> Callable[..., Stack]:
    """Makes the test's stack; keyword arguments are settings beside, or instead of, those of `stack.base`."""

    def make(**settings: Any) -> Stack:
        folder = tmp_path / "project"
        folder.mkdir()
        return Stack.create(folder, workspace, **settings)

    return make


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack as `stack` makes it, deployed once for all of a module's tests that leave it as it is."""
    root = tmp_path_factory.mktemp("deployed")
    workspace = Workspace.start(root / "workspace")
    try:
        (root / "project").mkdir()
        stack = Stack.create(root / "project", workspace)
        stack.up()
        yield stack
    finally:
        workspace.stop()


@pytest.fixture
def stack(new_stack: Callable[..., Stack]) -> Stack:
    return new_stack()
