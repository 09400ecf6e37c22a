"""A file of the workspace is sent again, whole, where the platform asks for it or the connection is lost."""

import io
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from databricks.sdk.errors import BadRequest, TooManyRequests

from databricks_provider import file_store
from databricks_provider.file_store import FileStore


class Workspace:
    """Takes a file after some refusals, each of which has read a part of it."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals, self.taken = list(refusals), b""

    def mkdirs(self, path: str) -> None: ...

    def upload(self, path: str, content: io.BytesIO, **kwargs: Any) -> None:
        if self.refusals:
            content.read(3)
            raise self.refusals.pop(0)
        self.taken = content.read()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(cast("Any", file_store)._upload.retry, "sleep", waited.append)
    return waited


def put(workspace: Workspace) -> None:
    client = cast("Any", SimpleNamespace(workspace=workspace))
    FileStore(client, "/Workspace/Shared/plugins").put("plugins.tar", io.BytesIO(b"content"))


def test_a_file_is_sent_again_from_its_beginning_after_the_time_that_was_asked_for(waited: list[float]) -> None:
    workspace = Workspace(TooManyRequests("later", retry_after_secs=7), requests.ConnectionError("reset"))
    put(workspace)
    assert (workspace.taken, waited) == (b"content", [7, 2])


def test_a_refusal_is_not_tried_again(waited: list[float]) -> None:
    workspace = Workspace(BadRequest("no"))
    with pytest.raises(BadRequest, match="no"):
        put(workspace)
    assert waited == []


def test_a_platform_that_stays_away_is_said_in_its_own_words(waited: list[float]) -> None:
    with pytest.raises(requests.Timeout, match="away"):
        put(Workspace(*(requests.Timeout("away") for _ in range(4))))
    assert len(waited) == 3
