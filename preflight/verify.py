"""`make verify`: follows the chain of a stack that is deployed, link by link; `python -m preflight.verify STACK`.

Owns the order of the links and what each of them gets; exit code 1 where one is broken. Nothing is changed: not the
state, not the workspace, not FiftyOne, but for a run of each task that FiftyOne starts, which RUN=no leaves out.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pulumi.dynamic import Config, ConfigureRequest

from components.settings import PROJECT
from databricks_provider.workspace_client import workspace_client
from preflight.chain.agreement import PROVIDERS as WORKSPACE_PROVIDERS
from preflight.chain.agreement import WORKSPACE, agreement
from preflight.chain.backend import STATE, backend
from preflight.chain.check import BrokenError, Chain, Check
from preflight.chain.contents import contents, secret_keys
from preflight.chain.credential import Clients, credentials
from preflight.chain.deployed import read
from preflight.chain.doubles import DOUBLES, doubles
from preflight.chain.registered import FIFTYONE, operators, registered
from preflight.chain.registered import PROVIDERS as FIFTYONE_PROVIDERS
from preflight.chain.trial_run import trial_runs
from preflight.configuration import Configuration, from_backend
from preflight.result import Result, not_checked, report, wrong, yourself
from toolchain.environment import LOCAL_STACK, stack_environment, take_on
from toolchain.next_steps import say_next
from toolchain.paths import REPO, SetupError
from toolchain.pulumi_json import PulumiError

SECONDS: Final = "15"
# A question that is not answered within seconds is not waited for, nor asked again for minutes.
PATIENCE: Final = {"databricks:httpTimeoutSeconds": SECONDS, "databricks:retryTimeoutSeconds": SECONDS}


def verify(stack: str, environ: Mapping[str, str], *, project: Path = REPO, run: bool = True) -> Iterator[Result]:
    """What there is to say of each link, in the order of the chain.

    Args:
        stack: the stack's name.
        environ: its whole environment, which is this process's own by now.
        project: the folder in which Pulumi finds the stack.
        run: whether the jobs are started.
    """
    try:
        deployed = read(stack, environ, project)
        configuration = from_backend(stack, environ, project)
    except (OSError, PulumiError) as error:
        yield wrong(
            STATE,
            f"Pulumi cannot read it: {error}",
            f"log in to the stack's backend with its passphrase or key (README, A real environment); a stack that was "
            f"never deployed is, with `make up STACK={stack}`",
        )
        return
    chain = Chain()
    yield from chain.link(STATE, backend(deployed, environ, project))
    if STATE in chain.closed:
        return
    client, problem = _workspace(configuration)
    yield from chain.link(WORKSPACE, [_answers(client, problem)])
    yield from chain.link("state and workspace agree", agreement(deployed, client))
    yield from chain.link(DOUBLES, doubles(deployed, client))
    yield from chain.link("secrets of runs", secret_keys(deployed, client))
    yield from chain.link("contents of files", contents(deployed, client))
    yield from chain.link(FIFTYONE, registered(deployed, client))
    clients: Clients = {}
    yield from chain.link("credential", credentials(deployed, client, clients))
    if run:
        yield from chain.link("run", trial_runs(deployed, clients))
    else:
        yield not_checked("run", "RUN=no leaves it out")
    yield from chain.link("operators", operators(deployed))
    if list(deployed.of_type("fiftyone:Secret")):
        yield yourself(
            "FiftyOne gives no secret's value back: one that was changed there with our mark kept shows only when "
            "FiftyOne starts the job (Runs page, the orchestrator, refresh)"
        )


def _workspace(configuration: Configuration) -> tuple[Any, str]:
    """The client of whoever verifies, or why there is none; the providers ask the workspace as it does.

    Without one, nothing calls it: every check that would needs `WORKSPACE`.
    """
    values = {**configuration.values, **PATIENCE}
    request = ConfigureRequest(Config(values, PROJECT))
    for provider in (*WORKSPACE_PROVIDERS, *FIFTYONE_PROVIDERS):
        provider.configure(request)
    try:
        return workspace_client(values.get), ""
    except ValueError as error:
        return None, _said(error)


def _answers(client: Any, problem: str) -> Check:
    def look() -> str:
        said = problem
        if client is not None:
            try:
                return f"{client.config.host} accepts the credentials of {client.current_user.me().user_name}"
            except OSError as error:
                said = _said(error)
        raise BrokenError(
            f"it does not answer, or refuses: {said}",
            "check DATABRICKS_HOST and the credentials (README, A real environment, step 6), and that this machine may "
            "reach the workspace",
        )

    return Check(subject="the workspace", key=WORKSPACE, look=look)


def _said(error: Exception) -> str:
    """What databricks-sdk says, without its configuration, which it adds with secrets hidden."""
    return " ".join(str(error).partition(". Config:")[0].split())


def main(stack: str, project: Path) -> int:
    """Print each link as it is done, and how many of each outcome there are; the exit code."""
    environ = stack_environment(stack)
    take_on(environ)
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # what it warns of is a result
    run = environ.get("RUN", "").lower() != "no"
    if not (code := report(verify(stack, environ, project=project, run=run), stack)):
        say_next("verify", stack)
    return code


if __name__ == "__main__":
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8")  # for the marks, whatever the locale
    arguments = sys.argv[1:] or [LOCAL_STACK]
    try:
        sys.exit(main(arguments[0], Path(arguments[1]) if len(arguments) > 1 else REPO))
    except SetupError as error:
        sys.exit(f"make verify STACK={arguments[0]}: {error}")
    except KeyboardInterrupt:
        os._exit(130)
