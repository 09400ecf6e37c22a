"""The stack's configuration as the program will see it, and where it was read: the backend, or the stack file alone.

Through the backend Pulumi decrypts it (`pulumi config --show-secrets`). Where none is configured, or it cannot read
the stack, the stack file's plain values are taken, and what is encrypted there is named and not read. Owns no judgement
of any value: that is the settings' own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from components.settings import PROJECT
from toolchain.pulumi_json import PulumiError, pulumi_json


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Values by key with its namespace, secrets in the clear.

    `unread` are keys that hold something encrypted, which could not be read; `problem` says why, where it should have
    been.
    """

    values: Mapping[str, str] = field(repr=False)
    secret_keys: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    source: str
    problem: str = ""

    def get(self, key: str) -> str | None:
        """One value, or None."""
        return self.values.get(key)


def from_backend(stack: str, environ: Mapping[str, str], project: Path) -> Configuration:
    """The configuration, decrypted; the stack file's plain values where the backend could not be asked."""
    entries: dict[str, dict[str, Any]]
    try:
        entries = pulumi_json(["config", "--json", "--show-secrets", "--stack", stack], environ, project)
    except PulumiError as error:
        return from_file(project / f"Pulumi.{stack}.yaml", problem=str(error))
    return Configuration(
        # A key that was set to nothing has no value in Pulumi's answer.
        values={key: str(entry.get("value", "")) for key, entry in entries.items()},
        secret_keys=frozenset(key for key, entry in entries.items() if entry.get("secret")),
        source="the stack's configuration, decrypted by Pulumi",
    )


def from_file(file: Path, *, problem: str = "") -> Configuration:
    """The plain values of a stack file, in the form in which the engine hands them to a program.

    Raises:
        OSError: there is no such file.
        yaml.YAMLError: it is not YAML.
    """
    content: Any = yaml.safe_load(file.read_text())
    config = _map(_map(content).get("config"))
    values: dict[str, str] = {}
    unread: set[str] = set()
    for name, value in config.items():
        key = name if ":" in name else f"{PROJECT}:{name}"
        if _encrypted(value):
            unread.add(key)
        else:
            values[key] = value if isinstance(value, str) else json.dumps(value)
    return Configuration(
        values=values, unread=frozenset(unread), source=f"the plain values of {file.name}", problem=problem
    )


def _encrypted(value: Any) -> bool:
    """Whether a value is encrypted, wholly or in part."""
    if isinstance(value, dict):
        return "secure" in value or any(map(_encrypted, cast("dict[str, Any]", value).values()))
    return isinstance(value, list) and any(map(_encrypted, cast("list[Any]", value)))


def _map(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
