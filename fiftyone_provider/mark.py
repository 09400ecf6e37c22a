"""The mark by which a stack knows what it made in FiftyOne, kept at the end of the description there.

A description on the server is `text [pulumi-stack: project/stack/instance-id #token]`. The mark says whose it is; the
token, which each write draws anew, says whether it is what the state remembers. A mark without a token is how a person
hands something over to the stack.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fiftyone_provider.client import FiftyOneError

_MARKED: Final = re.compile(
    r"(?P<text>.*?)\s*\[pulumi-stack: (?P<mark>[^\s#\]]+)(?: #(?P<token>[0-9a-f]+))?\]", re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """A description's parts; of what is not a stack's, `mark` and `token` are empty."""

    text: str
    mark: str = ""
    token: str = ""

    def __str__(self) -> str:
        token = f" #{self.token}" if self.token else ""
        return f"{self.text} [pulumi-stack: {self.mark}{token}]".strip() if self.mark else self.text

    def is_write_of(self, state: Mapping[str, Any]) -> bool:
        """Whether it is the very write that a resource's state remembers, by its `mark` and `token`."""
        return (self.mark, self.token) == (state["mark"], state["token"])


def parsed(description: str | None) -> Stamped:
    """The parts of a description as FiftyOne gives it."""
    found = _MARKED.fullmatch((description or "").strip())
    if found is None:
        return Stamped(text=description or "")
    return Stamped(text=found["text"], mark=found["mark"], token=found["token"] or "")


def new_token() -> str:
    """A token that was never drawn before; it is no secret."""
    return secrets.token_hex(6)


def foreign(what: str, mark: str, *, adopt: str) -> FiftyOneError:
    """The error of what has our name and not our mark; `adopt` says what a person may do about it."""
    return FiftyOneError(
        f"FiftyOne has {what} already, without the mark of this stack ({mark}), so it was not touched: somebody else "
        f"may need it. {adopt}"
    )
