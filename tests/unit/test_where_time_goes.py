"""A run of the tests says where its time went, by tier and by file."""

from tests.where_time_goes import SHOWN_FILES, lines

SECONDS = {"tests/unit/test_a.py": 1.4, "tests/engine/test_b.py": 20.0, "tests/engine/test_c.py": 30.2}
TESTS = {"tests/unit/test_a.py": 10, "tests/engine/test_b.py": 2, "tests/engine/test_c.py": 3}


def test_tiers_are_summed_and_files_come_after_the_slowest_first() -> None:
    assert [line.strip() for line in lines(SECONDS, TESTS)] == [
        "50  tests/engine, 5 tests",
        "1  tests/unit, 10 tests",
        "of which the slowest files:",
        "30  tests/engine/test_c.py, 3 tests",
        "20  tests/engine/test_b.py, 2 tests",
        "1  tests/unit/test_a.py, 10 tests",
    ]


def test_quick_files_are_left_out_of_the_list_and_not_of_their_tier() -> None:
    many = {f"tests/unit/test_{number}.py": 1.0 for number in range(SHOWN_FILES + 5)}
    shown = lines(many, dict.fromkeys(many, 1))
    assert len(shown) == 2 + SHOWN_FILES
    assert shown[0].endswith("15  tests/unit, 15 tests")
