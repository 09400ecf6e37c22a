"""Each fault is what its name says: to the client, and to the API behind it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.engine.fault_proxy import Fault, FaultProxy

CALL = "POST /api/2.0/secrets/put"


@contextmanager
def api(answer: bytes) -> Iterator[tuple[str, list[str]]]:
    """An API with one answer, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxied() -> Iterator[tuple[FaultProxy, list[str]]]:
    with api(b"now") as (target, asked), api(b"before") as (before, _), FaultProxy(target, before).running() as proxy:
        yield proxy, asked


def post(proxy: FaultProxy, seconds: float = 30) -> httpx.Response:
    return httpx.post(f"{proxy.address}/api/2.0/secrets/put", json={}, timeout=seconds, trust_env=False)


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.FAILED, Fault.UNAVAILABLE, Fault.CONFLICT, Fault.FORBIDDEN])
def test_a_status_is_answered_once_and_nothing_is_done(proxied: tuple[FaultProxy, list[str]], fault: Fault) -> None:
    proxy, asked = proxied
    proxy.at(CALL, fault)
    answer = post(proxy)
    assert (answer.status_code, asked) == (fault.value, [])
    assert ("retry-after" in answer.headers) == (fault is Fault.TOO_MANY)
    assert post(proxy).text == "now"


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.LOST])
def test_what_is_cut_before_has_not_been_seen(proxied: tuple[FaultProxy, list[str]], fault: Fault) -> None:
    proxy, asked = proxied
    proxy.at(CALL, fault)
    with pytest.raises(httpx.ReadError if fault is Fault.RESET else httpx.RemoteProtocolError):
        post(proxy)
    assert asked == []


def test_what_is_cut_after_has_been_done(proxied: tuple[FaultProxy, list[str]]) -> None:
    proxy, asked = proxied
    proxy.at(CALL, Fault.UNANSWERED)
    with pytest.raises(httpx.RemoteProtocolError):
        post(proxy)
    assert len(asked) == 1


def test_what_is_slow_has_been_done_and_is_never_answered(proxied: tuple[FaultProxy, list[str]]) -> None:
    proxy, asked = proxied
    proxy.at(CALL, Fault.SILENT)
    with pytest.raises(httpx.ReadTimeout):
        post(proxy, seconds=0.5)
    assert proxy.silenced.wait(30)
    assert len(asked) == 1


def test_what_is_stale_is_answered_by_what_stood_before(proxied: tuple[FaultProxy, list[str]]) -> None:
    proxy, asked = proxied
    proxy.at(CALL, Fault.STALE)
    assert (post(proxy).text, asked) == ("before", [])


def test_no_connection_is_accepted_for_a_moment(proxied: tuple[FaultProxy, list[str]]) -> None:
    proxy, asked = proxied
    proxy.at(CALL, Fault.REFUSED)
    with pytest.raises(httpx.ReadError):
        post(proxy)
    refused = 0
    while not asked:
        try:
            post(proxy)
        except httpx.ConnectError:
            refused += 1
    assert refused
