"""What is not ours in FiftyOne is never touched, and what is ours stays so."""

from dataclasses import replace

import pytest

from fiftyone_provider.client import FiftyOneError
from fiftyone_provider.mark import parsed
from fiftyone_provider.orchestrator import OrchestratorProvider
from fiftyone_provider.secret import SecretProvider
from tests.unit.fiftyone_fake import KEY, MARK, Engine, Wanted, theirs

pytestmark = pytest.mark.usefixtures("no_waiting")


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
