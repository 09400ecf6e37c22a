"""The credential that FiftyOne holds: how long it may be in use, when that is said, and when it stops a stack."""

from datetime import UTC, datetime

import pytest

from pack.refusal import PackRefusedError
from pack.stack_settings import stack_settings
from rules.rotation import PERIOD
from rules.values import UNKNOWN
from tests.policies.cases import REMOVED, accepts, credential, leaves, refuses


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def test_a_period_is_bounded_by_the_environments_limit() -> None:
    assert accepts("rotation-period", credential(rotateAfterDays=90.0))
    assert "is 91, above the limit of 90" in refuses("rotation-period", credential(rotateAfterDays=91.0))
    assert accepts("rotation-period", credential(rotateAfterDays=91.0), limits={PERIOD: 120})
    assert "is 0, below the limit of 1" in refuses("rotation-period", credential(rotateAfterDays=0.0))
    assert "is not set" in refuses("rotation-period", credential(rotateAfterDays=REMOVED))
    assert "rotateAfterDays of credential" in leaves("rotation-period", credential(rotateAfterDays=UNKNOWN))


def test_a_credential_that_is_due_and_not_made_anew_is_told() -> None:
    assert accepts("credential-due", credential(), now=on(3, 1))
    assert "older than 60 days and due" in refuses("credential-due", credential(), now=on(3, 2))
    assert "make up STACK=prod" in refuses("credential-due", credential(), now=on(3, 2), stack="prod")


def test_one_that_this_run_makes_anew_is_not_told() -> None:
    renewed = credential(madeAt=UNKNOWN, expiresAt=UNKNOWN)
    assert accepts("credential-due", renewed, now=on(12, 1))
    assert accepts("credential-ended", renewed, now=on(12, 1))


def test_one_that_has_ended_stops_the_stack_and_is_told_once() -> None:
    assert accepts("credential-ended", credential(), now=on(5, 7))
    assert "ended on 2026-05-08" in refuses("credential-ended", credential(), now=on(5, 8))
    assert "make rotate STACK=dev" in refuses("credential-ended", credential(), now=on(5, 8))
    assert accepts("credential-due", credential(), now=on(5, 8))


def test_the_clock_is_the_programs() -> None:
    environ = {"PULUMI_STACK": "dev", "ROTATION_CLOCK": "2026-03-02T00:00:00Z"}
    assert stack_settings(environ).now == on(3, 2)
    with pytest.raises(PackRefusedError, match="ROTATION_CLOCK is 'soon'"):
        stack_settings({**environ, "ROTATION_CLOCK": "soon"})
