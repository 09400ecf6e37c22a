"""Whether the stack's settings are valid and its secrets there: the program's own judgement of them, before the engine.

Every problem is a result of its own. What is encrypted in the stack file and cannot be read here is not checked, and
something of the right form stands in for it, so that the rest can be.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from components.plugins import plugins_place
from components.registration import missing
from components.settings import PROJECT, Settings
from components.settings_errors import Problem, SettingsError
from components.settings_loader import WORKER_SECRETS, load_settings
from preflight.configuration import Configuration
from preflight.result import Result, not_checked, right, wrong

NAME: Final = "settings"
# Of the right form (components/fiftyone_settings.py); never used: no index is asked by that address.
STAND_INS: Final = {
    "fiftyone:databaseUri": "mongodb://not-read.invalid/",
    "fiftyone:encryptionKey": "not-read",
    "fiftyone:pypiUrl": "https://not-read.invalid/simple/",
}


def check_settings(
    stack: str, configuration: Configuration, environ: Mapping[str, str]
) -> tuple[Settings | None, list[Result]]:
    """The settings, or None where they are not valid, and what there is to say of them."""
    results = list(_source(stack, configuration))
    stood_in = _stand_ins(configuration, environ)
    lacking: list[Problem] = []
    try:
        try:
            settings = _loaded(stack, configuration, environ, stood_in)
        except SettingsError as error:
            # Where nothing but secrets is missing, all else can still be checked.
            lacking += error.problems
            if any(problem.key not in STAND_INS or "missing" not in problem.what for problem in lacking):
                raise
            stood_in |= {problem.key: STAND_INS[problem.key] for problem in lacking}
            settings = _loaded(stack, configuration, environ, stood_in)
        plugins_place(settings)
    except SettingsError as error:
        return None, [*results, *map(_wrong, error.problems)]
    lacking += missing(settings)
    results += (_wrong(problem) for problem in lacking if _full(problem.key) not in configuration.unread)
    count = len(settings.orchestrators)
    names = ", ".join(settings.orchestrators)
    results.append(right(NAME, f"valid, with {count} orchestrator{'s' if count > 1 else ''}: {names}"))
    unread = sorted(_bare(key) for key in configuration.unread if not _in_environment(key, environ))
    if unread:
        why = "are encrypted in the stack file, which is read without its backend here"
        results.append(not_checked("secrets", f"{', '.join(unread)} {why}"))
    elif not lacking:
        results.append(right("secrets", "all that the stack needs are there"))
    return settings, results


def _loaded(
    stack: str, configuration: Configuration, environ: Mapping[str, str], stood_in: Mapping[str, str]
) -> Settings:
    return load_settings(
        stack=stack,
        config={**configuration.values, **stood_in},
        secret_keys=configuration.secret_keys | stood_in.keys(),
        environ=environ,
        previewing=True,
    )


def _source(stack: str, configuration: Configuration) -> Iterator[Result]:
    if configuration.problem:
        yield wrong(
            "configuration",
            f"Pulumi cannot read it, and could not deploy it: {configuration.problem}",
            f"log in to the stack's backend with its passphrase or key; a new stack is made by `pulumi stack init "
            f"{stack}`. Checked below are {configuration.source}",
        )
    else:
        yield right("configuration", f"read from {configuration.source}")


def _wrong(problem: Problem) -> Result:
    why = f": {problem.why.rstrip('.')}" if problem.why else ""
    return wrong(NAME, f"{problem.key} {problem.what}{why}", problem.mend)


def _stand_ins(configuration: Configuration, environ: Mapping[str, str]) -> dict[str, str]:
    """For secrets that cannot be read and that the environment does not hold either."""
    return {
        key: STAND_INS.get(key, "not-read")
        for key in configuration.unread
        if not _in_environment(key, environ)
        and (key in STAND_INS or _bare(key).startswith(("secretEnv.", "container")))
    }


def _in_environment(key: str, environ: Mapping[str, str]) -> bool:
    variable = WORKER_SECRETS.get(key.removeprefix("fiftyone:"))
    return bool(variable and environ.get(variable))


def _bare(key: str) -> str:
    return key.removeprefix(f"{PROJECT}:")


def _full(key: str) -> str:
    return key if ":" in key else f"{PROJECT}:{key}"
