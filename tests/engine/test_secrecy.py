"""No secret's value stands in the clear anywhere but in the scope and in FiftyOne."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.engine.fault_proxy import Fault, FaultProxy
from tests.engine.rotations import rotating_stack
from tests.engine.stack import SECRETS, Stack
from tests.engine.workspace import Workspace


@contextmanager
def watched_arguments() -> Iterator[set[str]]:
    """The argument lists of all processes of this machine, as far as a quick look again and again sees them."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(file.read_text(errors="replace"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def test_no_secret_stands_in_the_clear_in_state_logs_errors_arguments_or_outputs(
    stack: Stack, workspace: Workspace
) -> None:
    environ = stack.environ
    with FaultProxy(workspace.address).running() as proxy, watched_arguments() as arguments:
        environ["FIFTYONE_API_URI"] = f"{proxy.address}/fiftyone"
        secrets = [
            *SECRETS.values(),
            workspace.token,
            environ["FIFTYONE_API_KEY"],
            environ["SERVICE_PRINCIPAL_CLIENT_SECRET"],
            *("hidden-new-key", "hidden-new-client-secret"),
        ]
        proxy.at("register_orchestrator gpu", Fault.UNANSWERED, lasting=True)
        printed = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name).output
        proxy.peace()
        printed += stack.up().output
        environ["FIFTYONE_ENCRYPTION_KEY"] = "hidden-new-key"
        environ["SERVICE_PRINCIPAL_CLIENT_SECRET"] = "hidden-new-client-secret"
        stack.orchestrator(description="Changed")
        printed += stack.succeeds("preview", "--diff").output
        proxy.at("update_secret CLIENT_SECRET_GPU", Fault.FORBIDDEN)
        printed += stack.pulumi("up", "--yes", "--skip-preview", "--diff", "--stack", stack.name).output
        proxy.peace()
        printed += stack.up("--diff").output
        printed += stack.succeeds("refresh", "--yes", "--run-program", "--diff").output
        printed += stack.succeeds("stack", "output", "--show-secrets").output
    assert workspace.fiftyone.secrets()["CLIENT_SECRET_GPU"][0] == "hidden-new-client-secret"
    files = [file for file in stack.folder.rglob("*") if file.is_file()]
    logs = [workspace.home / "requests.jsonl", workspace.home / "server.log"]
    assert any("history" in str(file) for file in files)
    assert any("pulumi" in line for line in arguments)
    written = "".join(file.read_text(errors="replace") for file in [*files, *logs])
    for place in (printed, written, "\n".join(arguments)):
        for secret in secrets:
            assert secret not in place


def test_no_credential_that_the_stack_made_stands_in_the_clear_anywhere(tmp_path: Path) -> None:
    with rotating_stack(tmp_path) as rotating, watched_arguments() as arguments:
        stack, home = rotating.stack, rotating.stack.workspace.home
        secrets = [rotating.held()]
        printed = rotating.rotate().output
        secrets.append(rotating.held())
        # One that is made and never handed over is a secret too: only the state has it.
        rotating.fiftyone.plan = lambda call: Fault.LOST
        printed += rotating.rotate().output
        state = json.loads(stack.succeeds("stack", "export", "--show-secrets").output)
        (made,) = (
            found for found in state["deployment"]["resources"] if found["type"].endswith("databricks:Credential")
        )
        secrets.append(json.loads(made["outputs"]["value"]["plaintext"]))
        assert len(set(secrets)) == 3
        rotating.peace()
        for verb in (["preview", "--diff"], ["refresh", "--yes", "--run-program", "--diff"], ["stack", "export"]):
            printed += stack.succeeds(*verb).output
        printed += stack.make_up().output
        run = stack.workspace.fiftyone.refresh()
        stack.workspace.ended(run)
        printed += stack.succeeds("stack", "history", "--json").output
        run_logs = list((home / "runs").rglob("log"))
        assert run_logs
        files = [file for file in [*stack.folder.rglob("*"), *run_logs] if file.is_file()]
        logs = [home / "requests.jsonl", home / "server.log"]
        written = "".join(file.read_text(errors="replace") for file in [*files, *logs])
        printed += stack.succeeds("destroy", "--yes", "--run-program").output
    for place in (printed, written, "\n".join(arguments)):
        for secret in secrets:
            assert secret not in place
