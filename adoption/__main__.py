"""Takes what people made by hand into a stack: `make adopt`, or `python -m adoption STACK [--yes] [--job ID=JOB]`.

Shows what was found and how it differs from the settings, asks, has Pulumi import what the workspace holds, and marks
the secrets in FiftyOne as the stack's. Writes nothing to the workspace; the next `make up` does. Runs where the stack's
project is.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from databricks.sdk.errors.base import DatabricksError

from adoption.differences import Difference, differences
from adoption.hand_over import connect, hand_over, unmarked
from adoption.import_file import orchestrator_urn, run_import, standing_resources
from adoption.live_workspace import LiveWorkspace
from adoption.obstacles import obstacles
from adoption.report import difference_lines, finding_lines, pool_limit_lines, question_lines
from adoption.survey import Finding, survey
from components.settings import Settings
from components.settings_errors import SettingsError
from components.settings_loader import load_settings
from databricks_provider.workspace_client import workspace_client
from fiftyone_provider.client import FiftyOneError
from toolchain.environment import stack_environment, take_on
from toolchain.paths import POLICY_PACK, SetupError
from toolchain.pulumi_json import PulumiError, pulumi_json


def adopt(stack: str, *, named: Mapping[str, str], yes: bool) -> int:
    """Adopt what stands for the stack; 0 where all of it is the stack's afterwards.

    Raises:
        SetupError: the stack, or an answer, is missing.
        SettingsError, FiftyOneError, DatabricksError, ValueError: it could not be asked what stands.
    """
    environ = stack_environment(stack)
    state = set(_urns(stack, environ))
    config: dict[str, dict[str, Any]] = _pulumi(["config", "--json", "--show-secrets", "--stack", stack], environ)
    values = {key: str(entry.get("value", "")) for key, entry in config.items()}
    settings = load_settings(
        stack=stack,
        config=values,
        secret_keys=[key for key, entry in config.items() if entry.get("secret")],
        environ=environ,
        previewing=True,
    )
    if unknown := sorted(named.keys() - settings.orchestrators.keys()):
        raise SetupError(f"--job names {', '.join(unknown)}; the settings have {', '.join(settings.orchestrators)}")
    take_on(environ)
    workspace = LiveWorkspace(workspace_client(values.get))
    fiftyone = connect(settings)

    found = survey(settings, fiftyone, workspace, named=named)
    standing = [each for each in found if each.job or each.registration or each.secrets]
    if not standing and not any(each.problems for each in found):
        print(
            f"Nothing stands for {', '.join(settings.orchestrators)}: `make up STACK={stack}` makes all of it. What "
            "was made by hand is found by FiftyOne's id of the orchestrator, which is the key under `orchestrators`, "
            'or by ARGS="--job INSTANCE_ID=JOB".'
        )
        return 0
    for each in standing:
        print("\n".join(finding_lines(each, settings)), end="\n\n")
    print("\n".join(_advice(standing, settings, workspace)), end="\n\n", flush=True)
    if problems := list(obstacles(found, settings, workspace, state)):
        print("\n".join(["Nothing was adopted:", *(f"- {problem}." for problem in problems)]), file=sys.stderr)
        return 1

    resources = [each for each in standing_resources(standing, settings) if each.urn(stack) not in state]
    secrets = list(unmarked(standing))
    if not resources and not secrets:
        print("All of it is the stack's already: nothing to adopt.")
        return 0
    kept = [each.instance_id for each in standing if each.registration]
    kept = [name for name in kept if orchestrator_urn(stack, name) not in state]
    print("\n".join(question_lines(resources, [key for _, key in secrets], kept)), flush=True)
    if not yes and not _answered():
        print("Nothing was adopted.")
        return 1
    if resources and (code := run_import(resources, stack, state, environ, Path.cwd())):
        print("The import did not end well; nothing was marked. Mend what it says and adopt again.", file=sys.stderr)
        return code
    for instance_id, key in secrets:
        hand_over(fiftyone, settings, instance_id, key)
    print(f"Adopted. `make preview STACK={stack}` shows what differs, `make up STACK={stack}` changes it.")
    return 0


def _advice(found: Sequence[Finding], settings: Settings, workspace: LiveWorkspace) -> Iterator[str]:
    all_of_them: dict[str, Difference] = {}
    for each in found:
        for difference in differences(each, settings, workspace):
            all_of_them.setdefault(str(difference), difference)
    yield from difference_lines(list(all_of_them.values()), settings.stack)
    yield from pool_limit_lines(found, settings, POLICY_PACK / "limits" / f"{settings.stack}.json")


def _answered() -> bool:
    """What the person says. Raises SetupError where there is none to ask."""
    if not sys.stdin.isatty():
        raise SetupError(
            "nobody can be asked here, and adopting changes the stack's state and marks secrets in FiftyOne: nothing "
            "was adopted. Look at the above, then say ARGS=--yes"
        )
    try:
        return input("Adopt these? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _urns(stack: str, environ: Mapping[str, str]) -> Iterator[str]:
    deployment: dict[str, Any] = _pulumi(["stack", "export", "--stack", stack], environ).get("deployment") or {}
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    for resource in resources:
        if not resource.get("delete"):
            yield resource["urn"]


def _pulumi(arguments: list[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """What the command prints as JSON. Raises SetupError."""
    try:
        return pulumi_json(arguments, environ, Path.cwd())
    except PulumiError as error:
        raise SetupError(f"{error} (a new stack is made with `pulumi stack init`)") from None


def _named(text: str) -> tuple[str, str]:
    instance_id, equals, job = text.partition("=")
    if not (instance_id and equals and job):
        raise argparse.ArgumentTypeError("write it as INSTANCE_ID=JOB, with the job's id or name")
    return instance_id, job


def main() -> int:
    """Run from the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="make adopt")
    parser.add_argument("stack")
    parser.add_argument("--yes", action="store_true", help="adopt without asking")
    parser.add_argument("--job", action="append", default=[], type=_named, help="INSTANCE_ID=JOB, its id or name")
    given = parser.parse_args()
    try:
        return adopt(given.stack, named=dict(given.job), yes=given.yes)
    except (SetupError, SettingsError, FiftyOneError, DatabricksError, ValueError) as error:
        print(f"make adopt STACK={given.stack}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
