"""Whatever call to FiftyOne fails, and however: a green `up` has done its work, and the next one ends right.

Every change is run once in peace to count its calls, then once for each of them with the fault before and after it,
for a moment and for good, and then settled with the change kept and with the change taken back.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fiftyone_provider.mark import parsed
from tests.unit.fiftyone_fake import KEY, Engine, FakeFiftyOne, Wanted, down

pytestmark = pytest.mark.usefixtures("no_waiting")

FIRST = Wanted()
CHANGES: dict[str, tuple[Wanted | None, Wanted | None]] = {
    "create": (None, FIRST),
    "job replaced": (FIRST, replace(FIRST, job="2")),
    "description": (FIRST, replace(FIRST, description="Others")),
    "rotation": (FIRST, replace(FIRST, client_secret="hidden-two")),
    "rotation and job": (FIRST, replace(FIRST, client_secret="hidden-two", job="2")),
    "delete": (FIRST, None),
    "secret deleted by hand, and refreshed": (FIRST, FIRST),
    "secret lost from the state": (FIRST, FIRST),
}


def is_right(engine: Engine, wanted: Wanted | None) -> bool:
    """FiftyOne holds what is wanted, under the tokens that the state knows, and nothing else."""
    fiftyone = engine.fiftyone
    if wanted is None:
        return not fiftyone.secrets and not fiftyone.orchestrators
    ((key, (value, description)),) = fiftyone.secrets.items()
    ((_, found),) = fiftyone.orchestrators.items()
    return (
        (key, value) == (KEY, wanted.client_secret)
        and parsed(description).token == engine.state["secret"]["token"]
        and parsed(found.description).token == engine.state["orchestrator"]["token"]
        and parsed(found.description).text == wanted.description
        and found.config["jobId"] == wanted.job
    )


def deployed(change: str, *, delete_takes_secrets: bool) -> Engine:
    before, _ = CHANGES[change]
    engine = Engine(FakeFiftyOne(delete_takes_secrets=delete_takes_secrets))
    assert engine.up(before) == ""
    assert is_right(engine, before)
    match change:
        case "secret deleted by hand, and refreshed":
            engine.fiftyone.secrets.clear()
            del engine.state["secret"]
        case "secret lost from the state":
            engine.fiftyone.secrets = {key: ("hidden-old", text) for key, (_, text) in engine.fiftyone.secrets.items()}
            del engine.state["secret"]
        case _:
            pass
    engine.fiftyone.calls.clear()
    return engine


def fault_at(number: int, *, at_answer: bool, lasting: bool) -> Callable[[int, str, bool], None]:
    """FiftyOne is out of reach at one call, before or after it has acted, and perhaps from then on."""

    def fault(at: int, name: str, acted: bool) -> None:
        if (at, acted) == (number, at_answer) or (lasting and (at, acted) > (number, at_answer)):
            down(name, acted)

    return fault


@pytest.mark.parametrize("delete_takes_secrets", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_after_a_fault_at_any_call_the_next_up_ends_right(change: str, delete_takes_secrets: bool) -> None:
    before, after = CHANGES[change]
    peaceful = deployed(change, delete_takes_secrets=delete_takes_secrets)
    assert peaceful.up(after) == ""
    assert is_right(peaceful, after)
    red = 0
    for number in range(len(peaceful.fiftyone.calls)):
        for at_answer in (False, True):
            for lasting in (False, True):
                for settled in (after, before):
                    engine = deployed(change, delete_takes_secrets=delete_takes_secrets)

                    engine.fiftyone.fault = fault_at(number, at_answer=at_answer, lasting=lasting)
                    case = f"{peaceful.fiftyone.calls[number]}, {at_answer=}, {lasting=}, kept={settled is after}"
                    problem = engine.up(after)
                    assert bool(problem) or is_right(engine, after), case
                    red += bool(problem)
                    engine.fiftyone.fault = lambda at, name, acted: None
                    assert engine.up(settled) == "", case
                    assert is_right(engine, settled), case
                    # Settled means settled.
                    engine.fiftyone.calls.clear()
                    assert engine.up(settled) == "", case
                    assert engine.fiftyone.writes == [], case
    assert red
