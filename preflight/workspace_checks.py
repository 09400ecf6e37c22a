"""What the workspace says: whether it answers, who we are, what we may see, and whether what settings name is there.

Every question has a deadline, and none writes anything. Owns the questions and what their answers mean; the client is
the one that the program's providers have (databricks_provider/workspace_client.py).
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from components.orchestrator_settings import SECRET_REFERENCE
from components.run_environment import run_environment
from components.settings import Settings
from databricks_provider.workspace_client import workspace_client
from fiftyone_provider.deadline import DeadlineError, within
from preflight.configuration import Configuration
from preflight.result import Result, not_checked, right, wrong

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.compute import NodeType

T = TypeVar("T")

NAME: Final = "workspace"
# A question that the platform does not answer within seconds is not waited for, nor asked again for minutes as else.
REQUEST: Final = {"databricks:httpTimeoutSeconds": "5", "databricks:retryTimeoutSeconds": "2"}
SECONDS: Final = 12.0


class NoAnswerError(Exception):
    """A question was not answered, or refused; the text says how."""


def check_workspace(settings: Settings, configuration: Configuration, gpus: dict[str, int]) -> Iterator[Result]:
    """Everything there is to say of the workspace; `gpus` learns those of node types and pools, by name."""
    encrypted = sorted(key for key in configuration.unread if key.startswith("databricks:"))
    try:
        client = _asked(lambda: workspace_client(lambda key: REQUEST.get(key) or configuration.get(key)))
        who = _asked(client.current_user.me)
    except NoAnswerError as error:
        if encrypted:
            yield not_checked(NAME, f"{', '.join(encrypted)} could not be read here")
        else:
            yield wrong(
                NAME,
                f"{settings.workspace.host or 'no address'}: {error}",
                "check DATABRICKS_HOST and the credentials (README, A real environment, step 6), and that this machine "
                "may reach the workspace",
            )
        return
    groups = sorted(group.display for group in who.groups or [] if group.display)
    of = f", in the groups {', '.join(groups)}" if groups else ", and no group of ours is shown"
    yield right(NAME, f"{client.config.host} accepts the credentials of {who.user_name}{of}")
    yield _rights(client)
    yield from spark_versions(settings, client)
    yield from node_types(settings, client, gpus)
    yield from pools(settings, client, gpus)
    yield from scope(settings, client)


def _rights(client: "WorkspaceClient") -> Result:
    """What we may see; making anything is not tried."""
    tried: dict[str, Callable[[], object]] = {
        "instance pools": lambda: list(client.instance_pools.list()),
        "jobs": lambda: next(iter(client.jobs.list(limit=1)), None),
        "secret scopes": lambda: list(client.secrets.list_scopes()),
    }
    refused = {what: said for what, ask in tried.items() if (said := _refusal(ask))}
    if refused:
        return wrong(
            "rights",
            f"listing is refused: {'; '.join(f'{what}, {said}' for what, said in refused.items())}",
            "whoever deploys makes pools, scopes and jobs; ask an administrator for the right to",
        )
    return right("rights", f"may list {', '.join(tried)}; making any was not tried")


def spark_versions(settings: Settings, client: "WorkspaceClient") -> Iterator[Result]:
    """Whether clusters can be started with the runtimes that settings name, and their ML variant."""
    name = "Spark version"
    try:
        offered = {version.key or "" for version in _asked(client.clusters.spark_versions).versions or []}
    except NoAnswerError as error:
        yield not_checked(name, f"the workspace does not list them: {error}")
        return
    ml: dict[str, bool] = {}
    for orchestrator in settings.orchestrators.values():
        ml[orchestrator.spark_version] = ml.get(orchestrator.spark_version, False) or orchestrator.ml_runtime
    for version, wants_ml in ml.items():
        head, _, scala = version.partition("-scala")
        variants = [f"{head}-{kind}-ml-scala{scala}" for kind in ("cpu", "gpu")] if wants_ml else []
        lacking = [key for key in (version, *variants) if key not in offered]
        if lacking:
            yield wrong(
                name,
                f"the workspace does not offer {', '.join(lacking)}, so clusters would not start",
                f"set `sparkVersion` to one that it offers{_nearest(version, offered)}",
            )
        else:
            yield right(name, f"{version} is offered{', with its ML variants' if wants_ml else ''}")


def node_types(settings: Settings, client: "WorkspaceClient", gpus: dict[str, int]) -> Iterator[Result]:
    """Whether the node types that pools are made of exist in the workspace's region and may be used."""
    name = "node type"
    try:
        offered = {node.node_type_id: node for node in _asked(client.clusters.list_node_types).node_types or []}
    except NoAnswerError as error:
        yield not_checked(name, f"the workspace does not list them: {error}")
        return
    for node_type, keys in _named(settings, "node_type", "registration_node_type").items():
        found = offered.get(node_type)
        if found is None:
            yield wrong(
                name,
                f"{keys}: the workspace has no {node_type}, so its pool could not be made",
                f"name one that it has{_nearest(node_type, offered)}",
            )
            continue
        gpus[node_type] = found.num_gpus or 0
        yield _usable(name, f"{keys}: {node_type}", found)


def _usable(name: str, what: str, node: "NodeType") -> Result:
    statuses = [status.value for status in (node.node_info.status if node.node_info else None) or []]
    if statuses:
        return wrong(
            name, f"{what} is {', '.join(statuses)} there", "name another, or have the cloud account's quota raised"
        )
    more = f", {node.num_gpus} GPU" if node.num_gpus else ""
    old = "; Databricks calls it deprecated" if node.is_deprecated else ""
    return right(name, f"{what} exists: {node.num_cores:g} cores, {node.memory_mb / 1024:.0f} GB{more}{old}")


def pools(settings: Settings, client: "WorkspaceClient", gpus: dict[str, int]) -> Iterator[Result]:
    """Whether the existing pools that settings name are there."""
    for pool_id, keys in _named(settings, "pool", "registration_pool").items():
        try:
            pool = _asked(lambda pool_id=pool_id: client.instance_pools.get(pool_id))
        except NoAnswerError as error:
            yield wrong("pool", f"{keys}: {pool_id} cannot be used: {error}", "name a pool of this workspace by its id")
            continue
        node_type = pool.node_type_id or ""
        if node_type in gpus:
            gpus[pool_id] = gpus[node_type]
        yield right("pool", f"{keys}: {pool.instance_pool_name} ({pool_id}) exists, of {node_type}")


def scope(settings: Settings, client: "WorkspaceClient") -> Iterator[Result]:
    """Whether an existing scope holds the keys that runs refer to."""
    if not settings.secret_scope.existing:
        return
    scope_name = settings.secret_scope.name
    wanted = {
        found[0].rstrip("}").rpartition("/")[2]
        for orchestrator in settings.orchestrators.values()
        for value in run_environment(settings, orchestrator, None).values()
        if (found := SECRET_REFERENCE.fullmatch(value))
    }
    try:
        held = {secret.key for secret in _asked(lambda: list(client.secrets.list_secrets(scope_name)))}
    except NoAnswerError as error:
        yield wrong(
            "secret scope",
            f"{scope_name} is said to exist and cannot be read: {error}",
            f"make it, or drop `existing` from `secretScope` to have `{scope_name}` made",
        )
        return
    if lacking := sorted(wanted - held):
        yield wrong(
            "secret scope",
            f"{scope_name} does not hold {', '.join(lacking)}, so clusters would not start",
            f"`databricks secrets put-secret {scope_name} KEY` for each",
        )
    else:
        yield right("secret scope", f"{scope_name} holds {', '.join(sorted(wanted))}")


def _named(settings: Settings, *attributes: str) -> dict[str, str]:
    """What settings name under some attributes, with the settings that name it."""
    found: dict[str, list[str]] = {}
    for instance_id, orchestrator in settings.orchestrators.items():
        for attribute in attributes:
            value: str | None = getattr(orchestrator, attribute)
            if value:
                alias = type(orchestrator).model_fields[attribute].alias or attribute
                found.setdefault(value, []).append(f"{instance_id}.{alias}")
    return {value: ", ".join(keys) for value, keys in found.items()}


def _nearest(name: str, known: Mapping[str, object] | set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f", such as {', '.join(near)}" if near else ""


def _refusal(ask: Callable[[], object]) -> str:
    try:
        _asked(ask)
    except NoAnswerError as error:
        return str(error)
    return ""


def _asked(ask: Callable[[], T]) -> T:
    """The answer to a question. Raises NoAnswerError."""
    from databricks.sdk.errors.base import DatabricksError

    try:
        return within(SECONDS, ask)
    except DeadlineError:
        raise NoAnswerError(f"no answer within {SECONDS:g} s") from None
    except (DatabricksError, OSError, ValueError, TimeoutError) as error:
        # databricks-sdk adds its configuration, with secrets hidden, which says nothing more to whoever wrote it.
        said = " ".join(str(error).partition(". Config:")[0].split())
        raise NoAnswerError(said or type(error).__name__) from None
