"""The matrix's fixture: one world a process, for all cases of that process."""

from collections.abc import Iterator

import pytest

from tests.faults.matrix import Matrix
from tests.faults.sample import Sample
from tests.faults.world import new_world


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with new_world(tmp_path_factory.mktemp("faults")) as world:
        yield Matrix(world)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not in the cut, which pytest counts as deselected."""
    sample = Sample(whole=bool(config.getoption("--whole-matrix")))
    left_out = [item for item in items if isinstance(item, pytest.Function) and not sample.takes(item)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def sample(pytestconfig: pytest.Config) -> Sample:
    return Sample(whole=bool(pytestconfig.getoption("--whole-matrix")))
