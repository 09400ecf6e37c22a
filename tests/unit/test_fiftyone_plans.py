"""A plan says what an update will do, and a refresh what somebody did behind our back."""

from dataclasses import replace
from typing import Any

import pytest

from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.orchestrator import OrchestratorProvider
from fiftyone_provider.secret import SecretProvider
from tests.unit.fiftyone_fake import KEY, MARK, SHARED, Engine, FakeFiftyOne, Wanted, shared

pytestmark = pytest.mark.usefixtures("no_waiting")


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
