"""A stack that makes its own service principal, and what FiftyOne and the workspace hold of its credential."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.fault_proxy import Fault, FaultProxy
from tests.engine.stack import Run, Stack
from tests.engine.workspace import Workspace

NOW = {"ROTATE_CREDENTIAL": "now"}


@dataclass
class RotatingStack:
    """One orchestrator, whose requests to the workspace and to FiftyOne pass a proxy each."""

    stack: Stack
    databricks: FaultProxy
    fiftyone: FaultProxy

    @property
    def principal_id(self) -> str:
        client_id = self.stack.outputs()["servicePrincipalClientId"]
        found = self.stack.workspace.client.service_principals.list(filter=f'applicationId eq "{client_id}"')
        return next(iter(found)).id or ""

    @property
    def secrets_path(self) -> str:
        return f"/api/2.0/accounts/servicePrincipals/{self.principal_id}/credentials/secrets"

    def secret_ids(self) -> list[str]:
        """Of the secrets that have not ended, oldest first."""
        found = self.stack.workspace.client.service_principal_secrets_proxy.list(self.principal_id)
        return [secret.id or "" for secret in sorted(found, key=lambda secret: secret.create_time or "")]

    def held(self) -> str:
        """What FiftyOne holds."""
        return self.stack.workspace.fiftyone.secrets()["CLIENT_SECRET_GPU"][0]

    def works(self, secret: str | None = None) -> bool:
        """Whether what FiftyOne holds, or held, is good for a token."""
        client_id = self.stack.workspace.fiftyone.secrets()["CLIENT_ID_GPU"][0]
        return bool(self.stack.workspace.token_for(client_id, secret or self.held()))

    def rotate(self) -> Run:
        return self.stack.make_up(**NOW)

    def rotate_and_kill(self, call: str) -> None:
        """Kill the engine while Databricks, which has acted, owes a provider the answer to a call."""
        self.databricks.silenced.clear()
        self.databricks.at(call, Fault.SILENT)
        engine = self.stack.start("up", "--yes", "--skip-preview", **NOW)
        assert self.databricks.silenced.wait(timeout=120)
        engine.kill()
        engine.wait()

    def peace(self) -> None:
        self.databricks.peace()
        self.fiftyone.peace()


@contextmanager
def rotating_stack(folder: Path) -> Iterator[RotatingStack]:
    """Deployed on a workspace of its own, with no rotation yet."""
    (folder / "project").mkdir()
    workspace = Workspace.start(folder / "workspace")
    stack = Stack.create(
        folder / "project",
        workspace,
        servicePrincipal={"create": True},
        orchestrators={"gpu": {"nodeType": "x"}},
        # How long both clients of Databricks try again where they cannot reach it; five minutes otherwise.
        **{"databricks:retryTimeoutSeconds": 2, "fiftyone:timeoutSeconds": 5},
    )
    target = workspace.address
    with FaultProxy(target).running() as databricks, FaultProxy(target).running() as fiftyone:
        stack.environ["DATABRICKS_HOST"] = databricks.address
        stack.environ["FIFTYONE_API_URI"] = f"{fiftyone.address}/fiftyone"
        try:
            stack.up()
            yield RotatingStack(stack, databricks, fiftyone)
        finally:
            workspace.stop()
