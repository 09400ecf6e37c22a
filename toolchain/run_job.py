"""Runs a deployed job once and shows its log as it comes: `make run`, for any stack.

Starts the execution task alone, with a command of FiftyOne's; what FiftyOne itself starts is not its concern.
"""

import os
import sys
import time
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import RunLifecycleStateV2State

from databricks_provider.workspace_client import workspace_client
from toolchain.environment import stack_environment, take_on
from toolchain.next_steps import say_next
from toolchain.paths import SetupError
from toolchain.progress import Line
from toolchain.pulumi_json import PulumiError, pulumi_json
from troubleshooting.causes import explanation

SECONDS_BETWEEN_LOOKS = 1.0


def run(stack: str, command: str, orchestrator: str) -> int:
    """Run the command on an orchestrator's job, the stack's first if none is named; 0 where it succeeded.

    Raises:
        SetupError: the stack has no such orchestrator, or is not deployed.
    """
    environ = stack_environment(stack)
    outputs = pulumi_json(["stack", "output", "--json", "--stack", stack], environ)
    config = pulumi_json(["config", "--json", "--show-secrets", "--stack", stack], environ)
    orchestrators: dict[str, dict[str, str]] = outputs.get("orchestrators") or {}
    name = orchestrator or next(iter(orchestrators), "")
    if name not in orchestrators:
        if not orchestrators:
            raise SetupError(f"nothing is deployed; deploy it first, with `make up STACK={stack}`")
        raise SetupError(f"there is no orchestrator `{name}`; the stack has {', '.join(orchestrators)}")
    found = orchestrators[name]
    take_on(environ)
    client = workspace_client(lambda key: config.get(key, {}).get("value"))
    parameters = {"command": command} if command else None
    started: Any = client.jobs.run_now(int(found["jobId"]), only=[found["executionTaskKey"]], job_parameters=parameters)
    print(f"run {started.run_id}: {found['jobUrl']}/run/{started.run_id}", flush=True)
    return follow(client, int(started.run_id), stack)


def follow(client: WorkspaceClient, run_id: int, stack: str) -> int:
    """Print the log of the run's one task until it has ended; 0 where it succeeded."""
    shown, line = "", Line()
    while True:
        found = client.jobs.get_run(run_id)
        state = found.status.state if found.status else None
        ended = state is RunLifecycleStateV2State.TERMINATED
        logs, error = _output(client, found.tasks[0].run_id) if found.tasks else ("", "")
        if logs or ended:
            line.clear()
        else:
            line.show(f"{state.value if state else 'not known'} …")
        print(_new(shown, logs), end="", flush=True)
        shown = logs or shown
        if ended and found.status and found.status.termination_details:
            details = found.status.termination_details
            code = details.code.value if details.code else "UNKNOWN"
            print(" ".join(filter(None, (f"\nrun {run_id} ended: {code}", details.message, error))))
            if code == "SUCCESS":
                say_next("run", stack)
                return 0
            if known := explanation(code, details.message or "", error, shown, stack=stack):
                print(known)
            return 1
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _new(shown: str, logs: str) -> str:
    """What of a log was not shown yet; of a long one the platform gives the tail, which moves on."""
    if logs.startswith(shown):
        return logs[len(shown) :]
    overlap = shown[-1000:]
    _, found, new = logs.rpartition(overlap)
    return new if found else f"\n[… a part of the log is too long ago to be shown …]\n{logs}"


def _output(client: WorkspaceClient, task_run_id: int | None) -> tuple[str, str]:
    """What the platform shows so far of the log and of an error; nothing before the run has begun."""
    try:
        output = client.jobs.get_run_output(task_run_id or 0)
    except DatabricksError:
        return "", ""
    return output.logs or "", output.error or ""


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], os.environ.get("COMMAND", ""), os.environ.get("ORCHESTRATOR", "")))
    except (SetupError, PulumiError, DatabricksError, ValueError) as error:
        known = explanation(str(error), stack=sys.argv[1])
        sys.exit(f"make run STACK={sys.argv[1]}: {error}" + (f"\n{known}" if known else ""))
