"""FiftyOne in memory, as the providers' protocol has it, and the engine's part in a few lines, for tests of both.

Faults are placed by the number of the call: before it acts, or after, when its answer gets lost.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from databricks_provider.left_overs import LEFT_OVERS
from fiftyone_provider.client import FiftyOneError, Registration, SecretInfo, UnknownOutcomeError, UnreachableError
from fiftyone_provider.connection import CONNECTION
from fiftyone_provider.orchestrator import OrchestratorProvider
from fiftyone_provider.registering import token_of
from fiftyone_provider.secret import SecretProvider

MARK = "fiftyone-databricks/test/gpu"
READS = ("secret", "orchestrator")
KEY = "CLIENT_SECRET_GPU"
IDS = {"secret": KEY, "orchestrator": "gpu"}
# Secrets that are not the stack's, by field.
OTHERS = {"host": "SHARED_HOST", "accountId": "SHARED_ACCOUNT"}


@dataclass
class FakeFiftyOne:
    """The documented behaviour, and either of the undocumented ones."""

    delete_takes_secrets: bool = False
    secrets: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    orchestrators: dict[str, Registration] = field(default_factory=dict[str, Registration])
    calls: list[str] = field(default_factory=list[str])
    # Called with the number of the call, its name, and whether it has acted; raises the fault.
    fault: Callable[[int, str, bool], None] = lambda number, name, acted: None

    @contextmanager
    def _call(self, name: str, what: str) -> Iterator[None]:
        number = len(self.calls)
        self.calls.append(f"{name} {what}")
        self.fault(number, name, False)
        yield
        self.fault(number, name, True)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call.split()[0] not in READS]

    def secret(self, key: str) -> SecretInfo | None:
        with self._call("secret", key):
            found = self.secrets.get(key)
        return None if found is None else SecretInfo(key=key, description=found[1])

    def add_secret(self, key: str, value: str, description: str) -> None:
        with self._call("add_secret", key):
            if key in self.secrets:
                raise FiftyOneError(f"{key} exists")
            self.secrets[key] = (value, description)

    def update_secret(self, key: str, value: str | None, description: str) -> None:
        with self._call("update_secret" if value is None else "update_secret_value", key):
            self.secrets[key] = (self.secrets[key][0] if value is None else value, description)

    def delete_secret(self, key: str) -> None:
        with self._call("delete_secret", key):
            del self.secrets[key]

    def orchestrator(self, instance_id: str) -> Registration | None:
        with self._call("orchestrator", instance_id):
            return self.orchestrators.get(instance_id)

    def register(self, registration: Registration) -> None:
        with self._call("register", registration.instance_id):
            if registration.instance_id in self.orchestrators:
                raise FiftyOneError(f"{registration.instance_id} exists")
            for name in registration.secrets.values():
                assert name in self.secrets, f"{name} would be stored as a value"
            made = f"made by call {len(self.calls)}"
            self.orchestrators[registration.instance_id] = replace(registration, operators=(), created_at=made)

    def delete_orchestrator(self, instance_id: str) -> None:
        with self._call("delete_orchestrator", instance_id):
            gone = self.orchestrators.pop(instance_id)
            if self.delete_takes_secrets:
                for name in gone.secrets.values():
                    self.secrets.pop(name, None)


def connect(fiftyone: FakeFiftyOne, api_uri: str = "") -> None:
    """Have the providers of this process ask it."""
    CONNECTION._client, CONNECTION._out_of_reach = fiftyone, False  # pyright: ignore[reportPrivateUsage]
    CONNECTION._settings = {"apiUri": api_uri, "apiKey": "hidden-key"}  # pyright: ignore[reportPrivateUsage]


def down(name: str, acted: bool) -> None:
    """FiftyOne does not answer."""
    kind = UnreachableError if name in READS else UnknownOutcomeError
    raise kind(f"unreachable to {name}", again=True)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What settings ask for; `existing` are names of secrets that are not the stack's, by field."""

    job: str = "1"
    description: str = "Runs"
    client_secret: str = "hidden-one"
    existing: Mapping[str, str] = field(default_factory=dict[str, str])
    allow_reregister: bool = False

    def secret(self) -> dict[str, Any]:
        return {
            "key": KEY,
            "value": self.client_secret,
            "valueId": f"id of {self.client_secret}",
            "description": "credential",
            "mark": MARK,
        }

    def orchestrator(self, secret: Mapping[str, Any]) -> dict[str, Any]:
        own = {
            secret["key"]: {
                "value": self.client_secret,
                "description": f"credential [pulumi-stack: {MARK} #{secret['token']}]",
                "settled": secret["settled"],
            }
        }
        return {
            "instanceId": "gpu",
            "description": self.description,
            "mark": MARK,
            "environment": "databricks",
            "config": {"jobId": self.job, "executionTaskId": "execute_task"},
            "secrets": {"clientSecret": secret["key"], **self.existing},
            "ownSecrets": own,
            "existingSecrets": sorted(self.existing.values()),
            "allowReregister": self.allow_reregister,
        }


@dataclass
class Engine:
    """What the engine does with one secret, the orchestrator that refers to it, and what depends on that.

    After a run that went wrong the next one is told to look for left-overs, as `make` does.
    """

    fiftyone: FakeFiftyOne
    api_uri: str = "https://fiftyone"
    went_wrong: bool = False
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    state: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def up(self, wanted: Wanted | None) -> str:
        """Deploy; what went wrong, or nothing. A failed step leaves the state of its resource as it was."""
        connect(self.fiftyone, self.api_uri)
        with patch.dict(os.environ, {LEFT_OVERS: "yes" if self.went_wrong else ""}):
            problem = self._up(wanted)
        self.went_wrong = bool(problem)
        return problem

    def refresh(self) -> None:
        """Take what is found into the state; the engine has what was found compared with the inputs of before."""
        connect(self.fiftyone, self.api_uri)
        for name, provider in (("secret", SecretProvider()), ("orchestrator", OrchestratorProvider())):
            olds = self.state.get(name)
            found = provider.read(IDS[name], olds) if olds else None
            if found and found.outs and found.id:
                if found.outs != olds:
                    provider.diff(IDS[name], found.outs, self.inputs[name])
                self.state[name] = found.outs
            else:
                self.state.pop(name, None)

    def _up(self, wanted: Wanted | None) -> str:
        try:
            if wanted is None:
                self._delete()
            else:
                self._step("secret", SecretProvider(), wanted.secret())
                self._step("orchestrator", OrchestratorProvider(), wanted.orchestrator(self.state["secret"]))
                self._refresh_operators()
        except FiftyOneError as error:
            return str(error)
        return ""

    def _step(self, name: str, provider: SecretProvider | OrchestratorProvider, news: dict[str, Any]) -> None:
        failures = provider.check({}, news).failures
        if failures:
            raise FiftyOneError(failures[0].reason)
        olds = self.state.get(name)
        if olds is None:
            self.state[name] = provider.create(news).outs or {}
        elif provider.diff(IDS[name], olds, news).changes:
            self.state[name] = provider.update("", olds, news).outs or {}
        self.inputs[name] = news

    def _refresh_operators(self) -> None:
        """Depends on the registration, and makes sure of it whenever it is another one."""
        token = self.state["orchestrator"]["token"]
        if self.state.get("refresh") != {"registration": token}:
            found = self.fiftyone.orchestrator("gpu")
            if found is None or token_of(found) != token:
                raise FiftyOneError("the registration is not in place")
            self.state["refresh"] = {"registration": token}

    def _delete(self) -> None:
        self.state.pop("refresh", None)
        for name, provider in (("orchestrator", OrchestratorProvider()), ("secret", SecretProvider())):
            if name in self.state:
                provider.delete(IDS[name], self.state[name])
                del self.state[name]


SHARED = Wanted(existing=OTHERS)


def shared(fiftyone: FakeFiftyOne) -> FakeFiftyOne:
    """It has the secrets that exist already."""
    fiftyone.secrets.update(dict.fromkeys(OTHERS.values(), ("theirs", "by hand")))
    return fiftyone


def theirs() -> Registration:
    """An orchestrator of our id that somebody registered by hand."""
    return Registration(instance_id="gpu", description="by hand", environment="databricks", config={}, secrets={})
