"""The limits of a stack: `limits/<stack>.json` beside the pack, over the rules' defaults.

The file holds, by rule, the limits that differ from their defaults: `{"pool-capacity": {"maxCapacity": 40}}`. It is the
only way to change one, so that a change is reviewed like code; no rule can be switched off or made advisory in it.
"""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pack.refusal import PackRefusedError
from rules.model import Limit, Rule

LIMITS = Path(__file__).parent.parent / "limits"
# How an enforcement level is set in a configuration of Pulumi's own.
LEVELS = ("enforcementLevel", "all")


def read_limits(stack: str, rules: Sequence[Rule], folder: Path = LIMITS) -> dict[Limit[Any], Any]:
    """The limits that the stack's file sets; without a file there are none, and the defaults hold.

    Raises:
        PackRefusedError: the file cannot be read, or holds something that is not a limit of these rules.
    """
    file = folder / f"{stack}.json"
    shown = f"{file.parent.parent.name}/{file.parent.name}/{file.name}"
    if file.parent != folder:
        raise PackRefusedError(f"{stack!r} is no name of a stack, whose limits file lies in {folder.name}/")
    # A link that leads nowhere is a file that somebody meant.
    if not file.exists() and not file.is_symlink():
        return {}
    try:
        content = json.loads(file.read_text(), object_pairs_hook=_without_doubles)
    except RecursionError:
        raise PackRefusedError(f"{shown} is not readable JSON: it is nested too deep") from None
    except (OSError, ValueError) as error:
        raise PackRefusedError(f"{shown} is not readable JSON: {error}") from None
    by_name = {rule.name: rule for rule in rules}
    found: dict[Limit[Any], Any] = {}
    for name, limits in _object(content, shown, "the file").items():
        if name in LEVELS or isinstance(limits, str):
            raise PackRefusedError(f"{shown} sets {name} to a level, and every rule is mandatory: drop it")
        if name not in by_name:
            raise PackRefusedError(f"{shown} names {name}, which is no rule{_nearest(name, by_name)}")
        rule = by_name[name]
        for key, value in _object(limits, shown, name).items():
            limit = _limit(rule, key, shown)
            found[limit] = _parsed(limit, value, f"{shown}: {name}.{key}")
    return found


def _limit(rule: Rule, key: str, shown: str) -> Limit[Any]:
    if key in LEVELS:
        raise PackRefusedError(f"{shown} sets {rule.name}.{key}, and every rule is mandatory: drop it")
    limits = {limit.name: limit for limit in rule.limits}
    if key not in limits:
        raise PackRefusedError(f"{shown} sets {rule.name}.{key}, which is no limit{_nearest(key, limits)}")
    return limits[key]


def _parsed(limit: Limit[Any], value: Any, where: str) -> Any:
    try:
        return limit.parse(value)
    except ValueError as error:
        raise PackRefusedError(f"{where} must be {error}") from None


def _object(value: Any, shown: str, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PackRefusedError(f"{shown}: {what} must be an object, with a name for each entry")
    return value  # pyright: ignore[reportUnknownVariableType] - JSON


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _nearest(name: str, known: dict[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known) or 'none'}"
