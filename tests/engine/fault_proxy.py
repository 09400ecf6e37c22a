"""A server in front of the emulator that loses requests and answers where a test says so."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

# What belongs to one connection; the addressee stays, because the emulator tells clients where to get tokens by it.
HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "accept-encoding")


class Fault(Enum):
    """What becomes of a call."""

    LOST = "the connection is cut before the API has seen the call"
    UNANSWERED = "the API acts, and the connection is cut before its answer"
    SILENT = "the API acts, and nothing is answered until the test lets go"
    UNAVAILABLE = 503
    TOO_MANY = 429
    FORBIDDEN = 403


@dataclass
class FaultProxy:
    """`plan` is asked for each call; None lets it pass.

    A call of FiftyOne's is `function argument`, such as `add_secret HOST_GPU`; one of Databricks' is its method and
    path, such as `POST /api/2.0/secrets/put`.
    """

    target: str
    plan: Callable[[str], Fault | None] = field(default=lambda call: None)
    calls: list[str] = field(default_factory=list[str])
    address: str = ""
    silenced: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def peace(self) -> None:
        """Let everything pass again."""
        self.plan = lambda call: None

    def at(self, call: str, fault: Fault, *, nth: int = 1, lasting: bool = False) -> None:
        """A fault at the nth such call from now; with `lasting`, FiftyOne is out of reach from then on."""
        seen = 0

        def plan(found: str) -> Fault | None:
            nonlocal seen
            if seen >= nth:
                return Fault.LOST if lasting else None
            seen += found == call
            return fault if seen >= nth else None

        self.plan = plan

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                proxy._serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - as the base class looks for them

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._released.set()
            server.shutdown()
            server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        call = _named(request.command, request.path, body)
        self.calls.append(call)
        fault = self.plan(call)
        if fault is Fault.LOST:
            request.close_connection = True
            return
        if fault and isinstance(fault.value, int):
            self._answer(request, fault.value, b'{"message": "not now"}')
            return
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        url = f"{self.target}{request.path}"
        with httpx.Client(timeout=60, trust_env=False) as client:
            answer = client.request(request.command, url, content=body, headers=headers)
        if fault is Fault.SILENT:
            self.silenced.set()
            self._released.wait()
        if fault in (Fault.UNANSWERED, Fault.SILENT):
            request.close_connection = True
            return
        self._answer(request, answer.status_code, answer.content)

    @staticmethod
    def _answer(request: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def _named(method: str, path: str, body: bytes) -> str:
    import json

    if not path.startswith("/fiftyone/"):
        return f"{method} {path.partition('?')[0]}"
    arguments = json.loads(body or b"{}")
    what = arguments.get("key") or arguments.get("instance_id") or ""
    return f"{path.rpartition('/')[2]} {what}".strip()
