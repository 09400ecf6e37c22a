"""What every part of the API shares: how it is called, how it refuses, how a body is read.

Owns the shape of a call and of a refusal; no endpoint, no storage.
"""

import sqlite3
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from starlette.responses import Response


class ApiError(Exception):
    """A refusal as the platform writes it. `error_code` is a number only where the platform's is (401, 403).

    `reason` is for refusals that clients tell apart by Google's ErrorInfo in the details.
    """

    def __init__(self, status: int, error_code: str | int, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.error_code = error_code
        self.message = message

    def content(self) -> dict[str, Any]:
        """The body of the answer."""
        content: dict[str, Any] = {"error_code": self.error_code, "message": self.message}
        if self.reason:
            content["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason}]
        return content


def invalid(message: str) -> ApiError:
    """A parameter that the platform does not take."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> ApiError:
    """Something that does not exist."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def exists(message: str) -> ApiError:
    """Something that exists already; the platform answers 400 here, not 409."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)


class Body(BaseModel):
    """A request body or a part of one: no conversion of types, no unknown field, so that a wrong one shows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def plain(self) -> dict[str, Any]:
        """What was sent, without the fields that were left out or null."""
        return self.model_dump(exclude_none=True)


B = TypeVar("B", bound=Body)


def only(names: str) -> AfterValidator:
    """For a string: one of these values. For a dictionary: no other keys."""
    allowed = set(names.split())

    def check(value: Any) -> Any:
        if not {value} <= allowed if isinstance(value, str) else not set(value) <= allowed:
            raise ValueError(f"only {names.replace(' ', ', ')} can be given")
        return value

    return AfterValidator(check)


@dataclass(frozen=True)
class Caller:
    """Who calls: a user by name or a service principal by application id. Administrators may do everything."""

    name: str
    admin: bool


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, inside the transaction that its answer belongs to."""

    db: sqlite3.Connection
    caller: Caller
    base_url: str
    query: Mapping[str, str]
    path: Mapping[str, str]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    # The fields of a multipart body, files as bytes; None for any other body.
    form: Mapping[str, str | bytes] | None = field(default=None, repr=False)
    # What the workspace keeps outside the database.
    home: Path = Path()
    # A body that is a file's content, written to a file of its own that the handler may move away.
    upload: Path | None = None

    def need(self, name: str) -> str:
        """A query parameter that must be there. Raises ApiError."""
        value = self.query.get(name)
        if not value:
            raise invalid(f"Missing required field: {name}")
        return value

    def read(self, model: type[B]) -> B:
        """The JSON body. Raises ApiError, whose message names fields and never shows a value."""
        return _validated(lambda: model.model_validate_json(self.body or b"{}"))

    def check(self, model: type[B], fields: Mapping[str, Any]) -> B:
        """The same for fields that are parsed already."""
        return _validated(lambda: model.model_validate(dict(fields)))


def _validated(validate: Callable[[], B]) -> B:
    try:
        return validate()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    text = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in problems)
    # The platform tells a body that it cannot parse from one that it can but does not accept.
    malformed = any(p["type"] == "json_invalid" or p["type"].endswith("_type") for p in problems)
    raise ApiError(400, "MALFORMED_REQUEST" if malformed else "INVALID_PARAMETER_VALUE", text)


# Work that must not hold the transaction, such as a request to this same server: awaited after it, for JSON.
Later = Coroutine[Any, Any, dict[str, Any]]
# An answer is JSON, now or later, bytes, a file's content, one with headers of its own, or nothing at all.
Handler = Callable[[Call], dict[str, Any] | Later | bytes | Path | Response | None]
# Method, path and what answers; the whole API is one list of these.
Route = tuple[str, str, Handler]
