"""A change, each call to FiftyOne that it makes, and each way in which that call can go wrong: the matrix of faults.

One stack serves all cases of a change, and comes back to where it was after each of them. It is a light one: a case
takes two or three runs of the engine.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.engine.fault_proxy import Fault, FaultProxy
from tests.engine.stack import Run, Stack

OURS = ("CLIENT_SECRET_GPU", "gpu")
READS = ("get_secret_info", "get_orchestrator", "list_orchestrators", "list_secrets")


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What settings ask for."""

    gpu: bool = True
    description: str = "Runs"
    secret: str = "hidden-one"


@dataclass
class FaultyStack:
    """A stack with an orchestrator `a` and, where it is wanted, `gpu`, that meets FiftyOne through a fault proxy."""

    stack: Stack
    proxy: FaultProxy
    pool: str
    aims: list[Aim] = field(default_factory=list[Aim])

    def aim(self, aim: Aim) -> None:
        orchestrators: dict[str, Any] = {"a": {"pool": self.pool}}
        if aim.gpu:
            orchestrators["gpu"] = {"pool": self.pool, "description": aim.description}
        self.stack.settings = {**self.stack.settings, "orchestrators": orchestrators}
        self.stack.environ["SERVICE_PRINCIPAL_CLIENT_SECRET"] = aim.secret

    def up(self, aim: Aim) -> Run:
        self.aim(aim)
        return self.stack.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack.name)

    def up_without_an_answer(self, aim: Aim, call: str) -> Run:
        """One call is not answered, and given up after two seconds."""
        before = self.stack.settings
        self.stack.settings = {**before, "fiftyone:timeoutSeconds": 2}
        self.proxy.at(call, Fault.SILENT)
        run = self.up(aim)
        self.stack.settings = before
        return run

    def settles(self, aim: Aim) -> None:
        run = self.up(aim)
        assert run.code == 0, run.output
        assert self.is_right(aim), run.output

    def is_right(self, aim: Aim) -> bool:
        """FiftyOne holds what is wanted, and nothing else."""
        fiftyone = self.stack.workspace.fiftyone
        ids = ["a", "gpu"] if aim.gpu else ["a"]
        secrets = {key: value for key, (value, _) in fiftyone.secrets().items()}
        if sorted(fiftyone.orchestrators()) != ids or len(secrets) != 4 * len(ids):
            return False
        if not aim.gpu:
            return True
        found = fiftyone.orchestrator("gpu")
        job_id = self.stack.outputs()["orchestrators"]["gpu"]["jobId"]
        return (
            found["description"].startswith(f"{aim.description} [")
            and found["config"]["databricks"]["jobId"] == job_id
            and set(found["secrets"].values()) <= secrets.keys()
            and secrets["CLIENT_SECRET_GPU"] == aim.secret
        )

    def calls_of(self, before: Aim, after: Aim) -> list[tuple[str, int]]:
        """What a change asks of FiftyOne about `gpu` in peace: each call, and the how-manieth of its name it is."""
        self.settles(before)
        self.proxy.calls.clear()
        self.settles(after)
        seen: Counter[str] = Counter()
        calls: list[tuple[str, int]] = []
        for call in self.proxy.calls:
            seen[call] += 1
            if call.endswith(OURS):
                calls.append((call, seen[call]))
        self.settles(before)
        return calls


def cases(calls: list[tuple[str, int]]) -> Iterator[tuple[str, int, Fault]]:
    """A question can only be lost; a change can be lost before it or after it."""
    for call, nth in calls:
        yield call, nth, Fault.LOST
        if call.split()[0] not in READS:
            yield call, nth, Fault.UNANSWERED


@contextmanager
def faulty_stack(new_stack: Callable[..., Stack]) -> Iterator[FaultyStack]:
    stack = new_stack()
    workspace = stack.workspace
    pool = workspace.client.instance_pools.create("shared", "c3-standard-4-lssd").instance_pool_id or ""
    workspace.client.secrets.create_scope("shared")
    with FaultProxy(workspace.address).running() as proxy:
        stack.environ["FIFTYONE_API_URI"] = f"{proxy.address}/fiftyone"
        stack.settings = {**stack.settings, "secretScope": {"name": "shared", "existing": True}}
        yield FaultyStack(stack, proxy, pool)


def check_every_fault(faulty: FaultyStack, before: Aim, after: Aim, *, kept: bool) -> int:
    """Red or done at each fault, and right after the next `up`; how many cases there were."""
    count, stayed_red = 0, 0
    for call, nth, fault in cases(faulty.calls_of(before, after)):
        case = f"{call} (number {nth}): {fault.value}; the change is {'kept' if kept else 'taken back'}"
        faulty.proxy.at(call, fault, nth=nth, lasting=True)
        run = faulty.up(after)
        faulty.proxy.peace()
        assert run.code != 0 or faulty.is_right(after), f"{case}\n{run.output}"
        assert "Traceback" not in run.output, f"{case}\n{run.output}"
        assert "hidden" not in run.output, case
        stayed_red += run.code != 0
        aim = after if kept else before
        settled = faulty.up(aim)
        assert settled.code == 0, f"{case}\n{settled.output}"
        assert faulty.is_right(aim), f"{case}\n{run.output}\n{settled.output}"
        if kept:
            faulty.settles(before)
        count += 1
    assert stayed_red
    return count
