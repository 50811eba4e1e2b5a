"""Opening hours: days, holidays, summer time, teams that never open, and time counted in hours that are worked."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import pytest

from bot.coach.hours import DAYS, OFFICE_HOURS, ZONE, after, is_open, next_opening, worked

Hours = Mapping[str, Sequence[str]]
NEVER: Hours = {}
WEDNESDAYS: Hours = {"wed": ("13:00", "17:00")}
EVERY_DAY: Hours = {day: ("09:00", "17:00") for day in DAYS}
NIGHTS: Hours = {"sun": ("00:00", "06:00"), "mon": ("00:00", "06:00")}  # over the hour when the clock changes
EMPTY_DAYS: Hours = {"mon": (), "tue": ("09:00", "17:00")}


def at(clock: str, zone: datetime.tzinfo = ZONE) -> datetime.datetime:
    """ "2026-04-27 10:00" in Amsterdam."""
    return datetime.datetime.fromisoformat(clock).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("hours", "clock", "expected"),
    [
        (OFFICE_HOURS, "2026-03-02 08:59", False),  # a Monday
        (OFFICE_HOURS, "2026-03-02 09:00", True),
        (OFFICE_HOURS, "2026-03-02 12:30", True),  # nobody closes for lunch
        (OFFICE_HOURS, "2026-03-02 16:59", True),
        (OFFICE_HOURS, "2026-03-02 17:00", False),
        (OFFICE_HOURS, "2026-03-07 10:00", False),  # a Saturday
        (OFFICE_HOURS, "2026-04-27 10:00", False),  # King's Day, a Monday
        (OFFICE_HOURS, "2027-04-27 10:00", False),
        (EVERY_DAY, "2025-04-26 10:00", False),  # King's Day a day early: the 27th was a Sunday
        (EVERY_DAY, "2025-04-27 10:00", True),
        (OFFICE_HOURS, "2026-12-25 10:00", False),  # Christmas, a Friday
        (EVERY_DAY, "2026-12-26 10:00", False),
        (EVERY_DAY, "2026-12-27 10:00", True),
        (EVERY_DAY, "2027-01-01 10:00", False),
        (EVERY_DAY, "2026-04-06 10:00", False),  # Easter Monday
        (OFFICE_HOURS, "2026-05-05 10:00", True),  # Liberation Day is free once in five years
        (OFFICE_HOURS, "2025-05-05 10:00", False),
        (NEVER, "2026-03-02 10:00", False),
        (EMPTY_DAYS, "2026-03-02 10:00", False),
        (EMPTY_DAYS, "2026-03-03 10:00", True),
    ],
)
def test_open(hours: Hours, clock: str, expected: bool) -> None:
    assert is_open(hours, at(clock)) is expected


def test_it_is_the_clock_of_amsterdam_that_counts() -> None:
    assert is_open(OFFICE_HOURS, at("2026-01-05 08:00", datetime.UTC))  # 9:00 in winter
    assert not is_open(OFFICE_HOURS, at("2026-01-05 07:59", datetime.UTC))
    assert is_open(OFFICE_HOURS, at("2026-07-06 07:00", datetime.UTC))  # 9:00 in summer
    assert not is_open(OFFICE_HOURS, at("2026-07-06 15:00", datetime.UTC))
    assert is_open({"tue": ("00:00", "06:00")}, at("2026-07-06 22:30", datetime.UTC))  # Tuesday there already


@pytest.mark.parametrize(
    ("hours", "clock", "expected"),
    [
        (OFFICE_HOURS, "2026-03-02 07:00", "2026-03-02 09:00"),
        (OFFICE_HOURS, "2026-03-02 10:15", "2026-03-02 10:15"),  # now
        (OFFICE_HOURS, "2026-03-02 17:00", "2026-03-03 09:00"),
        (OFFICE_HOURS, "2026-03-06 18:00", "2026-03-09 09:00"),  # over a weekend
        (OFFICE_HOURS, "2026-03-27 18:00", "2026-03-30 09:00"),  # over the start of summer time
        (OFFICE_HOURS, "2026-10-23 18:00", "2026-10-26 09:00"),  # and its end
        (OFFICE_HOURS, "2026-04-24 17:30", "2026-04-28 09:00"),  # weekend and King's Day
        (OFFICE_HOURS, "2026-12-24 17:30", "2026-12-28 09:00"),  # Christmas on Friday and Saturday
        (WEDNESDAYS, "2026-03-04 17:00", "2026-03-11 13:00"),
        (NEVER, "2026-03-02 10:00", None),
    ],
)
def test_next_opening(hours: Hours, clock: str, expected: str | None) -> None:
    assert next_opening(hours, at(clock)) == (at(expected) if expected else None)


@pytest.mark.parametrize(
    ("hours", "clock", "hours_worked", "expected"),
    [
        (OFFICE_HOURS, "2026-03-02 10:00", 4, "2026-03-02 14:00"),
        (OFFICE_HOURS, "2026-03-02 10:00", 0, "2026-03-02 10:00"),
        (OFFICE_HOURS, "2026-03-02 09:00", 8, "2026-03-02 17:00"),  # a whole day, lunch included
        (OFFICE_HOURS, "2026-03-02 15:00", 4, "2026-03-03 11:00"),
        (OFFICE_HOURS, "2026-03-02 20:00", 4, "2026-03-03 13:00"),
        (OFFICE_HOURS, "2026-03-06 16:30", 1, "2026-03-09 09:30"),
        (OFFICE_HOURS, "2026-04-24 16:00", 2, "2026-04-28 10:00"),  # over King's Day
        (OFFICE_HOURS, "2026-12-24 16:00", 9, "2026-12-28 17:00"),  # over Christmas
        (OFFICE_HOURS, "2026-03-27 16:00", 2, "2026-03-30 10:00"),  # over the start of summer time
        (WEDNESDAYS, "2026-03-03 10:00", 6, "2026-03-11 15:00"),
        (NIGHTS, "2026-03-29 00:00", 4, "2026-03-29 05:00"),  # 2:00 is 3:00: four hours later it is five
        (NIGHTS, "2026-03-29 00:00", 6, "2026-03-30 01:00"),  # that night has five hours
        (NIGHTS, "2026-10-25 00:00", 4, "2026-10-25 03:00"),  # 3:00 is 2:00 again
        (NIGHTS, "2026-10-25 00:00", 7, "2026-10-25 06:00"),  # that night has seven
        (NEVER, "2026-03-02 10:00", 4, None),
        (WEDNESDAYS, "2026-03-03 10:00", 100, None),  # not within two months: as good as never
    ],
)
def test_after(hours: Hours, clock: str, hours_worked: float, expected: str | None) -> None:
    for moment in (at(clock), at(clock).astimezone(datetime.UTC)):
        assert after(hours, moment, hours_worked) == (at(expected) if expected else None)


@pytest.mark.parametrize(
    ("hours", "since", "until", "expected"),
    [
        (OFFICE_HOURS, "2026-03-02 10:00", "2026-03-02 11:30", 1.5),
        (OFFICE_HOURS, "2026-03-02 07:00", "2026-03-02 20:00", 8),
        (OFFICE_HOURS, "2026-03-02 18:00", "2026-03-03 08:00", 0),
        (OFFICE_HOURS, "2026-03-06 16:00", "2026-03-09 10:00", 2),
        (OFFICE_HOURS, "2026-04-24 16:00", "2026-04-28 10:00", 2),
        (OFFICE_HOURS, "2026-03-27 16:00", "2026-03-30 10:00", 2),
        (OFFICE_HOURS, "2026-10-23 16:00", "2026-10-26 10:00", 2),
        (NIGHTS, "2026-03-29 00:00", "2026-03-29 06:00", 5),
        (NIGHTS, "2026-10-25 00:00", "2026-10-25 06:00", 7),
        (NIGHTS, "2026-03-28 23:30", "2026-03-30 00:15", 5.25),  # less than a day long, yet on a third day
        (NEVER, "2026-03-02 10:00", "2026-06-02 10:00", 0),
        (OFFICE_HOURS, "2026-03-02 12:00", "2026-03-02 11:00", 0),
    ],
)
def test_worked(hours: Hours, since: str, until: str, expected: float) -> None:
    assert worked(hours, at(since), at(until)) == pytest.approx(expected)
    assert worked(hours, at(since).astimezone(datetime.UTC), at(until).astimezone(datetime.UTC)) == pytest.approx(
        expected
    )


def test_after_and_worked_agree() -> None:
    """Whatever moment `after` names, exactly that many hours were worked until then; over a whole year."""
    start = at("2026-01-01 05:17", datetime.UTC)
    for number in range(0, 365 * 24, 37):
        since = start + datetime.timedelta(hours=number)
        for hours in (OFFICE_HOURS, EVERY_DAY, NIGHTS):
            until = after(hours, since, 3.5)
            assert until is not None
            assert worked(hours, since, until) == pytest.approx(3.5)
