"""Secrets that exist already are referred to, never written, and not lost with a registration."""

from dataclasses import replace

import pytest

from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.orchestrator import OrchestratorProvider
from tests.unit.fiftyone_fake import KEY, OTHERS, SHARED, Engine, FakeFiftyOne, Wanted, shared

pytestmark = pytest.mark.usefixtures("no_waiting")


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
