"""The table counts every fault once, and names those that ended wrong."""

from tests.faults.table import lines

NOTED = [
    ["Job", "create", "cut after the act", "Job / create / cut after the act at POST", ["double: a job"]],
    ["Job", "create", "500", "Job / create / 500 at POST", []],
    ["Job", "create", "500", "Job / create / 500 at GET", []],
    ["Folder", "delete", "500", "Folder / delete / 500 at POST", []],
]


def test_each_resource_and_verb_has_a_line_with_its_faults_by_class() -> None:
    assert [line.split() for line in lines(NOTED)[:3]] == [
        ["resource", "verb", "cut", "500"],
        ["Folder", "delete", "1"],
        ["Job", "create", "1", "(1", "red)", "2"],
    ]


def test_the_size_is_said_and_red_ones_by_name() -> None:
    assert lines(NOTED)[3:] == [
        "4 faults, 3 green, 1 red",
        "red: Job / create / cut after the act at POST: double: a job",
    ]


def test_a_class_without_a_short_name_has_a_column_of_its_own() -> None:
    assert lines([["Job", "read", "something new", "", []]])[0].endswith("something new")
