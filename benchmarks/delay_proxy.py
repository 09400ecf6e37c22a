"""A server in front of the embedded workspace that holds every request for a moment, as a network does.

Owns when each request came and when its answer went. Everything passes unchanged, the addressee too, because the
workspace tells clients where to get tokens by it.
"""

import http.client
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What belongs to one connection.
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")


@dataclass(frozen=True, kw_only=True)
class Passed:
    """One request: what was asked, and when it came and was answered, in seconds of a clock of no beginning."""

    path: str
    came: float
    answered: float


@dataclass(kw_only=True)
class DelayProxy:
    """Holds each request for `seconds` before it is passed on to `target`."""

    target: str
    seconds: float
    address: str = ""
    passed: list[Passed] = field(default_factory=list[Passed])

    @contextmanager
    def running(self) -> Generator["DelayProxy"]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else the body of an answer waits for the receipt of its head.
            disable_nagle_algorithm = True
            upstream: http.client.HTTPConnection

            def setup(self) -> None:
                super().setup()
                self.upstream = http.client.HTTPConnection(urlsplit(proxy.target).netloc)

            def finish(self) -> None:
                self.upstream.close()
                super().finish()

            def serve(self) -> None:
                came = time.monotonic()
                proxy._serve(self, self.upstream)
                passed = Passed(path=self.path, came=came, answered=time.monotonic())
                proxy.passed.append(passed)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler, upstream: http.client.HTTPConnection) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        time.sleep(self.seconds)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        upstream.request(request.command, request.path, body=body or None, headers=headers)
        answer = upstream.getresponse()
        content = answer.read()
        request.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def side_by_side(passed: list[Passed]) -> float:
    """How many requests were on their way at once, on average over the time in which any was."""
    spans = sorted((one.came, one.answered) for one in passed)
    busy, until = 0.0, float("-inf")
    for came, answered in spans:
        busy += max(answered - max(came, until), 0.0)
        until = max(until, answered)
    return sum(answered - came for came, answered in spans) / busy if busy else 0.0
