"""`make preflight`: what can be known to be wrong before a deployment, as a list; `python -m preflight STACK`.

Owns the order of the checks and what each of them gets; exit code 1 where one of them found something wrong. Nothing is
written, in the workspace, in FiftyOne or in the stack. What the checks are, and how they judge: docs/preflight.md.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from preflight.configuration import Configuration, from_backend, from_file
from preflight.dependencies import check_dependencies
from preflight.fiftyone_checks import check_fiftyone
from preflight.limits_check import check_limits
from preflight.resolver import Resolver
from preflight.result import Result, not_checked, report, wrong
from preflight.settings_checks import STAND_INS, check_settings
from preflight.workspace_checks import check_workspace
from toolchain.environment import LOCAL_STACK, stack_environment, take_on
from toolchain.next_steps import say_next
from toolchain.paths import REPO, SetupError
from toolchain.stack import has_backend

WITHOUT_SETTINGS: Final = ("workspace", "dependencies", "FiftyOne")


def checks(stack: str, environ: Mapping[str, str]) -> Iterator[Result]:
    """All checks of a stack, one after the other; the environment is the stack's, and this process's own by now."""
    configuration = _configuration(stack, environ)
    if isinstance(configuration, Result):
        yield configuration
        return
    settings, results = check_settings(stack, configuration, environ)
    yield from results
    yield from check_limits(stack)
    if settings is None:
        for name in WITHOUT_SETTINGS:
            yield not_checked(name, "the settings are not valid")
        return
    gpus: dict[str, int] = {}
    yield from check_workspace(settings, configuration, gpus)
    private = settings.fiftyone.pypi_url.get_secret_value() if settings.fiftyone.pypi_url else None
    unread = ""
    if private is None:
        unread = f"the private index's address is in the scope {settings.secret_scope.name}, which is not read"
    elif private == STAND_INS["fiftyone:pypiUrl"]:
        private, unread = None, "the private index's address, `fiftyone:pypiUrl`, is missing or could not be read here"
    yield from check_dependencies(settings, Resolver(environ=environ, private=private), gpus, unread)
    no_key = "`fiftyone:apiKey` could not be read here" if "fiftyone:apiKey" in configuration.unread else ""
    yield from check_fiftyone(settings, no_key)


def _configuration(stack: str, environ: Mapping[str, str]) -> Configuration | Result:
    file = REPO / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        return wrong("configuration", f"there is no {file.name}", "copy Pulumi.dev.yaml and fill it in")
    try:
        return from_backend(stack, environ, REPO) if has_backend(dict(environ)) else from_file(file)
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        return wrong("configuration", f"{file.name} is not YAML{where}", "mend it there")


def main(stack: str) -> int:
    """Print the list as it comes, and how many of each there are; the exit code."""
    environ = stack_environment(stack)
    take_on(environ)
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # what it warns of is a result
    if not (code := report(checks(stack, environ), stack)):
        say_next("preflight", stack)
    return code


if __name__ == "__main__":
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8")  # for the marks, whatever the locale
    of = sys.argv[1] if len(sys.argv) > 1 else LOCAL_STACK
    try:
        sys.exit(main(of))
    except SetupError as error:
        sys.exit(f"make preflight STACK={of}: {error}")
    except KeyboardInterrupt:
        os._exit(130)
