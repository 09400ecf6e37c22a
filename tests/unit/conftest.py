"""What several unit tests of the resources in FiftyOne begin with."""

from collections.abc import Iterator

import pytest

from fiftyone_provider.connection import CONNECTION
from tests.unit.fiftyone_fake import Engine, FakeFiftyOne, Wanted


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls are tried again at once, and nothing is known of FiftyOne from the test before."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    yield
    CONNECTION._client, CONNECTION._out_of_reach = None, False  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def engine() -> Engine:
    return Engine(FakeFiftyOne())


@pytest.fixture
def deployed(engine: Engine) -> Engine:
    assert engine.up(Wanted()) == ""
    engine.fiftyone.calls.clear()
    return engine
