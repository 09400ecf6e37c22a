"""What FiftyOne does by itself: starts a registered job for a refresh or an operation, and takes its workers' reports.

It knows the workspace only by what was registered: a host and a credential among its own secrets. The command lines
are the stand-in's own: of FiftyOne's is public only that those of operations begin with `fiftyone delegated`.
"""

import asyncio
import json
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

from emulator import fiftyone_secrets
from emulator.api import ApiError, Body, Call, Later
from emulator.fiftyone_orchestrators import find, record_operators

# What databricks-sdk has for all of it; its own patience with a host that does not answer is five minutes.
DEADLINE_SECONDS = 60


class Delegation(Body):
    operator: str


class Report(Body):
    operators: list[str]


def refresh(call: Call) -> Later:
    """Start the job so that it reports its operators: its registration task, or the other one if it has none."""
    config: dict[str, str] = json.loads(find(call.db, call.path["id"])["config"])
    task = config.get("registrationTaskId", config["executionTaskId"])
    return _start(call, task, f"fiftyone stand-in report-operators {shlex.quote(call.path['id'])}")


def delegate(call: Call) -> Later:
    """Start the job for one operation; whether the operator is there is found out by the run."""
    operator = call.read(Delegation).operator
    config: dict[str, str] = json.loads(find(call.db, call.path["id"])["config"])
    return _start(call, config["executionTaskId"], f"fiftyone delegated execute {shlex.quote(operator)}")


def report_operators(call: Call) -> dict[str, Any]:
    """What a worker has. It holds no key; a page in a browser can send neither of these headers unasked."""
    if call.headers.get("content-type") != "application/json":
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "A report of operators is application/json.")
    if not call.headers.get("fiftyone-internal-service"):
        raise ApiError(403, "PERMISSION_DENIED", "Only internal services report operators: FIFTYONE_INTERNAL_SERVICE.")
    record_operators(call.db, call.path["id"], call.read(Report).operators)
    return {"result": None}


def _failed(message: str) -> ApiError:
    return ApiError(502, "ORCHESTRATOR_FAILED", message)


def _start(call: Call, task: str, command: str) -> Later:
    """Everything that FiftyOne knows, taken now, and the request to the workspace for later. Raises ApiError."""
    row = find(call.db, call.path["id"])
    names: dict[str, str] = json.loads(row["secrets"])
    values: dict[str, str] = {}
    for field, name in names.items():
        if (secret := fiftyone_secrets.find(call.db, name)) is None:
            raise _failed(f"FiftyOne has no secret {name}, which orchestrator {call.path['id']} names as its {field}.")
        values[field] = secret["value"]
    order = {
        **values,
        "host_name": names["host"],
        "job_id": json.loads(row["config"])["jobId"],
        "task": task,
        "command": command,
    }
    return _run_now(order, {values[field]: name for field, name in names.items()}, call.home)


async def _run_now(order: dict[str, str], names: dict[str, str], home: Path) -> dict[str, Any]:
    """Run id and page. A process of its own: nothing of this server's environment reaches databricks-sdk there."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(Path(__file__).with_name("fiftyone_run_now.py")),
        env={"HOME": str(home)},
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            output, _ = await program.communicate(json.dumps(order).encode())
    except TimeoutError:
        text = f"the host in secret {order['host_name']} did not answer within {DEADLINE_SECONDS} seconds"
        answer = {"failure": text}
    else:
        answer = json.loads(output or b'{"failure": "databricks-sdk could not be run"}')
    finally:
        if program.returncode is None:
            program.kill()
    if failure := answer.get("failure"):
        for value, name in names.items():
            failure = failure.replace(value, f"[{name}]") if value else failure
        raise _failed(f"Task {order['task']} of job {order['job_id']} was not started: {failure}")
    return answer
