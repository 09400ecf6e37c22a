"""Rules on secrets: they reach runs by reference alone, and the references lead somewhere.

Sources: guide, "Create Databricks secrets" and "Create Job" (ENV_VARS).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rules.clusters import JOB, Cluster, each_cluster, job_clusters
from rules.credentials import REFERENCE, is_reference, problem, unquoted
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import names
from rules.values import ABSENT, UNKNOWN, Properties, at, text

SECRETS: Final = ("pulumi-python:dynamic/databricks:Secret", "databricks:index/secret:Secret")
GUIDE_KEYS: Final = ("FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_PYPI_URL")
INDEX_KEY: Final = "FIFTYONE_PYPI_URL"
INDEX: Final = "PIP_EXTRA_INDEX_URL"
INDEXES: Final = (INDEX, "PIP_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX")

SECRET_WORDS: Final = Limit(
    name="secretWords",
    default=(
        *("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "APIKEY", "API_KEY"),
        *("PASS", "PWD", "PAT", "ACCESS_KEY", "ACCOUNT_KEY", "ENCRYPTION_KEY", "PRIVATE_KEY", "CONNECTION_STRING"),
        *("DATABASE_URI", "DATABASE_URL", "DB_URI", "DB_URL", "DSN"),
        *("MONGODB_URI", "MONGODB_URL", "MONGO_URI", "MONGO_URL"),
    ),
    parse=names,
    why="Parts of a variable's name by which it names a credential: the guide's, and the usual ones. A file adds to "
    "them, and takes none away.",
)
ALLOWED: Final = Limit(
    name="allowedVariables",
    default=tuple[str, ...](),
    parse=names,
    why="Variables that look like credentials and are none.",
)
EXISTING_KEYS: Final = Limit(
    name="existingKeys",
    default=tuple[str, ...](),
    parse=names,
    why="Keys that an existing scope holds beside the guide's three, which no preview can see.",
)


def clear_credentials(job: Resource, context: Context) -> Iterator[Finding]:
    """No cluster's environment, and no image's log-in, holds a credential in the clear."""
    words = {*SECRET_WORDS.default, *context[SECRET_WORDS]}  # a file that could take words away would switch this off

    def check(cluster: Cluster, context: Context) -> Iterator[Finding]:
        for name, value in _variables(cluster).items():
            if value is UNKNOWN:
                yield Finding(what=f"whether {name} holds a credential", later=True)
            elif name not in context[ALLOWED] and not _is_index(name, value):  # those are private-index's
                found = problem(name, unquoted(str(value)), words)
                if found:
                    yield Finding(
                        what=f"{name} {found}",
                        why="whoever may see the job, or the stack's state, reads it",
                        mend=f"{_by_reference(name, context)}, or, if it is none, {_allow(name, context)}",
                    )
        for name in ("username", "password"):
            value = at(cluster.properties, "dockerImage", "basicAuth", name)
            if value is UNKNOWN:
                yield Finding(what=f"whether the container registry's {name} stands in the clear", later=True)
            elif isinstance(value, str) and not is_reference(value):
                yield Finding(
                    what=f"the container registry's {name} stands in the clear",
                    why="whoever may see the job, or the stack's state, reads it",
                    mend="set `containerRegistryUsername` and `containerRegistryPassword` with `--secret`",
                )

    yield from each_cluster(job, context, check)


def private_index(job: Resource, context: Context) -> Iterator[Finding]:
    """Runs install from the private index, whose address, with its token, they get by reference."""

    def check(cluster: Cluster, context: Context) -> Iterator[Finding]:
        if at(cluster.properties, "sparkEnvVars") is UNKNOWN:
            yield Finding(what="sparkEnvVars", later=True)
            return
        variables = _variables(cluster)
        if INDEX not in variables:
            yield Finding(
                what=f"{INDEX} is not set",
                why="without the private index pip installs the open-source package of FiftyOne's name",
                mend=f"have it refer to {INDEX_KEY}, the secret of `fiftyone:pypiUrl`",
            )
        for name in (name for name in INDEXES if name in variables):
            if variables[name] is UNKNOWN:
                yield Finding(what=name, later=True)
            elif name == INDEX:
                yield from _index(str(variables[name]), context)
            elif _is_index(name, variables[name]) and name not in context[ALLOWED]:
                yield Finding(
                    what=f"{name} is no secret reference",
                    why="the address of a private index holds its token",
                    mend=f"{_set_index(context)}, and drop the variable from `env`, or, if it holds no credential, "
                    f"{_allow(name, context)}",
                )

    yield from each_cluster(job, context, check)


def _index(value: str, context: Context) -> Iterator[Finding]:
    reference = REFERENCE.fullmatch(value)
    if reference is None:
        yield Finding(
            what=f"{INDEX} is no secret reference",
            why="the address of the private index holds its token",
            mend=f"{_set_index(context)}, and drop the variable from `env`",
        )
    elif reference["key"] != INDEX_KEY:
        yield Finding(
            what=f"{INDEX} refers to another key than {INDEX_KEY}",
            why="pip looks for packages at the address it finds there, and prints that in the log",
            mend=f"have it refer to {INDEX_KEY}, the secret of `fiftyone:pypiUrl`",
        )


def secret_references(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """A reference points to a key that this stack makes, or to one that an existing scope is known to hold."""
    made = {(text(one.properties, "scope"), text(one.properties, "key")) for one in of_type(resources, *SECRETS)}
    existing = context.settings.existing_scope
    held = (*GUIDE_KEYS, *context[EXISTING_KEYS]) if existing else ()
    known = made | {(existing, key) for key in held}
    found: dict[tuple[str, str], list[str]] = {}
    for job, cluster in job_clusters(resources):
        values = {**_variables(cluster), **_log_in(cluster)}
        for name, value in values.items():
            match = REFERENCE.fullmatch(str(value).strip("'\""))
            if match and (match["scope"], match["key"]) not in known:
                found.setdefault((name, match.group()), []).append(f"{job.name} ({cluster.role})")
    for (name, reference), places in found.items():
        yield Finding(
            what=f"{name} refers to {reference}, which this stack does not make: job {', '.join(places)}",
            why="Databricks refuses to start a cluster that refers to a secret which is not there",
            mend="refer to a key of the stack's own (`secretEnv.<NAME>`), or, in an existing scope, to one of "
            f"{', '.join(GUIDE_KEYS)}, or of secret-references.existingKeys in {context.file}",
        )


def _by_reference(name: str, context: Context) -> str:
    scope = context.settings.existing_scope
    if scope is None:
        return f"set it as a secret, `pulumi config set --secret secretEnv.{name}`"
    # The program keeps no secrets in a scope that it does not own, and its settings refuse `secretEnv` there.
    return (
        f"put it into the existing scope by hand, have {name} refer to it as {{{{secrets/{scope}/{name}}}}}, and name "
        f"that key in secret-references.existingKeys in {context.file}"
    )


def _set_index(context: Context) -> str:
    if context.settings.existing_scope is None:
        return "set the address with `pulumi config set --secret fiftyone:pypiUrl`"
    return f"put the address into the existing scope by hand, as {INDEX_KEY}"


def _allow(name: str, context: Context) -> str:
    return f"name {name} in clear-credentials.allowedVariables in {context.file}"


def _is_index(name: str, value: Any) -> bool:
    """Whether a variable has the address of an index, and not, say, a folder of wheels."""
    return name == INDEX or (name in INDEXES and "://" in str(value))


def _variables(cluster: Cluster) -> Properties:
    found = at(cluster.properties, "sparkEnvVars")
    return {} if found is ABSENT else {"sparkEnvVars": UNKNOWN} if found is UNKNOWN else found


def _log_in(cluster: Cluster) -> dict[str, Any]:
    log_in = ("dockerImage", "basicAuth")
    return {f"containerRegistry {name}": at(cluster.properties, *log_in, name) for name in ("username", "password")}


RULES: Final = (
    ResourceRule(
        name="clear-credentials",
        says="No variable of a cluster holds a credential in the clear.",
        types=(JOB,),
        check=clear_credentials,
        limits=(SECRET_WORDS, ALLOWED),
    ),
    ResourceRule(
        name="private-index",
        says="Runs install from the private index, and get its address by reference.",
        types=(JOB,),
        check=private_index,
    ),
    StackRule(
        name="secret-references",
        says="A secret reference leads to a key that this stack makes, or that an existing scope holds.",
        types=(JOB, *SECRETS),
        check=secret_references,
        limits=(EXISTING_KEYS,),
    ),
)
