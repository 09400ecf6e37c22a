"""The HTTP server around the endpoints: one transaction a request, the refusals, the request log."""

import json
import sys
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any, TextIO

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route as HttpRoute

from emulator import (
    callers,
    cluster_catalogue,
    console_api,
    fiftyone_api,
    identity,
    jobs,
    oauth,
    oauth_secrets,
    permissions,
    pools,
    rule_sets,
    runs,
    secret_scopes,
    service_principals,
    volumes,
    workspace,
)
from emulator.api import ApiError, Call, Handler, Route, invalid
from emulator.executor import Executor
from emulator.store import open_store, transaction

NAME = "databricks-workspace-stand-in"
ROUTES: list[Route] = [
    *identity.ROUTES,
    *oauth.ROUTES,
    *service_principals.ROUTES,
    *oauth_secrets.ROUTES,
    *rule_sets.ROUTES,
    *pools.ROUTES,
    *cluster_catalogue.ROUTES,
    *secret_scopes.ROUTES,
    *workspace.ROUTES,
    *volumes.ROUTES,
    *jobs.ROUTES,
    *runs.ROUTES,
    *permissions.ROUTES,
    *fiftyone_api.ROUTES,
    *console_api.ROUTES,
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def make_app(database: Path, request_log: Path, token: str) -> Starlette:
    """The whole API on one database, and the runs. The caller owns the process and the files' modes."""
    db, home = open_store(database), database.parent
    executor = Executor(db, home)
    log = request_log.open("a", encoding="utf-8", buffering=1)

    def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        return _endpoint(handler, db, home, executor, log, token)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        executor.recover()
        executor.advance()
        yield
        await executor.close()

    routes = [HttpRoute(path, endpoint(handler), methods=[method]) for method, path, handler in ROUTES]
    routes.append(HttpRoute("/{rest:path}", endpoint(_unknown), methods=METHODS))
    return Starlette(routes=routes, lifespan=lifespan)


def _unknown(call: Call) -> dict[str, Any]:
    raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{call.path['rest']}'")


def _endpoint(
    handler: Handler, db: Connection, home: Path, executor: Executor, log: TextIO, token: str
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        error_code: str | int | None = None
        upload: Path | None = None
        try:
            caller = callers.find(handler, request.headers, db, home, token)
            form = await _form(request)
            if handler is volumes.upload:
                upload = volumes.new_upload(home)
                await _stream(request, upload)
            body = await request.body() if form is None and upload is None else b""
            # No await in here: requests that arrive together are answered one after the other.
            with transaction(db):
                result = handler(
                    Call(
                        db=db,
                        caller=caller,
                        base_url=str(request.base_url).rstrip("/"),
                        query=dict(request.query_params),
                        path=request.path_params,
                        body=body,
                        headers=request.headers,
                        form=form,
                        home=home,
                        upload=upload,
                    )
                )
            if request.method == "POST":
                executor.advance()
            if isinstance(result, Coroutine):
                result = await result
            response = _response(result)
        except ApiError as error:
            error_code = error.error_code
            response = JSONResponse(error.content(), status_code=error.status)
        except Exception as error:  # noqa: BLE001 - the platform answers every failure of its own with a 500
            # The place, and not the message, which may quote what was sent.
            print(
                type(error).__name__, *traceback.format_tb(error.__traceback__), sep="\n", file=sys.stderr, flush=True
            )
            error_code = "INTERNAL_ERROR"
            response = JSONResponse({"error_code": error_code, "message": "Internal error."}, status_code=500)
        finally:
            if upload is not None:
                upload.unlink(missing_ok=True)
        line = {
            "time": datetime.now(UTC).isoformat(),
            "method": request.method,
            "path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "status": response.status_code,
            "error_code": error_code,
        }
        if handler not in console_api.READS:
            log.write(json.dumps(line) + "\n")
        return response

    return answer


def _response(result: dict[str, Any] | Response | bytes | Path | None) -> Response:
    if isinstance(result, Response):
        return result
    if isinstance(result, bytes):
        return Response(result, media_type="application/octet-stream")
    if isinstance(result, Path):
        return FileResponse(result, media_type="application/octet-stream")
    return Response(status_code=204) if result is None else JSONResponse(result)


async def _stream(request: Request, target: Path) -> None:
    """Write a body to a file piece by piece: it may be larger than memory. Raises ApiError."""
    size = 0
    with target.open("wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > volumes.MAX_BYTES:
                raise invalid(f"The file exceeds {volumes.MAX_BYTES} bytes.")
            file.write(piece)


async def _form(request: Request) -> dict[str, str | bytes] | None:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return None
    async with request.form() as form:
        return {name: await part.read() if isinstance(part, UploadFile) else part for name, part in form.items()}
