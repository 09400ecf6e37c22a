"""A goal that was missed shows as missed, in its line and at the head of the page; growth is judged by its slope."""

import pytest

from benchmarks.delay_proxy import Passed, side_by_side
from benchmarks.goals import MET, MISSED, Goal, table
from benchmarks.growth import flat, linear
from benchmarks.report import Section, page


def goal(found: float) -> Goal:
    return Goal(what="up, no change", limit=1.1, found=found, unit=" times")


@pytest.mark.parametrize(
    ("found", "mark"), [(1.0, MET), (1.1, MET), (1.1001, MISSED), (float("inf"), MISSED), (float("nan"), MISSED)]
)
def test_a_goal_is_met_up_to_its_limit_and_not_beyond(found: float, mark: str) -> None:
    assert goal(found).row()[-1] == mark


def test_what_was_missed_stands_at_the_head_of_the_page_and_what_was_met_does_not() -> None:
    sections = [Section(title="Some", text="Numbers.", goals=[goal(1.0), goal(1.6)])]
    head, _, rest = page(sections, repetitions=1, load_before=0.0).partition("## Some")
    assert "1 of 2 goals are met" in head
    assert head.count(MISSED) == 1
    assert MET not in head
    assert rest.count(MISSED) == rest.count(MET) == 1


def test_a_busy_machine_is_said() -> None:
    assert "busy" not in page([], repetitions=1, load_before=0.0)
    assert "busy" in page([], repetitions=1, load_before=1000.0)


def test_a_table_has_as_many_cells_in_each_line() -> None:
    lines = table(["a", "b"], [["c", "d"]]).splitlines()
    assert [line.count("|") for line in lines] == [3, 3, 3]


@pytest.mark.parametrize(("most", "met"), [(510, True), (2510, False)])
def test_growth_beyond_a_line_is_missed(most: float, met: bool) -> None:
    found = {1: {"requests": 20.0}, 10: {"requests": 110.0}, 50: {"requests": float(most)}}
    assert [one.met for one in linear(found)] == [met]


def test_what_stays_the_same_and_then_grows_is_missed() -> None:
    assert not linear({1: {"memory, MB": 5.0}, 10: {"memory, MB": 5.0}, 50: {"memory, MB": 6.0}})[0].met
    assert linear({1: {"memory, MB": 5.0}, 10: {"memory, MB": 5.0}, 50: {"memory, MB": 5.0}})[0].met


@pytest.mark.parametrize(("packing", "met"), [(1.0, True), (0.0, False)])
def test_time_that_packing_does_not_explain_is_missed(packing: float, met: bool) -> None:
    found = {10: {"up, no change, s": 3.0}, 1000: {"up, no change, s": 4.0}}
    assert [one.met for one in flat(found, {10: 0.0, 1000: packing})] == [met]


def test_requests_at_once_are_counted_over_the_time_in_which_there_are_any() -> None:
    spans = [(0.0, 1.0), (0.0, 1.0), (5.0, 6.0)]
    passed = [Passed(path="/", came=came, answered=answered) for came, answered in spans]
    assert side_by_side(passed) == pytest.approx(1.5)
    assert side_by_side([]) == 0.0
