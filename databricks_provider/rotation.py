"""When a credential is due for rotation: its age by a clock, and what the environment asks for.

Owns the two variables and the arithmetic; makes and deletes nothing. A lifetime covers two periods, because the secret
before stays valid until the rotation after, and a week for a schedule that misses some nights.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

# When it is now, in ISO 8601; for tests and rehearsals, which cannot wait.
CLOCK: Final = "ROTATION_CLOCK"
# `due` unless set; `now` rotates whatever the age; `never` leaves one that is due to another run, for it is no drift.
MODE: Final = "ROTATE_CREDENTIAL"
MODES: Final = ("due", "now", "never")
SLACK_DAYS: Final = 7


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The age of a credential and its period, both in days; times are UTC."""

    made_at: datetime
    expires_at: datetime
    period_days: int
    now: datetime
    mode: str

    @property
    def age_days(self) -> int:
        """Whole days since it was made."""
        return (self.now - self.made_at).days

    @property
    def is_due(self) -> bool:
        """Whether its period is over, or would be too late: what is left has to cover a period and the slack."""
        left = timedelta(days=self.period_days + SLACK_DAYS)
        return self.now >= min(self.made_at + timedelta(days=self.period_days), self.expires_at - left)

    @property
    def happens(self) -> bool:
        """Whether this run rotates."""
        return self.mode == "now" or (self.mode == "due" and self.is_due)

    def __str__(self) -> str:
        ended = self.now >= self.expires_at
        ends = f"{'ended' if ended else 'ends'} on {self.expires_at:%Y-%m-%d}"
        age = f"{self.age_days} of {self.period_days} days old, {ends}"
        if self.happens:
            return f"{age}: a new one is made" + ("" if ended else ", and this one stays valid until the next rotation")
        return f"{age}: due for rotation, which this run leaves to `make up`" if self.is_due else age


def rotation(state: Mapping[str, Any], *, period_days: int, environ: Mapping[str, str] = os.environ) -> Rotation:
    """Where a credential stands, by its `madeAt` and `expiresAt`.

    Raises:
        ValueError: a variable holds what it cannot.
    """
    mode = environ.get(MODE, MODES[0])
    if mode not in MODES:
        raise ValueError(f"{MODE} is {mode!r}, and must be one of {', '.join(MODES)}.")
    return Rotation(
        made_at=parsed_time(state["madeAt"]),
        expires_at=parsed_time(state["expiresAt"]),
        period_days=period_days,
        now=clock(environ),
        mode=mode,
    )


def lifetime(period_days: int) -> str:
    """How long a secret lasts, as Databricks takes it."""
    return f"{timedelta(days=2 * period_days + SLACK_DAYS).total_seconds():.0f}s"


def parsed_time(text: str) -> datetime:
    """A time as Databricks writes it; without a zone it is UTC. Raises ValueError."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def clock(environ: Mapping[str, str]) -> datetime:
    """When it is now. Raises ValueError for a clock that was set to no time."""
    given = environ.get(CLOCK)
    try:
        return parsed_time(given) if given else datetime.now(UTC)
    except ValueError:
        raise ValueError(f"{CLOCK} is {given!r}, and must be a time such as 2027-01-31T00:00:00Z.") from None
