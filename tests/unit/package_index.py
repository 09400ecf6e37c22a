"""A package index on loopback, of wheels that are metadata and nothing else; one may ask for a password."""

import io
import threading
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from packaging.utils import canonicalize_name

# Requirements by package and version.
Packages = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass
class Index:
    """What it holds, and what it was asked."""

    packages: Packages
    port: int = 0
    password: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list[str])

    def url(self, user: str = "", path: str = "simple") -> str:
        return f"http://{user}127.0.0.1:{self.port}/{path}/"


def wheel(name: str, version: str, requires: Sequence[str]) -> bytes:
    buffer, info = io.BytesIO(), f"{name.replace('-', '_')}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


@contextmanager
def served(packages: Packages, *, password: str = "", status: int = 200) -> Iterator[Index]:
    """An index that answers until the block ends."""
    index = Index(packages, password=password, status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            given = self.headers.get("Authorization", "")
            if index.password and given != f"Basic {b64encode(index.password.encode()).decode()}":
                self._answer(401, b"", "text/plain")
                return
            if index.status != 200:
                self._answer(index.status, b"", "text/plain")
                return
            parts = self.path.partition("?")[0].strip("/").split("/")
            name = canonicalize_name(parts[-1])
            if parts[0] == "files":
                package, version = parts[-1].split("-")[:2]
                package = canonicalize_name(package)
                content = wheel(package, version, index.packages[package][version])
                self._answer(200, content, "application/octet-stream")
            elif name in index.packages:
                files = [f"{name.replace('-', '_')}-{version}-py3-none-any.whl" for version in index.packages[name]]
                links = "".join(f'<a href="/files/{file}">{file}</a>' for file in files)
                self._answer(200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
            else:
                self._answer(404, b"", "text/plain")

        def _answer(self, code: int, content: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if code == 401:
                self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
