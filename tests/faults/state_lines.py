"""What a stack's state holds, as lines: what there is by which ids and, apart, all that it remembers of that."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

# What marks a value that is encrypted in the state (pulumi: sdk/go/common/resource/sig).
SECRET = "4dabf18193072939515e22adb298388d"
# When something was done.
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
MARKS = ("delete", "external", "initErrors", "pendingReplacement", "taint")


def resource_lines(deployment: Mapping[str, Any]) -> Iterator[str]:
    """Each resource with its id, the token of its write to FiftyOne, and what is not at its end."""
    for operation in deployment.get("pending_operations") or []:
        yield f"state: {operation['type']} {operation['resource']['urn']} has no end"
    for name, resource in _resources(deployment):
        yield " ".join([name, resource["id"], str((resource.get("outputs") or {}).get("token", ""))]).rstrip()
        yield from (f"{name} {mark}" for mark in MARKS if resource.get(mark))


def memory_lines(deployment: Mapping[str, Any], secrets: Mapping[str, str]) -> Iterator[str]:
    """All that the state remembers, which is what the next run goes by: secrets in the clear, so not to be shown.

    The deployment is one that was exported so. Secrets that differ from run to run have names, by their hash.
    """
    for name, resource in _resources(deployment):
        for side in ("inputs", "outputs"):
            text = json.dumps(_named(resource.get(side), secrets), sort_keys=True)
            yield f"{name} {side} {TIME.sub('<time>', text)}"


def _resources(deployment: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for resource in deployment.get("resources") or []:
        # Providers have ids of their own.
        if resource.get("custom") and not resource["type"].startswith("pulumi:"):
            yield f"state {resource['urn'].rpartition('$')[2]}", resource


def _named(value: Any, secrets: Mapping[str, str]) -> Any:
    match value:
        case str():
            return secrets.get(hashlib.sha256(value.encode()).hexdigest(), value)
        case list():
            return [_named(each, secrets) for each in cast("list[Any]", value)]
        case dict() if SECRET in value:
            return _named(json.loads(value["plaintext"]), secrets)
        case dict():
            return {key: _named(each, secrets) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value
