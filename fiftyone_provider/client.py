"""What the providers need of FiftyOne, and how its failures are told apart; who answers is in `management_sdk`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class FiftyOneError(Exception):
    """FiftyOne, or what talks to it, refused. The text is for a person and holds no secret's value.

    `again` tells whether the same may work a moment later.
    """

    def __init__(self, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


class UnreachableError(FiftyOneError):
    """A question was not answered."""


class UnknownOutcomeError(FiftyOneError):
    """A change was asked for and the answer got lost, so that it may be done or not: look before acting again.

    One that took too long is not worth another try at once, because it may still happen.
    """


@dataclass(frozen=True, kw_only=True)
class SecretInfo:
    """A FiftyOne secret as it can be read: its value cannot."""

    key: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Registration:
    """An orchestrator as FiftyOne knows it.

    `config` and `secrets` have the documented camelCase names, without the environment around them; secrets map to the
    names of FiftyOne secrets. `operators` are those that the last registration run reported, and `created_at` is when
    it was registered, the same on every machine.
    """

    instance_id: str
    description: str
    environment: str
    config: Mapping[str, str]
    secrets: Mapping[str, str]
    operators: tuple[str, ...] = ()
    created_at: str = ""


class FiftyOne(Protocol):
    """One call of the management SDK each. Questions raise UnreachableError, changes UnknownOutcomeError."""

    def secret(self, key: str) -> SecretInfo | None: ...

    def add_secret(self, key: str, value: str, description: str) -> None: ...

    def update_secret(self, key: str, value: str | None, description: str) -> None:
        """Without a value, the value stays."""
        ...

    def delete_secret(self, key: str) -> None: ...

    def orchestrator(self, instance_id: str) -> Registration | None: ...

    def register(self, registration: Registration) -> None:
        """Secrets have to exist: FiftyOne takes a name that does not exist for a value."""
        ...

    def delete_orchestrator(self, instance_id: str) -> None: ...
