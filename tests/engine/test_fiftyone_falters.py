"""FiftyOne refuses, or does not answer in time: `up` says what to do. What else can go wrong is in tests/faults."""

from collections.abc import Callable, Iterator

import pytest

from tests.engine.fault_proxy import Fault, FaultProxy
from tests.engine.stack import Run, Stack


@pytest.fixture
def light(new_stack: Callable[..., Stack]) -> Iterator[tuple[Stack, FaultProxy]]:
    """A stack with little but a registration, that meets FiftyOne through a proxy."""
    stack = new_stack()
    client = stack.workspace.client
    client.secrets.create_scope("shared")
    orchestrators = {"gpu": {"pool": client.instance_pools.create("shared", "c3-standard-4-lssd").instance_pool_id}}
    scope = {"name": "shared", "existing": True}
    stack.settings = {**stack.settings, "secretScope": scope, "orchestrators": orchestrators}
    with FaultProxy(stack.workspace.address).running() as proxy:
        stack.environ["FIFTYONE_API_URI"] = f"{proxy.address}/fiftyone"
        yield stack, proxy


def up(stack: Stack) -> Run:
    return stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name)


@pytest.mark.parametrize("call", ["add_secret CLIENT_SECRET_GPU", "register_orchestrator gpu"])
def test_a_refusal_stops_and_says_what_to_do(light: tuple[Stack, FaultProxy], call: str) -> None:
    stack, proxy = light
    proxy.at(call, Fault.FORBIDDEN)
    run = up(stack)
    assert run.code != 0
    assert "registering takes the Admin role" in run.output
    assert "Traceback" not in run.output
    stack.up()


def test_a_call_that_is_not_answered_is_given_up_and_says_so(light: tuple[Stack, FaultProxy]) -> None:
    stack, proxy = light
    stack.settings = {**stack.settings, "fiftyone:timeoutSeconds": 2}
    proxy.at("register_orchestrator gpu", Fault.SILENT)
    run = up(stack)
    assert "took more than 2 s to register orchestrator gpu" in run.output
    assert "Traceback" not in run.output
    stack.up()
