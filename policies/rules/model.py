"""What a rule is: plain data with a function that looks at plain data and yields what it finds.

Knows nothing of Pulumi: pack/enforce.py makes policies of rules, tests call the functions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from rules.values import Properties

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of the stack. `depends_on` has, by property, what its value comes from; in stack rules alone."""

    type: str
    name: str
    urn: str = ""
    properties: Properties
    depends_on: Mapping[str, Sequence["Resource"]] = field(default_factory=dict[str, Sequence["Resource"]])


@dataclass(frozen=True, kw_only=True)
class Limit(Generic[T]):
    """What an environment may set in `limits/<stack>.json`, under the name of the rule that lists it.

    `parse` turns what the file holds into the limit, or raises ValueError with what it must be.
    """

    name: str
    default: T
    parse: Callable[[object], T]
    why: str


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """What rules need to know of the stack's configuration (pack/stack_settings.py)."""

    stack: str = "dev"
    mongodb_atlas: bool = True
    delegated_operation_capacity: int = 3
    existing_scope: str | None = None
    trigger_elsewhere: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Context:
    """The limits and settings that hold for a stack: `context[LIMIT]` is the limit's value."""

    settings: StackSettings = field(default_factory=StackSettings)
    limits: Mapping[Limit[Any], Any] = field(default_factory=dict[Limit[Any], Any])

    def __getitem__(self, limit: Limit[T]) -> T:
        return self.limits.get(limit, limit.default)

    @property
    def file(self) -> str:
        """Where the limits of this stack stand, for messages."""
        return f"policies/limits/{self.settings.stack}.json"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A violation, or, where `later`, something that only the update will know.

    `what` is wrong, `why` that matters, and which setting mends it; never a secret's value.
    """

    what: str
    why: str = ""
    mend: str = ""
    urn: str = ""
    later: bool = False

    @property
    def message(self) -> str:
        """The finding as people read it."""
        if self.later:
            return f"{self.what} is known only to the update, and checked at update."
        reasons = (f"{part[0].upper()}{part[1:]}." for part in (self.why, self.mend) if part)
        return " ".join([f"{self.what}.", *reasons])  # what is wrong may begin with a name, which is left as it is


@dataclass(frozen=True, kw_only=True)
class ResourceRule:
    """A rule on single resources of the given types; violated, it stops the resource itself."""

    name: str
    says: str
    types: tuple[str, ...]
    check: Callable[[Resource, Context], Iterator[Finding]]
    limits: tuple[Limit[Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """A rule on the stack as a whole, for what no single resource shows; `types` are those it looks at.

    `warns` is for what is not wrong yet: it is said, and stops nothing.
    """

    name: str
    says: str
    types: tuple[str, ...]
    check: Callable[[Sequence[Resource], Context], Iterator[Finding]]
    limits: tuple[Limit[Any], ...] = ()
    warns: bool = False


Rule = ResourceRule | StackRule


def of_type(resources: Iterable[Resource], *types: str) -> list[Resource]:
    """The resources of some types."""
    return [resource for resource in resources if resource.type in types]
