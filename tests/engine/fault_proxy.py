"""A server in front of the emulator that loses requests and answers where a test says so."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.engine.api_call import Call, read_call

# What belongs to one connection; the addressee stays, because the emulator tells clients where to get tokens by it.
HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "accept-encoding")
# How long no connection is accepted: less than clients go on trying.
REFUSING_SECONDS = 0.3
ERROR_CODES = {
    403: "PERMISSION_DENIED",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Fault(Enum):
    """What becomes of a call."""

    REFUSED = "the connection is reset, and for a moment no other is accepted"
    RESET = "the connection is reset before the API has seen the call"
    LOST = "the connection is closed before the API has seen the call"
    UNANSWERED = "the API acts, and the connection is cut before its answer"
    SILENT = "the API acts, and nothing is answered until the test lets go"
    STALE = "what stood before is answered, by `before`"
    UNAVAILABLE = 503
    TOO_MANY = 429
    CONFLICT = 409
    FAILED = 500
    FORBIDDEN = 403


@dataclass
class FaultProxy:
    """`plan` is asked for each call, whose name is as `Call` has it; None lets it pass. It may wait, and the call does.

    `target` is the emulator's address, and `before` that of another that stands as the first one stood before.
    """

    target: str
    before: str = ""
    plan: Callable[[Call], Fault | None] = field(default=lambda call: None)
    calls: list[Call] = field(default_factory=list[Call])
    address: str = ""
    silenced: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)
    _listening: threading.Lock = field(default_factory=threading.Lock)

    def peace(self) -> None:
        """Let everything pass again; what is not answered stays so."""
        self.plan = lambda call: None

    def let_go(self) -> None:
        """Cut the connections of what is not answered."""
        self._released.set()
        self._released = threading.Event()
        self.silenced.clear()

    def at(self, call: str, fault: Fault, *, lasting: bool = False) -> None:
        """A fault at the next such call; with `lasting`, what is behind the proxy is out of reach from then on."""
        is_over = False

        def plan(found: Call) -> Fault | None:
            nonlocal is_over
            if is_over:
                return Fault.LOST if lasting else None
            is_over = found.name == call
            return fault if is_over else None

        self.plan = plan

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        self._listen(0)
        try:
            yield self
        finally:
            self.let_go()
            with self._listening:
                self._stop()

    def _listen(self, port: int) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self) -> None:
                proxy._serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - as the base class looks for them

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._server = server

    def _stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _refuse(self, request: BaseHTTPRequestHandler) -> None:
        """Accept nothing for a moment, from before the client hears of it; connections that stand go on."""
        with self._listening:
            self._stop()
            _reset(request)
            threading.Event().wait(REFUSING_SECONDS)
            self._listen(int(self.address.rpartition(":")[2]))

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        call = read_call(request.command, request.path, request.headers.get("user-agent", ""), body)
        self.calls.append(call)
        fault = self.plan(call)
        released = self._released
        if fault is Fault.REFUSED:
            self._refuse(request)
            return
        if fault is Fault.RESET:
            _reset(request)
            return
        if fault is Fault.LOST:
            request.close_connection = True
            return
        if fault and isinstance(fault.value, int):
            content = f'{{"error_code": "{ERROR_CODES[fault.value]}", "message": "not now"}}'
            self._answer(request, fault.value, content.encode())
            return
        answer = self._forward(request, body, self.before if fault is Fault.STALE else self.target)
        if fault is Fault.SILENT:
            self.silenced.set()
            released.wait()
        if answer is None or fault in (Fault.UNANSWERED, Fault.SILENT):
            request.close_connection = True
            return
        self._answer(request, answer.status_code, answer.content)

    @staticmethod
    def _forward(request: BaseHTTPRequestHandler, body: bytes, target: str) -> httpx.Response | None:
        """The API's answer, or nothing from one that was ended meanwhile."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        with suppress(httpx.TransportError), httpx.Client(timeout=60, trust_env=False, verify=False) as client:
            return client.request(request.command, f"{target}{request.path}", content=body, headers=headers)
        return None

    @staticmethod
    def _answer(request: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        if status == 429:
            request.send_header("Retry-After", "1")
        request.end_headers()
        # Who asked may have been killed meanwhile.
        with suppress(ConnectionError):
            request.wfile.write(content)


def _reset(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(request.connection.detach())
