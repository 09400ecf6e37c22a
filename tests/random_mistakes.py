"""Random mistakes in a stack's settings: what a stack file says with one thing wrong, anywhere in it."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from tests.random_settings import Entries, is_secret_key, stack_files

# Maps whose keys are names of the user's.
_MAPS = ("orchestrators", "env", "tags")
Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Entries of a stack file, and where they are wrong."""

    entries: Entries
    path: Path

    @property
    def key(self) -> str:
        """The path as messages write it."""
        return ".".join(map(str, self.path))


@st.composite
def misspelt_keys(draw: st.DrawFn) -> Mistake:
    """A letter too many."""
    entries = draw(stack_files())
    path = draw(st.sampled_from([path for path, _ in _places(entries) if _is_setting(path)]))
    name = str(path[-1])
    at = draw(st.integers(name.find(":") + 1, len(name) - 1))
    wrong = f"{name[:at]}{name[at]}{name[at:]}"
    parent = _at(entries := copy.deepcopy(entries), path[:-1])
    parent[wrong] = parent.pop(name)
    return Mistake(entries=entries, path=(*path[:-1], wrong))


def wrong_types() -> st.SearchStrategy[Mistake]:
    """Lists of lists, which no setting takes."""
    return _replaced(st.just([["x"]]), lambda path, _: not is_secret_key(str(path[0])))


def numbers_out_of_range() -> st.SearchStrategy[Mistake]:
    """Numbers below nought, which no setting takes."""
    numbers = st.one_of(st.integers(max_value=-1), st.floats(max_value=-0.5, allow_nan=False))
    return _replaced(numbers, lambda _, value: isinstance(value, int | float) and not isinstance(value, bool))


def anything_anywhere() -> st.SearchStrategy[Mistake]:
    """Any value in the place of any other: often wrong, at times right."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text)
    nested = st.recursive(leaf, lambda inner: st.one_of(st.lists(inner), st.dictionaries(text, inner)), max_leaves=5)
    return _replaced(nested, lambda path, value: True)


@st.composite
def _replaced(draw: st.DrawFn, values: st.SearchStrategy[Any], where: Callable[[Path, Any], bool]) -> Mistake:
    entries = copy.deepcopy(draw(stack_files()))
    paths = [path for path, value in _places(entries) if where(path, value)]
    assume(paths)
    path = draw(st.sampled_from(paths))
    _at(entries, path[:-1])[path[-1]] = draw(values)
    return Mistake(entries=entries, path=path)


def _places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value below this one, with the path to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        yield (*path, key), entry
        yield from _places(entry, (*path, key))


def _at(entries: Entries, path: Path) -> Any:
    found: Any = entries
    for part in path:
        found = found[part]
    return found


def _is_setting(path: Path) -> bool:
    """Whether the last of the path is the name of a setting, and not one that tells which others there are."""
    return (
        isinstance(path[-1], str)
        and path[-2:-1] not in [(name,) for name in _MAPS]
        and not (path[-1] == "provider" or path[-1].startswith("secretEnv."))
    )
