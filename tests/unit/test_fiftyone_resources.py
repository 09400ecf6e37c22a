"""What is ours is kept right, what is not ours is never touched, and a plan says what it will do."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fiftyone_provider.client import FiftyOneError, Registration
from fiftyone_provider.connection import CONNECTION
from fiftyone_provider.mark import parsed
from fiftyone_provider.orchestrator import OrchestratorProvider
from fiftyone_provider.secret import SecretProvider
from tests.unit.fiftyone_fake import MARK, Engine, FakeFiftyOne, Wanted

KEY = "CLIENT_SECRET_GPU"
OTHERS = {"host": "SHARED_HOST", "accountId": "SHARED_ACCOUNT"}
SHARED = Wanted(existing=OTHERS)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    yield
    CONNECTION._client, CONNECTION._out_of_reach = None, False  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def engine() -> Engine:
    return Engine(FakeFiftyOne())


@pytest.fixture
def deployed(engine: Engine) -> Engine:
    assert engine.up(Wanted()) == ""
    engine.fiftyone.calls.clear()
    return engine


def shared(fiftyone: FakeFiftyOne) -> FakeFiftyOne:
    fiftyone.secrets.update(dict.fromkeys(OTHERS.values(), ("theirs", "by hand")))
    return fiftyone


def theirs() -> Registration:
    return Registration(instance_id="gpu", description="by hand", environment="databricks", config={}, secrets={})


# What a change does, and what it leaves alone.


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


# What is not ours.


def test_a_secret_of_our_name_without_our_mark_stops_and_is_left_alone(engine: Engine) -> None:
    engine.fiftyone.secrets[KEY] = ("theirs", "by hand")
    problem = engine.up(Wanted())
    assert f"[pulumi-stack: {MARK}]" in problem
    assert "secretsFrom" in problem
    assert "hidden" not in problem
    assert engine.fiftyone.writes == []


def test_a_secret_that_was_handed_over_by_its_mark_is_taken_over(engine: Engine) -> None:
    engine.fiftyone.secrets[KEY] = ("theirs", f"by hand [pulumi-stack: {MARK}]")
    assert engine.up(Wanted()) == ""
    assert engine.fiftyone.secrets[KEY][0] == "hidden-one"


def test_an_orchestrator_of_our_id_without_our_mark_stops_and_is_left_alone(engine: Engine) -> None:
    engine.fiftyone.orchestrators["gpu"] = theirs()
    problem = engine.up(Wanted())
    assert "delete_orchestrator" in problem
    assert engine.fiftyone.orchestrators["gpu"] == theirs()


@pytest.mark.parametrize("refreshed", [False, True])
def test_what_somebody_made_anew_behind_our_back_stops_before_anything_is_changed(
    deployed: Engine, *, refreshed: bool
) -> None:
    change = Wanted() if refreshed else Wanted(job="2", client_secret="hidden-two")
    deployed.fiftyone.orchestrators["gpu"] = theirs()
    if refreshed:
        deployed.refresh()
    assert "delete_orchestrator" in deployed.up(replace(change, client_secret="hidden-one"))
    deployed.fiftyone.secrets[KEY] = ("theirs", "by hand")
    deployed.went_wrong = False
    if refreshed:
        deployed.refresh()
    assert "without the mark" in deployed.up(change)
    assert deployed.fiftyone.writes == []


def test_destroying_leaves_what_is_not_ours(deployed: Engine) -> None:
    deployed.fiftyone.orchestrators["gpu"] = theirs()
    deployed.fiftyone.secrets[KEY] = ("theirs", f"ours once [pulumi-stack: {MARK} #0123456789ab]")
    assert deployed.up(None) == ""
    assert deployed.fiftyone.writes == []


def test_a_resource_of_another_name_takes_over_and_the_old_one_then_deletes_nothing(deployed: Engine) -> None:
    """What the engine does when a resource is renamed in the program: create the new one, then delete the old one."""
    old = dict(deployed.state)
    deployed.state = {}
    assert deployed.up(Wanted()) == ""
    OrchestratorProvider().delete("gpu", old["orchestrator"])
    SecretProvider().delete(KEY, old["secret"])
    assert deployed.fiftyone.secrets.keys() == {KEY}
    assert deployed.fiftyone.orchestrators.keys() == {"gpu"}


# Secrets that exist already.


def test_existing_secrets_are_referred_to_and_never_written(engine: Engine) -> None:
    shared(engine.fiftyone)
    assert engine.up(SHARED) == ""
    assert dict(engine.fiftyone.orchestrators["gpu"].secrets) == {"clientSecret": KEY, **OTHERS}
    assert engine.up(None) == ""
    assert engine.fiftyone.secrets == shared(FakeFiftyOne()).secrets


def test_a_name_of_no_secret_stops_before_anything_is_registered(engine: Engine) -> None:
    problem = engine.up(SHARED)
    assert "FiftyOne has no secret SHARED_ACCOUNT, which `secretsFrom.accountId` names" in problem
    assert "hidden" not in problem
    assert "register gpu" not in engine.fiftyone.calls


def test_with_existing_secrets_registering_anew_has_to_be_allowed(engine: Engine) -> None:
    shared(engine.fiftyone)
    assert engine.up(SHARED) == ""
    engine.fiftyone.calls.clear()
    assert "allowReregister: true" in engine.up(replace(SHARED, job="2"))
    assert engine.fiftyone.writes == []
    assert engine.up(replace(SHARED, job="2", allow_reregister=True)) == ""
    assert engine.fiftyone.orchestrators["gpu"].config["jobId"] == "2"


def test_existing_secrets_that_went_with_the_registration_keep_up_red_until_they_are_restored() -> None:
    engine = Engine(shared(FakeFiftyOne(delete_takes_secrets=True)))
    assert engine.up(SHARED) == ""
    changed = replace(SHARED, job="2", allow_reregister=True)
    for _ in range(2):
        problem = engine.up(changed)
        assert "SHARED_ACCOUNT" in problem
        assert "gpu" not in engine.fiftyone.orchestrators
    shared(engine.fiftyone)
    assert engine.up(changed) == ""
    assert engine.fiftyone.orchestrators["gpu"].config["jobId"] == "2"


def test_an_interrupted_create_with_existing_secrets_is_adopted_as_it_is(engine: Engine) -> None:
    shared(engine.fiftyone)
    assert engine.up(SHARED) == ""
    del engine.state["orchestrator"]
    engine.fiftyone.calls.clear()
    assert engine.up(SHARED) == ""
    assert not [call for call in engine.fiftyone.writes if "secret" not in call]


# What a plan says.


def test_a_plan_says_in_one_line_what_is_registered_anew_and_why(
    deployed: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    news = Wanted(job="2", description="Others").orchestrator(deployed.state["secret"])
    capsys.readouterr()
    assert OrchestratorProvider().diff("gpu", deployed.state["orchestrator"], news).changes
    assert capsys.readouterr().out == (
        "orchestrator gpu is registered anew (description changes; jobId changes); its operators need a refresh after "
        "that\n"
    )


def test_a_refresh_names_what_was_changed_by_hand(deployed: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    found = deployed.fiftyone.orchestrators["gpu"]
    changed = {"jobId": "7", "executionTaskId": "execute_task"}
    deployed.fiftyone.orchestrators["gpu"] = replace(found, config=changed)
    capsys.readouterr()
    outs: dict[str, Any] = OrchestratorProvider().read("gpu", deployed.state["orchestrator"]).outs or {}
    assert outs["config"] == changed
    assert capsys.readouterr().out == "orchestrator gpu: config was changed in FiftyOne\n"
    deployed.state["orchestrator"] = outs
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.orchestrators["gpu"].config["jobId"] == "1"


def test_a_refresh_finds_what_was_deleted_by_hand(deployed: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.fiftyone.secrets.clear()
    deployed.fiftyone.orchestrators.clear()
    capsys.readouterr()
    assert OrchestratorProvider().read("gpu", deployed.state["orchestrator"]).id == ""
    assert SecretProvider().read(KEY, deployed.state["secret"]).id == ""
    printed = capsys.readouterr().out
    assert "orchestrator gpu was deleted in FiftyOne" in printed
    assert f"FiftyOne secret {KEY} was deleted in FiftyOne" in printed


def test_a_secret_that_was_written_by_somebody_with_our_mark_is_written_again(deployed: Engine) -> None:
    deployed.fiftyone.secrets[KEY] = ("theirs", f"credential [pulumi-stack: {MARK} #0123456789ab]")
    deployed.refresh()
    assert deployed.up(Wanted()) == ""
    assert deployed.fiftyone.secrets[KEY][0] == "hidden-one"


def test_an_unknown_job_is_a_change_of_the_plan_and_unknown_credentials_are_none(deployed: Engine) -> None:
    from pulumi.output import Unknown

    olds = deployed.state["orchestrator"]
    news = Wanted().orchestrator(deployed.state["secret"])
    assert not OrchestratorProvider().diff("gpu", olds, {**news, "ownSecrets": Unknown()}).changes
    unknown = {**news, "config": {**news["config"], "jobId": Unknown()}}
    assert OrchestratorProvider().diff("gpu", olds, unknown).changes


def test_a_plan_stops_where_an_update_would(deployed: Engine) -> None:
    deployed.fiftyone.secrets[KEY] = ("theirs", "by hand")
    with pytest.raises(FiftyOneError, match="without the mark"):
        SecretProvider().diff(KEY, deployed.state["secret"], Wanted(client_secret="hidden-two").secret())
    engine = Engine(shared(FakeFiftyOne()))
    assert engine.up(SHARED) == ""
    news = replace(SHARED, job="2").orchestrator(engine.state["secret"])
    with pytest.raises(FiftyOneError, match="allowReregister"):
        OrchestratorProvider().diff("gpu", engine.state["orchestrator"], news)


def test_what_a_refresh_found_of_ours_is_deleted_as_ours(deployed: Engine) -> None:
    deployed.fiftyone.secrets[KEY] = ("ours", f"credential [pulumi-stack: {MARK} #0123456789ab]")
    deployed.refresh()
    assert deployed.up(None) == ""
    assert deployed.fiftyone.secrets == {}


def test_what_is_not_ours_stays_so_however_often_it_is_refreshed(
    deployed: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.fiftyone.orchestrators["gpu"] = theirs()
    deployed.fiftyone.secrets[KEY] = ("theirs", "by hand")
    for _ in range(2):
        deployed.refresh()
    assert capsys.readouterr().out.count("is not this stack's any more") == 4
    assert "without the mark" in deployed.up(Wanted())
    assert deployed.up(None) == ""
    assert deployed.fiftyone.writes == []


def test_taking_existing_secrets_out_of_the_settings_has_to_be_allowed_as_well() -> None:
    engine = Engine(shared(FakeFiftyOne(delete_takes_secrets=True)))
    assert engine.up(SHARED) == ""
    engine.fiftyone.calls.clear()
    problem = engine.up(Wanted())
    assert "SHARED_ACCOUNT and SHARED_HOST would be lost" in problem
    assert engine.fiftyone.writes == []
    problem = engine.up(Wanted(allow_reregister=True))
    assert "FiftyOne has no secret SHARED_ACCOUNT and SHARED_HOST, which this stack did not make" in problem
    assert engine.up(Wanted(allow_reregister=True)) == ""
    assert dict(engine.fiftyone.orchestrators["gpu"].secrets) == {"clientSecret": KEY}


def test_a_replacement_with_existing_secrets_takes_over_and_the_old_one_then_deletes_nothing(engine: Engine) -> None:
    shared(engine.fiftyone)
    assert engine.up(SHARED) == ""
    old = engine.state.pop("orchestrator")
    assert engine.up(SHARED) == ""
    OrchestratorProvider().delete("gpu", old)
    assert engine.fiftyone.orchestrators.keys() == {"gpu"}


def test_a_delete_that_takes_existing_secrets_is_red_once_and_says_which() -> None:
    engine = Engine(shared(FakeFiftyOne(delete_takes_secrets=True)))
    assert engine.up(SHARED) == ""
    assert "FiftyOne has no secret SHARED_ACCOUNT and SHARED_HOST" in engine.up(None)
    assert engine.up(None) == ""


def test_a_secret_of_the_stacks_own_cannot_be_named_as_an_existing_one(deployed: Engine) -> None:
    news = {**Wanted().orchestrator(deployed.state["secret"]), "existingSecrets": [KEY], "ownSecrets": {}}
    (failure,) = OrchestratorProvider().check({}, news).failures
    assert failure.property == "secrets.clientSecret"
    assert "is this stack's own and would be deleted" in failure.reason
    with pytest.raises(FiftyOneError, match="is this stack's own"):
        OrchestratorProvider().update("gpu", deployed.state["orchestrator"], {**news, "description": "Others"})
    assert deployed.fiftyone.writes == []


def test_what_the_state_remembers_is_ours_under_another_mark(deployed: Engine) -> None:
    """What the engine asks for after a stack was renamed."""
    renamed = MARK.replace("/test/", "/other/")
    SecretProvider().update(KEY, deployed.state["secret"], {**Wanted().secret(), "mark": renamed})
    assert parsed(deployed.fiftyone.secrets[KEY][1]).mark == renamed
    token = parsed(deployed.fiftyone.secrets[KEY][1]).token
    news = Wanted().orchestrator({**deployed.state["secret"], "token": token})
    own = {KEY: {**news["ownSecrets"][KEY], "description": f"credential [pulumi-stack: {renamed} #{token}]"}}
    OrchestratorProvider().update("gpu", deployed.state["orchestrator"], {**news, "mark": renamed, "ownSecrets": own})
    assert parsed(deployed.fiftyone.orchestrators["gpu"].description).mark == renamed


def test_a_secret_that_somebody_made_anew_is_not_written_back_over(deployed: Engine) -> None:
    news = Wanted(job="2").orchestrator(deployed.state["secret"])
    deployed.fiftyone.secrets[KEY] = ("theirs", "by hand")
    with pytest.raises(FiftyOneError, match="without the mark"):
        OrchestratorProvider().update("gpu", deployed.state["orchestrator"], news)
    assert deployed.fiftyone.secrets[KEY] == ("theirs", "by hand")
