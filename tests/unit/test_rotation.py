"""When a credential is made anew: by its age, before its end, and as the environment asks."""

from datetime import UTC, datetime, timedelta

import pytest

from databricks_provider.rotation import Rotation, lifetime, rotation

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def after(days: float, *, period: int = 60, lasts: int = 127, mode: str = "due") -> Rotation:
    ends = MADE + timedelta(days=lasts)
    state = {"madeAt": MADE.isoformat(), "expiresAt": ends.isoformat()}
    environ = {"ROTATION_CLOCK": (MADE + timedelta(days=days)).isoformat(), "ROTATE_CREDENTIAL": mode}
    return rotation(state, period_days=period, environ=environ)


def test_a_lifetime_covers_two_periods_and_a_week() -> None:
    assert lifetime(60) == f"{127 * 86400}s"


def test_the_longest_period_fits_into_the_longest_lifetime_of_the_platform() -> None:
    from components.settings import MAX_ROTATION_DAYS

    assert int(lifetime(MAX_ROTATION_DAYS)[:-1]) <= 730 * 86400 < int(lifetime(MAX_ROTATION_DAYS + 1)[:-1])


@pytest.mark.parametrize(("days", "due"), [(0, False), (59.99, False), (60, True), (400, True)])
def test_it_is_due_when_its_period_is_over(days: float, due: bool) -> None:
    assert after(days).is_due is due
    assert after(days).happens is due


def test_a_longer_period_makes_due_what_would_end_within_it() -> None:
    # Made to last 127 days: under a period of 90 it has to last until day 90, and a period and a week after that.
    assert not after(29.9, period=90).is_due
    assert after(30, period=90).is_due
    assert after(10, period=180).is_due


def test_a_shorter_period_counts_from_the_day_it_was_made() -> None:
    assert after(30, period=30).is_due
    assert not after(29.9, period=30).is_due


def test_the_environment_decides_over_the_age() -> None:
    assert after(1, mode="now").happens
    assert not after(100, mode="never").happens
    with pytest.raises(ValueError, match="ROTATE_CREDENTIAL is 'often'"):
        after(1, mode="often")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (after(12), "12 of 60 days old, ends on 2026-05-08"),
        (after(61), "61 of 60 days old, ends on 2026-05-08: a new one is made, and this one stays valid until"),
        (after(61, mode="never"), "61 of 60 days old, ends on 2026-05-08: due for rotation, which this run leaves"),
        (after(130, mode="never"), "130 of 60 days old, ended on 2026-05-08"),
    ],
)
def test_its_age_and_end_are_told_and_what_becomes_of_it(found: Rotation, text: str) -> None:
    assert str(found).startswith(text)


def test_times_are_read_as_the_platform_writes_them_and_a_clock_that_is_none_is_refused() -> None:
    state = {"madeAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-05-08T00:00:00.123Z"}
    assert rotation(state, period_days=60, environ={"ROTATION_CLOCK": "2026-01-03"}).age_days == 2
    with pytest.raises(ValueError, match="ROTATION_CLOCK is 'tomorrow'"):
        rotation(state, period_days=60, environ={"ROTATION_CLOCK": "tomorrow"})
    assert rotation(state, period_days=60, environ={}).now.tzinfo is not None
