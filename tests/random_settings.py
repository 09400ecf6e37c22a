"""Random settings of a stack, derived from the settings' own models: what a stack file may say, and what it must not.

Knows of the settings what the models' types and bounds do not say: values that code checks, and what goes together.
Whether the outcome is valid, the loader alone says.
"""

import json
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from components.access_settings import ServicePrincipalSettings
from components.fiftyone_settings import FiftyOneSettings
from components.orchestrator_settings import OrchestratorSettings
from components.plugins_settings import PluginsSettings
from components.settings import PROJECT, ScopeSettings, Settings

# In what may be a secret, and in what is one: no message may hold the first, and nothing but secrets the second.
HIDDEN = "hidden"
SECRET = f"{HIDDEN}-secret"
# Keys whose values are secrets, beside `secretEnv.<name>`; the others come from the environment.
SECRETS = ("containerRegistryUsername", "containerRegistryPassword")
Entries = dict[str, Any]

_TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=20)
_NAME = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_HIDDEN = _TEXT.map(f"{HIDDEN}{{}}".format)
_SECRET = _TEXT.map(f"{SECRET}{{}}".format)
_VARIABLE = _NAME.map(lambda name: f"OWN_{name.upper()}")
_PINS = ("torch==2.6.0", "numpy<2", "opencv-python==4.9.0.80", "Pillow", "umap-learn[plot]>=0.5; python_version>'3.9'")
_VERSION = st.builds("{}.{}.{}".format, st.integers(2, 3), st.integers(11, 40), st.integers(0, 12))
# What the types and bounds of the models do not say.
_BY_HAND: dict[tuple[type[BaseModel], str], st.SearchStrategy[Any]] = {
    (FiftyOneSettings, "version"): _VERSION,
    (Settings, "orchestrators"): st.dictionaries(
        st.one_of(_NAME, st.just("cpu_1-b")), st.deferred(lambda: model(OrchestratorSettings)), min_size=1, max_size=2
    ),
    (OrchestratorSettings, "env"): st.dictionaries(_VARIABLE, _HIDDEN, max_size=3),
    (OrchestratorSettings, "requirements"): st.lists(st.sampled_from(_PINS), unique=True),
    (OrchestratorSettings, "tags"): st.dictionaries(_NAME.map("own-{}".format), _TEXT, max_size=3),
    (PluginsSettings, "source"): st.just("examples/plugins"),
    (Settings, "workspaceDir"): st.builds(
        "/Workspace/{}/{}".format, st.sampled_from(["Shared", "Users/deployer@stand-in.invalid"]), _NAME
    ),
    (Settings, "secretScope"): st.one_of(_NAME, st.deferred(lambda: model(ScopeSettings))),
}
# Left to the environment, or no key of a stack file.
_NOT_IN_FILE = {"stack", "fiftyone", "workspace", "secretEnv", "servicePrincipalClientSecret", *SECRETS}


def model(kind: type[BaseModel]) -> st.SearchStrategy[Entries]:
    """Values of a model's fields by alias: those that it requires, and any of the others."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in kind.model_fields.values():
        alias = field.alias or ""
        if not (kind in (Settings, FiftyOneSettings) and (alias in _NOT_IN_FILE or _is_secret(field))):
            by_hand = _BY_HAND.get((kind, alias))
            values = _values(field.annotation, field.metadata) if by_hand is None else by_hand
            if field.examples and by_hand is None and _bound(field.metadata, "pattern", None):
                values = st.one_of(st.sampled_from(field.examples), values)
            (required if field.is_required() else optional)[alias] = values
    found = st.fixed_dictionaries(required, optional=optional)
    return found.map(_TIDY[kind]) if kind in _TIDY else found


def stack_files() -> st.SearchStrategy[Entries]:
    """What stack files say below `config`, by bare keys; nearly always valid."""
    secrets = st.dictionaries(_VARIABLE.map(lambda name: f"secretEnv.S{name}"), _SECRET, max_size=2)
    registry = st.one_of(st.just({}), st.fixed_dictionaries(dict.fromkeys(SECRETS, _SECRET)))
    return st.builds(_stack_file, model(Settings), model(FiftyOneSettings), secrets, registry)


def configuration(entries: Entries) -> tuple[dict[str, str], frozenset[str]]:
    """The entries as the engine hands them over: text as it is, all else as JSON; and the keys that are encrypted."""
    full = {key if key.startswith("fiftyone:") else f"{PROJECT}:{key}": value for key, value in entries.items()}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in full.items()}
    return config, frozenset(key for key in full if is_secret_key(key.removeprefix(f"{PROJECT}:")))


def is_secret_key(key: str) -> bool:
    return key in SECRETS or key.startswith("secretEnv.")


def _stack_file(stack: Entries, fiftyone: Entries, secrets: Entries, registry: Entries) -> Entries:
    existing = isinstance(stack.get("secretScope"), dict) and stack["secretScope"].get("existing")
    in_scope = {} if existing else {**secrets, **registry}
    return {**{f"fiftyone:{alias}": value for alias, value in fiftyone.items()}, **stack, **in_scope}


def _values(kind: Any, bounds: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Values of a type within the bounds that stand beside it, as JSON has them."""
    origin, parts = get_origin(kind), [part for part in get_args(kind) if part is not types.NoneType]
    if origin is Annotated:
        notes = [note.metadata if isinstance(note, FieldInfo) else [note] for note in parts[1:]]
        return _values(parts[0], [*bounds, *(bound for note in notes for bound in note)])
    if origin in (Union, types.UnionType):
        return st.one_of([_values(part, bounds) for part in parts])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is list:
        return st.lists(_values(parts[0], []), min_size=_bound(bounds, "min_length", 0), max_size=3, unique=True)
    if origin is dict:
        names, values = (_values(part, []) for part in parts)
        return st.dictionaries(names, values, min_size=_bound(bounds, "min_length", 0), max_size=3)
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(_bound(bounds, "ge", None), _bound(bounds, "le", None))
    if kind is float:
        above, least, most = (_bound(bounds, name, None) for name in ("gt", "ge", "le"))
        return st.floats(above if least is None else least, most, exclude_min=least is None)
    if kind is str:
        return _texts(bounds)
    return model(kind)


def _texts(bounds: Sequence[Any]) -> st.SearchStrategy[str]:
    most = _bound(bounds, "max_length", 40)
    if (pattern := _bound(bounds, "pattern", None)) is None:
        return st.text(st.characters(exclude_categories=["C"]), min_size=_bound(bounds, "min_length", 0), max_size=most)
    # Python's `$` lets a line break follow, which pydantic's does not.
    matching = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(min_codepoint=32, max_codepoint=126))
    return matching.filter(lambda text: len(text) <= most and not text.endswith("\n"))


def _bound(bounds: Sequence[Any], name: str, otherwise: Any) -> Any:
    return next((getattr(bound, name) for bound in bounds if getattr(bound, name, None) is not None), otherwise)


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in get_args(field.annotation)


def _tidy_stack(entries: Entries) -> Entries:
    """Without what would contradict itself: who the trigger is, and where its credential comes from."""
    made = entries.get("servicePrincipal", {"create": True}).get("create", False)
    names: Mapping[str, str] = entries.get("secretsFrom", {})
    dropped = set()
    if made and names.keys() & {"clientId", "clientSecret"}:
        dropped.add("secretsFrom")
    if not made:
        dropped.add("rotateAfterDays")
    return {alias: value for alias, value in entries.items() if alias not in dropped}


def _tidy_orchestrator(entries: Entries) -> Entries:
    """Without what would contradict itself: pools that are made and named, and what only made ones can have."""
    given = {"nodeType": "g2-standard-8", **entries} if "pool" not in entries else entries
    dropped = {"nodeType"} if "pool" in given else set()
    if "registrationNodeType" in given:
        dropped.add("registrationPool")
    else:
        dropped.add("registrationMaxCapacity")
    if "pool" in given:
        dropped |= {"minIdleInstances", "maxCapacity"}
        dropped |= set() if "registrationNodeType" in given else {"idleMinutes", "tags"}
    kept = {alias: value for alias, value in given.items() if alias not in dropped}
    if "minIdleInstances" in kept:
        kept["maxCapacity"] = max(kept["minIdleInstances"], kept.get("maxCapacity", 20))
    return {**kept, "mlRuntime": False} if "containerImage" in kept else kept


def _tidy_plugins(entries: Entries) -> Entries:
    place = next((alias for alias in ("source", "path", "url") if alias in entries), None)
    if place is None:
        return {"source": "examples/plugins"}
    belongs = {"source": "volume", "url": "sha256"}.get(place)
    return {alias: value for alias, value in entries.items() if alias in (place, belongs)}


def _tidy_principal(entries: Entries) -> Entries:
    return {"clientId": entries["clientId"]} if "clientId" in entries else {"create": True}


_TIDY: dict[type[BaseModel], Any] = {
    OrchestratorSettings: _tidy_orchestrator,
    PluginsSettings: _tidy_plugins,
    ServicePrincipalSettings: _tidy_principal,
    Settings: _tidy_stack,
}
