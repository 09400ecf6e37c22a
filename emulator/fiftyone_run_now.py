"""Starts one task of a job as FiftyOne's API does: databricks-sdk, with a service principal's credential.

A program of its own, run by its path: an order in JSON on standard input, run id and page or a failure on standard
output. It imports nothing of the emulator and knows the workspace by its host alone.
"""

import json
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

SECONDS = 10


def check_host(host: str) -> None:
    """Raises OSError or ValueError, which databricks-sdk keeps to itself, after trying for long."""
    address = urlsplit(host if "//" in host else f"https://{host}")
    if not address.hostname:
        raise ValueError("it is not a URL")
    port = address.port or (443 if address.scheme == "https" else 80)
    socket.create_connection((address.hostname, port), SECONDS).close()


def run_now(order: dict[str, Any]) -> dict[str, Any]:
    try:
        check_host(order["host"])
    except (OSError, ValueError) as error:
        return {"failure": f"the host in secret {order['host_name']} cannot be reached: {error}"}
    try:
        config = Config(
            host=order["host"],
            client_id=order["client_id"],
            client_secret=order["client_secret"],
            auth_type="oauth-m2m",
            http_timeout_seconds=SECONDS,
            retry_timeout_seconds=SECONDS,
        )
        # Its type is not known whole, for what can be waited on is generic without saying of what.
        jobs: Any = WorkspaceClient(config=config).jobs
        started = jobs.run_now(int(order["job_id"]), job_parameters={"command": order["command"]}, only=[order["task"]])
        return {"run_id": started.run_id, "run_page_url": jobs.get_run(started.run_id).run_page_url}
    except Exception as error:  # noqa: BLE001 - credentials and permissions are refused in many ways, all are to be told
        # What databricks-sdk says where a host does not tell it where tokens are given.
        if "Invalid URL 'None'" in str(error):
            return {"failure": f"the host in secret {order['host_name']} does not answer as a Databricks workspace"}
        return {"failure": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    json.dump(run_now(json.load(sys.stdin)), sys.stdout)
