"""FiftyOne secrets that an orchestrator refers to and that are not the stack's: there or not, and at what risk."""

from collections.abc import Iterable
from typing import Any

from fiftyone_provider.client import FiftyOne, FiftyOneError, Registration
from fiftyone_provider.mark import parsed


def gone(client: FiftyOne, names: Iterable[str]) -> list[str]:
    """Which of these are no secrets of FiftyOne's."""
    return [name for name in names if client.secret(name) is None]


def unusable(client: FiftyOne, news: dict[str, Any]) -> dict[str, str]:
    """Why `secretsFrom` cannot name what it names, by the field of it, for a person."""
    stack = news["mark"].rpartition("/")[0]
    fields = {name: field for field, name in news["secrets"].items()}
    problems: dict[str, str] = {}
    for name in news["existingSecrets"]:
        found = client.secret(name)
        setting = f"`secretsFrom.{fields[name]}`"
        if found is None:
            problems[fields[name]] = (
                f"FiftyOne has no secret {name}, which {setting} names, and would store that name as the value. Create "
                "the secret in FiftyOne, restore it if it went with an earlier registration, or mend the name."
            )
        elif parsed(found.description).mark.rpartition("/")[0] == stack:
            problems[fields[name]] = (
                f"FiftyOne's secret {name}, which {setting} names, is this stack's own and would be deleted as soon as "
                "nothing here writes it. Take the mark off the end of its description in FiftyOne first."
            )
    return problems


def check_usable(client: FiftyOne, news: dict[str, Any]) -> None:
    """Raises FiftyOneError for what `unusable` finds."""
    if problems := unusable(client, news):
        raise FiftyOneError(" ".join(problems.values()))


def at_risk(found: Registration | None, news: dict[str, Any], olds: dict[str, Any] | None) -> list[str]:
    """Names of secrets that are not the stack's and that a deletion of the registration may take."""
    own, referred = _own(news), set(news["existingSecrets"])
    if olds is not None:
        own |= _own(olds)
        referred |= set(olds["existingSecrets"])
    if found is not None:
        referred |= set(found.secrets.values())
    return sorted(referred - own)


def _own(props: dict[str, Any]) -> set[str]:
    return set(props["secrets"].values()) - set(props["existingSecrets"])
