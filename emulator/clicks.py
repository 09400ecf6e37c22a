"""What a person clicks in FiftyOne, from the command line: refresh an orchestrator's operators, delegate an operation.

Asks the running server for it and waits for the run's end, as somebody does who watches it in the workspace.
"""

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from emulator.outcomes import ENDED
from emulator.process import Home, ServerError

POLL_SECONDS = 0.2


def click(folder: Path, verb: str, instance_id: str, body: dict[str, str]) -> bool:
    """Do it, print the run's page and log and the operators known afterwards; whether the run succeeded.

    Raises ServerError.
    """
    home = Home(folder) if folder.is_dir() else None
    if home is None or home.server() is None:
        raise ServerError(f"No server runs in {folder}: start it first.")
    headers = {
        "Authorization": f"Bearer {home.credential('token')}",
        "X-API-Key": home.credential("fiftyone-api-key"),
    }
    with httpx.Client(base_url=home.address(), headers=headers, timeout=None, trust_env=False) as http:  # noqa: S113
        try:
            started = _answer(http.post(f"/fiftyone/orchestrators/{quote(instance_id, safe='')}/{verb}", json=body))
            print(started["run_page_url"], flush=True)
            run = _ended(http, started["run_id"])
            for task in run["tasks"]:
                output = _answer(http.get("/api/2.2/jobs/runs/get-output", params={"run_id": task["run_id"]}))
                print(output["logs"], output.get("error", ""), sep="", flush=True)
            known = _answer(http.post("/fiftyone/management/get_orchestrator", json={"instance_id": instance_id}))
        except httpx.HTTPError as error:
            raise ServerError(f"The server went away: {error}") from None
    state: dict[str, Any] = run["state"]
    print(f"{state['result_state']} {state['state_message']}".rstrip())
    print("available operators:", *known["result"]["available_operators"] or ["none"])
    return state["result_state"] == "SUCCESS"


def _ended(http: httpx.Client, run_id: int) -> dict[str, Any]:
    while True:
        run = _answer(http.get("/api/2.2/jobs/runs/get", params={"run_id": run_id}))
        if run["state"]["life_cycle_state"] in ENDED:
            return run
        time.sleep(POLL_SECONDS)


def _answer(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if not response.is_success:
        raise ServerError(body["message"])
    return body
