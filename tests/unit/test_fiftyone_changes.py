"""What a change does in FiftyOne, and what it leaves alone."""

from dataclasses import replace

import pytest

from fiftyone_provider.mark import parsed
from fiftyone_provider.secret import SecretProvider
from tests.unit.fiftyone_fake import KEY, MARK, SHARED, Engine, FakeFiftyOne, Wanted, shared

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_what_fiftyone_held_before_is_known_until_it_holds_another(deployed: Engine) -> None:
    def ids() -> tuple[str, str]:
        return deployed.state["secret"]["valueId"], deployed.state["secret"]["valueIdBefore"]

    assert ids() == ("id of hidden-one", "")
    assert deployed.up(Wanted(client_secret="hidden-two")) == ""
    assert ids() == ("id of hidden-two", "id of hidden-one")
    # Written again, for whatever reason, it still holds the same.
    deployed.fiftyone.secrets[KEY] = ("hidden-two", f"credential [pulumi-stack: {MARK} #0123456789ab]")
    deployed.refresh()
    assert deployed.up(Wanted(client_secret="hidden-two")) == ""
    assert ids() == ("id of hidden-two", "id of hidden-one")
    # States of earlier versions of this program know neither.
    for name in ("valueId", "valueIdBefore"):
        del deployed.state["secret"][name]
    assert deployed.up(Wanted(client_secret="hidden-three")) == ""
    assert ids() == ("id of hidden-three", "")


def test_nothing_changed_asks_nothing(deployed: Engine) -> None:
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.calls == []


def test_after_a_run_that_went_wrong_nothing_changed_is_one_look_at_each_and_no_write(deployed: Engine) -> None:
    deployed.went_wrong = True
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.calls == [f"secret {KEY}", "orchestrator gpu"]


def test_at_another_address_all_is_registered_there(deployed: Engine) -> None:
    deployed.fiftyone, deployed.api_uri = FakeFiftyOne(), "https://another"
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.writes == [f"add_secret {KEY}", "register gpu"]
    deployed.fiftyone.calls.clear()
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.calls == []


def test_what_a_state_that_knows_no_address_is_of_is_looked_at_until_a_refresh(deployed: Engine) -> None:
    for name in ("secret", "orchestrator"):
        del deployed.state[name]["apiUri"]
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.calls == [f"secret {KEY}", "orchestrator gpu"]
    deployed.refresh()
    deployed.fiftyone.calls.clear()
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.calls == []


def test_a_change_with_existing_secrets_whose_answer_was_lost_can_be_refreshed_and_finished(engine: Engine) -> None:
    shared(engine.fiftyone)
    assert engine.up(SHARED) == ""
    before = dict(engine.state["orchestrator"]), engine.inputs["orchestrator"]
    changed = replace(SHARED, job="2", allow_reregister=True)
    assert engine.up(changed) == ""
    engine.state["orchestrator"], engine.inputs["orchestrator"] = before
    engine.refresh()
    engine.refresh()
    assert engine.up(changed) == ""
    assert engine.fiftyone.orchestrators["gpu"].config["jobId"] == "2"


def test_a_rotation_writes_one_secret_and_leaves_the_registration(deployed: Engine) -> None:
    before = deployed.fiftyone.orchestrators["gpu"]
    assert deployed.up(Wanted(client_secret="hidden-two")) == ""
    assert deployed.fiftyone.writes == [f"update_secret_value {KEY}"]
    assert deployed.fiftyone.orchestrators["gpu"] is before


def test_an_unchanged_value_is_not_written_again(deployed: Engine) -> None:
    olds = deployed.state["secret"]
    news = {**Wanted().secret(), "description": "another text"}
    SecretProvider().update(KEY, olds, news)
    assert deployed.fiftyone.writes == [f"update_secret {KEY}"]
    assert parsed(deployed.fiftyone.secrets[KEY][1]).text == "another text"


def test_registering_anew_deletes_once_and_registers_once(deployed: Engine) -> None:
    assert deployed.up(Wanted(job="2")) == ""
    assert deployed.fiftyone.writes == ["delete_orchestrator gpu", "register gpu"]


def test_secrets_that_went_with_the_registration_are_written_back_before_it_is_made_anew() -> None:
    engine = Engine(FakeFiftyOne(delete_takes_secrets=True))
    assert engine.up(Wanted(client_secret="hidden-one")) == ""
    assert engine.up(Wanted(client_secret="hidden-two")) == ""
    engine.fiftyone.calls.clear()
    assert engine.up(Wanted(client_secret="hidden-two", job="2")) == ""
    assert engine.fiftyone.writes == ["delete_orchestrator gpu", f"add_secret {KEY}", "register gpu"]
    assert engine.fiftyone.secrets[KEY][0] == "hidden-two"
    # Written back under its own token, so that it is deleted as the stack's own.
    assert engine.up(None) == ""
    assert engine.fiftyone.secrets == {}


def test_a_lost_answer_to_register_is_found_and_not_registered_twice(engine: Engine) -> None:
    from tests.unit.test_registration_recovery import fault_at

    peaceful = FakeFiftyOne()
    assert Engine(peaceful).up(Wanted()) == ""
    number = peaceful.calls.index("register gpu")
    engine.fiftyone.fault = fault_at(number, at_answer=True, lasting=False)
    assert engine.up(Wanted()) == ""
    assert engine.fiftyone.writes.count("register gpu") == 1
    assert "delete_orchestrator gpu" not in engine.fiftyone.writes
