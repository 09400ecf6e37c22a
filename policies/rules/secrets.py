"""Rules on secrets: they reach runs by reference alone, and the references lead somewhere.

Sources: guide, "Create Databricks secrets" and "Create Job" (ENV_VARS).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rules.clusters import JOB, Cluster, each_cluster, job_clusters
from rules.credentials import REFERENCE, is_reference, problem
from rules.model import Context, Finding, Limit, Resource, ResourceRule, StackRule, of_type
from rules.parse import names
from rules.values import ABSENT, UNKNOWN, Properties, at, text

SECRETS: Final = ("pulumi-python:dynamic/databricks:Secret", "databricks:index/secret:Secret")
GUIDE_KEYS: Final = ("FIFTYONE_DATABASE_URI", "FIFTYONE_ENCRYPTION_KEY", "FIFTYONE_PYPI_URL")
INDEX: Final = "PIP_EXTRA_INDEX_URL"
INDEXES: Final = (INDEX, "PIP_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX")

SECRET_WORDS: Final = Limit(
    name="secretWords",
    default=(
        *("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "APIKEY", "API_KEY"),
        *("ACCESS_KEY", "ACCOUNT_KEY", "ENCRYPTION_KEY", "PRIVATE_KEY", "DATABASE_URI", "DATABASE_URL", "MONGODB_URI"),
    ),
    parse=names,
    why="Parts of a variable's name by which it names a credential: the guide's, and the usual ones.",
)
ALLOWED: Final = Limit(
    name="allowedVariables",
    default=tuple[str, ...](),
    parse=names,
    why="Variables that look like credentials and are none.",
)


def clear_credentials(job: Resource, context: Context) -> Iterator[Finding]:
    """No cluster's environment, and no image's log-in, holds a credential in the clear."""

    def check(cluster: Cluster, context: Context) -> Iterator[Finding]:
        for name, value in _variables(cluster).items():
            if value is UNKNOWN:
                yield Finding(what=f"whether {name} holds a credential", later=True)
            elif name not in context[ALLOWED] and name not in INDEXES:  # those are private-index's, whatever they hold
                found = problem(name, str(value).strip("'\""), context[SECRET_WORDS])
                if found:
                    yield Finding(
                        what=f"{name} {found}",
                        why="whoever may see the job, or the stack's state, reads it",
                        mend=f"set it as a secret, `pulumi config set --secret secretEnv.{name}`, or, if it is none, "
                        f"name it in clear-credentials.allowedVariables in {context.file}",
                    )
        for name in ("username", "password"):
            value = at(cluster.properties, "dockerImage", "basicAuth", name)
            if isinstance(value, str) and not is_reference(value):
                yield Finding(
                    what=f"the container registry's {name} stands in the clear",
                    why="whoever may see the job, or the stack's state, reads it",
                    mend="set `containerRegistryUsername` and `containerRegistryPassword` with `--secret`",
                )

    yield from each_cluster(job, context, check)


def private_index(job: Resource, context: Context) -> Iterator[Finding]:
    """Runs install from the private index, whose address, with its token, they get by reference."""

    def check(cluster: Cluster, _context: Context) -> Iterator[Finding]:
        variables = _variables(cluster)
        if INDEX not in variables:
            yield Finding(
                what=f"{INDEX} is not set",
                why="without the private index pip installs the open-source package of FiftyOne's name",
                mend="have it refer to the secret of `fiftyone:pypiUrl`",
            )
        for name in (name for name in INDEXES if name in variables):
            if variables[name] is UNKNOWN:
                yield Finding(what=name, later=True)
            elif not is_reference(str(variables[name])):
                yield Finding(
                    what=f"{name} is no secret reference",
                    why="the address of the private index holds its token",
                    mend="set the address with `pulumi config set --secret fiftyone:pypiUrl`, and drop the variable "
                    "from `env`",
                )

    yield from each_cluster(job, context, check)


def secret_references(resources: Sequence[Resource], context: Context) -> Iterator[Finding]:
    """A reference points to a key that this stack makes, or to one of the guide's three in an existing scope."""
    made = {(text(one.properties, "scope"), text(one.properties, "key")) for one in of_type(resources, *SECRETS)}
    existing = context.settings.existing_scope
    known = made | ({(existing, key) for key in GUIDE_KEYS} if existing else set[tuple[str, str]]())
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
            f"{', '.join(GUIDE_KEYS)}",
        )


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
        says="A secret reference leads to a key that this stack makes, or to the guide's in an existing scope.",
        types=(JOB, *SECRETS),
        check=secret_references,
    ),
)
