"""What is in place, held against what was asked for: the names of what differs, and no values, which may be secrets.

What the platform adds of its own is no difference, nor is a false or empty value that it does not give back.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from pydantic.alias_generators import to_snake

# What entries of lists are known by; a task names its cluster as well, which others may share.
KEYS: Final = ("task_key", "job_cluster_key", "name")
# Names of the user's, not of the API's; what is there beside them was put there by hand.
MAPS: Final = ("custom_tags", "spark_conf", "spark_env_vars", "tags")
# May be read back as another word for the same (terraform-provider-databricks #4909), as the zone that was chosen, or
# not at all.
UNSURE: Final = ("basic_auth", "data_security_mode", "zone_id")


def differences(asked: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of what differs, in the API's names; `asked` has the engine's, in camelCase."""
    for name, value in asked.items():
        snake = to_snake(name)
        if snake not in UNSURE:
            yield from _of(value, found.get(snake), f"{path}{snake}", free=snake in MAPS)


def _of(asked: Any, found: Any, path: str, *, free: bool = False) -> Iterator[str]:
    if not asked and not found:
        return
    if isinstance(asked, dict) and isinstance(found, dict):
        wanted, there = cast("dict[str, Any]", asked), cast("dict[str, Any]", found)
        if free:
            yield from (f"{path}.{name}" for name in sorted(wanted | there) if wanted.get(name) != there.get(name))
        else:
            yield from differences(wanted, there, f"{path}.")
    elif isinstance(asked, list) and isinstance(found, list):
        yield from _of_lists(cast("list[Any]", asked), cast("list[Any]", found), path)
    elif asked != found:
        yield path


def _of_lists(asked: list[Any], found: list[Any], path: str) -> Iterator[str]:
    wanted, there = _keyed(asked), _keyed(found)
    for key in sorted(wanted.keys() | there.keys()):
        yield from _of(wanted.get(key), there.get(key), f"{path}.{key}")


def _keyed(entries: list[Any]) -> dict[str, Any]:
    """Entries by their own key, else by their place; keys of both name styles are known."""
    found: dict[str, Any] = {}
    for index, entry in enumerate(entries):
        names: dict[str, Any] = {}
        if isinstance(entry, dict):
            names = {to_snake(name): value for name, value in cast("dict[str, Any]", entry).items()}
        found[next((str(names[key]) for key in KEYS if key in names), f"{index:03}")] = entry
    return found
