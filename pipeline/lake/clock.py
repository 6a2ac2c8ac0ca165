"""The one clock of a refresh: the system's, or one set by `--now` for rehearsals and tests."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.errors import ClockError


@dataclass(frozen=True, slots=True)
class Clock:
    """Starts at `start` and runs on by the machine's monotonic clock."""

    start: datetime
    given: bool
    _origin: float = field(default_factory=time.monotonic)

    @classmethod
    def at(cls, given: str | None) -> "Clock":
        """The system's clock, or one that starts at the ISO time `given`. Raises ClockError."""
        if not given:
            return cls(datetime.now(UTC), given=False)
        try:
            start = datetime.fromisoformat(given)
        except ValueError:
            raise ClockError(f"{given!r} is no ISO time; write one as 2026-11-22T02:00:00+00:00") from None
        if start.tzinfo is None:
            raise ClockError(f"{given!r} names no time zone; add Z or an offset, as 2026-11-22T02:00:00Z")
        return cls(start.astimezone(UTC), given=True)

    @property
    def name(self) -> str:
        return "given" if self.given else "system"

    def now(self) -> datetime:
        return self.start + timedelta(seconds=time.monotonic() - self._origin)

    def night(self, timezone: str) -> date:
        """The night this refresh belongs to: a date in `timezone`."""
        return self.start.astimezone(ZoneInfo(timezone)).date()
