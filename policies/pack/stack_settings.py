"""What rules need to know of the stack's configuration, from the environment that the engine gives the pack.

PULUMI_CONFIG holds all of the configuration, secrets in the clear: the keys named here are all that is taken from it.
Defaults are those of the program's own settings.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pack.refusal import PackRefusedError
from rules.model import StackSettings


def stack_settings(environ: Mapping[str, str]) -> StackSettings:
    """The settings of the stack that the environment names.

    Raises:
        PackRefusedError: the environment names no stack, or a setting is of a wrong type.
    """
    stack = environ.get("PULUMI_STACK", "")
    if not stack:
        raise PackRefusedError("the engine named no stack (PULUMI_STACK), so there is no telling which limits hold")
    config: dict[str, Any] = json.loads(environ.get("PULUMI_CONFIG") or "{}")
    project = environ.get("PULUMI_PROJECT", "")
    scope = _parsed(config, f"{project}:secretScope")
    secrets_from = _parsed(config, f"{project}:secretsFrom")
    atlas = _parsed(config, "fiftyone:mongodbAtlas", True)
    capacity = _parsed(config, "fiftyone:delegatedOperationCapacity", 3)
    if not isinstance(atlas, bool):
        raise PackRefusedError("fiftyone:mongodbAtlas is neither true nor false")
    if not isinstance(capacity, int) or isinstance(capacity, bool):
        raise PackRefusedError("fiftyone:delegatedOperationCapacity is no whole number")
    return StackSettings(
        stack=stack,
        mongodb_atlas=atlas,
        delegated_operation_capacity=capacity,
        existing_scope=_existing(scope),
        now=_now(environ.get("ROTATION_CLOCK")),
        trigger_elsewhere=isinstance(secrets_from, Mapping) and "clientId" in secrets_from,
    )


def _now(clock: str | None) -> datetime:
    """The time by which credentials age; tests and rehearsals set it, as for the program."""
    try:
        given = datetime.fromisoformat(clock) if clock else datetime.now(UTC)
    except ValueError:
        raise PackRefusedError(f"ROTATION_CLOCK is {clock!r}, and must be a time as in 2027-01-31T00:00:00Z") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _parsed(config: Mapping[str, Any], key: str, default: Any = None) -> Any:
    raw = config.get(key)
    if not isinstance(raw, str):
        return default if raw is None else raw
    try:
        return json.loads(raw)
    except json.JSONDecodeError:
        return raw


def _existing(scope: Any) -> str | None:
    match scope:
        case {"name": str(name), "existing": True}:
            return name
        case _:
            return None
