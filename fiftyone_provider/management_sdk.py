"""The one adapter to `fiftyone.management`: its calls, each with a deadline, and its failures in our words.

The SDK has no timeouts, no documented exceptions for most failures, and several forms in which things may be read
back; all of them are taken. What an exception says is never shown, because it may quote the arguments of a call.
"""

import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic.alias_generators import to_camel

from fiftyone_provider.client import (
    FiftyOneError,
    Registration,
    SecretInfo,
    UnknownOutcomeError,
    UnreachableError,
)
from fiftyone_provider.deadline import DeadlineError, within

T = TypeVar("T")

_LOST: Final = re.compile("Connect|Timeout|Transport|Network|Disconnected|Protocol|Incomplete|Chunked|MaxRetry|SSL")
_WORTH_ANOTHER_TRY: Final = (408, 429, *range(500, 600))
# Words of their own: exceptions quote names, and an orchestrator may be called `admin-gpu` or `gpu-401`.
_UNKNOWN_KEY: Final = re.compile(r"(?<![\w/-])(401|unauthori[sz]ed|invalid api key)(?![\w/-])")
_LACKING_ROLE: Final = re.compile(r"(?<![\w/-])(403|forbidden|permissions?|admins?)(?![\w/-])")


class ManagementSdk:
    """`FiftyOne` by way of the SDK's module.

    Args:
        sdk: the loaded module.
        uri: the API's address, for messages.
        seconds: how long one call may take.
    """

    def __init__(self, sdk: Any, *, uri: str, seconds: float) -> None:
        self._sdk, self._uri, self._seconds = sdk, uri, seconds

    def secret(self, key: str) -> SecretInfo | None:
        try:
            found = self._ask(lambda: self._sdk.get_secret_info(key), f"read secret {key}")
        except _NotSaidError:
            found = None
            if key in self._keys():
                raise FiftyOneError(f"FiftyOne lists secret {key} and cannot read it.") from None
        return None if found is None else SecretInfo(key=key, description=found.description or "")

    def add_secret(self, key: str, value: str, description: str) -> None:
        self._change(lambda: self._sdk.add_secret(key, value, description=description), f"add secret {key}")

    def update_secret(self, key: str, value: str | None, description: str) -> None:
        given = {"description": description} if value is None else {"value": value, "description": description}
        self._change(lambda: self._sdk.update_secret(key, **given), f"update secret {key}")

    def delete_secret(self, key: str) -> None:
        self._change(lambda: self._sdk.delete_secret(key), f"delete secret {key}")

    def orchestrator(self, instance_id: str) -> Registration | None:
        try:
            return self._ask(
                lambda: _registration(instance_id, self._sdk.get_orchestrator(instance_id)),
                f"read orchestrator {instance_id}",
            )
        except _NotSaidError:
            # ValueError is documented for one that is missing, and may have other causes.
            if instance_id in self._ask(
                lambda: self._sdk.list_orchestrators(include_deactivated=True), "list orchestrators"
            ):
                raise FiftyOneError(
                    f"FiftyOne lists orchestrator {instance_id} and cannot read it. Was it deactivated? Activate or "
                    "delete it there."
                ) from None
            return None

    def register(self, registration: Registration) -> None:
        def call() -> None:
            environment = self._sdk.OrchestratorEnvironment(registration.environment)
            self._sdk.register_orchestrator(
                instance_id=registration.instance_id,
                description=registration.description,
                environment=environment,
                config={environment: dict(registration.config)},
                secrets={environment: dict(registration.secrets)},
            )

        self._change(call, f"register orchestrator {registration.instance_id}")

    def delete_orchestrator(self, instance_id: str) -> None:
        self._change(lambda: self._sdk.delete_orchestrator(instance_id), f"delete orchestrator {instance_id}")

    def role(self) -> str | None:
        """The role of the key's owner, such as `ADMIN`; None where the SDK has no `whoami` to tell it."""
        if not hasattr(self._sdk, "whoami"):
            return None
        found: Any = self._ask(self._sdk.whoami, "read whose key it is")
        return str(getattr(found.role, "value", found.role))

    def _keys(self) -> set[str]:
        """Names, or documents with a key: the documentation has both."""
        listed: list[Any] = self._ask(self._sdk.list_secrets, "list secrets")
        return {str(getattr(entry, "key", entry)) for entry in listed}

    def _ask(self, call: Callable[[], T], what: str) -> T:
        """Raises _NotSaidError, which any caller may let pass, where the SDK may mean that there is no such thing."""
        try:
            return within(self._seconds, call)
        except DeadlineError:
            raise UnreachableError(self._slow(what)) from None
        except Exception as error:  # noqa: BLE001 - the SDK's exceptions are not documented
            if self._lost(error):
                raise UnreachableError(self._unreachable(what, error), again=True) from None
            text = self._refused(error) or _failed(what, error)
            raise (_NotSaidError(text) if _may_be_missing(error) else FiftyOneError(text)) from None

    def _change(self, call: Callable[[], object], what: str) -> None:
        try:
            within(self._seconds, call)
        except DeadlineError:
            raise UnknownOutcomeError(f"{self._slow(what)} It may still happen.") from None
        except Exception as error:  # noqa: BLE001 - the SDK's exceptions are not documented
            if self._lost(error):
                raise UnknownOutcomeError(self._unreachable(what, error), again=True) from None
            refused = self._refused(error)
            # What the SDK raises otherwise may be about an answer that it could not read.
            certain = refused or type(error) is ValueError or _status(error)
            raise (FiftyOneError if certain else UnknownOutcomeError)(refused or _failed(what, error)) from None

    def _lost(self, error: Exception) -> bool:
        """Whether the answer got lost on the way, or is one of those that another attempt may change."""
        if (status := _status(error)) is not None:
            return status in _WORTH_ANOTHER_TRY
        names = [kind.__name__ for kind in type(error).__mro__]
        return isinstance(error, (TimeoutError, socket.gaierror)) or any(map(_LOST.search, names))

    def _unreachable(self, what: str, error: Exception) -> str:
        status = _status(error)
        kind = f"it answered {status}" if status else type(error).__name__
        return (
            f"FiftyOne's API at {self._uri} could not be reached to {what} ({kind}). Check `fiftyone:apiUri`, and that "
            "this machine may reach it; then run the same command again."
        )

    def _slow(self, what: str) -> str:
        return (
            f"FiftyOne's API at {self._uri} took more than {self._seconds:g} s to {what}, and was given up. Run the "
            "same command again; `fiftyone:timeoutSeconds` gives it longer."
        )

    def _refused(self, error: Exception) -> str | None:
        """What is wrong with the key, if anything."""
        status, text = _status(error), str(error).lower()
        if status == 401 or (status is None and _UNKNOWN_KEY.search(text)):
            return (
                f"FiftyOne's API at {self._uri} does not accept the key. Set `fiftyone:apiKey` or FIFTYONE_API_KEY to "
                "one of an Admin service account of this deployment."
            )
        if status == 403 or (status is None and _LACKING_ROLE.search(text)):
            return (
                f"FiftyOne's API at {self._uri} accepts the key and refuses what it asks for: registering takes the "
                "Admin role. Give that role to the key's service account, or set another key."
            )
        return None


class _NotSaidError(FiftyOneError):
    """The SDK raised what it raises for something missing; the text is for where nothing can be."""


def _registration(instance_id: str, found: Any) -> Registration:
    environment = str(getattr(found.environment, "value", found.environment))
    return Registration(
        instance_id=instance_id,
        description=found.description or "",
        environment=environment,
        config=_flat(found.config, environment),
        secrets=_flat(found.secrets, environment),
        operators=tuple(sorted(map(str, found.available_operators or ()))),
        created_at=_instant(getattr(found, "created_at", None)),
    )


def _instant(when: Any) -> str:
    """A time as text; one that knows its zone reads the same in all of them."""
    aware = isinstance(when, datetime) and when.tzinfo is not None
    return str(when.astimezone(UTC).isoformat() if aware else when or "")


def _flat(given: Mapping[Any, Any] | None, environment: str) -> dict[str, str]:
    """Settings of an environment in camelCase, nested under it or not; what is not set is left out."""
    entries = {str(getattr(name, "value", name)): value for name, value in (given or {}).items()}
    own: Mapping[Any, Any] = entries.get(environment, entries) or {}
    return {to_camel(str(name)): str(value) for name, value in own.items() if value is not None}


def _may_be_missing(error: Exception) -> bool:
    status = _status(error)
    return status == 404 or (isinstance(error, (ValueError, LookupError)) and status not in (401, 403))


def _status(error: Exception) -> int | None:
    """The HTTP status that an exception carries, under the names that clients give it."""
    for holder in (getattr(error, "response", None), error):
        for name in ("status_code", "status", "code"):
            found = getattr(holder, name, None)
            if isinstance(found, int) and not isinstance(found, bool):
                return found
    return None


def _failed(what: str, error: Exception) -> str:
    return (
        f"FiftyOne refused to {what} ({type(error).__name__}). The log of its API says why: what it answered is not "
        "shown here, because it may quote a secret."
    )
