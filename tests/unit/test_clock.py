"""The one clock of a refresh."""

from datetime import UTC, date, datetime

import pytest

from pipeline.errors import ClockError
from pipeline.lake.clock import Clock


def test_a_given_time_starts_there_and_runs_on() -> None:
    clock = Clock.at("2026-01-02T03:04:05+02:00")
    assert clock.start == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert clock.name == "given"
    assert clock.now() > clock.start


@pytest.mark.parametrize("given", ["yesterday", "2026-01-02T03:04:05", "2026-13-01T00:00:00Z"])
def test_a_time_that_cannot_be_used_is_named(given: str) -> None:
    with pytest.raises(ClockError, match=given[:8]):
        Clock.at(given)


def test_a_night_is_a_date_in_the_schedules_zone() -> None:
    clock = Clock.at("2026-01-02T23:30:00Z")
    assert clock.night("UTC") == date(2026, 1, 2)
    assert clock.night("Europe/Berlin") == date(2026, 1, 3)
