"""When a team is there: opening hours, Dutch holidays, and time counted in hours that are worked. Pure, no I/O.

Hours look like {"mon": ["09:00", "17:00"], ...} in Amsterdam time; a day that is missing is closed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

ZONE = ZoneInfo("Europe/Amsterdam")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE_HOURS: Mapping[str, Sequence[str]] = {day: ("09:00", "17:00") for day in DAYS[:5]}
_MOST_DAYS = 60  # a team that is closed for longer has no hours at all

Hours = Mapping[str, Sequence[str]]


def is_open(hours: Hours, at: datetime.datetime) -> bool:
    """Whether somebody is there at this moment."""
    return any(start <= at < end for start, end in _spans(hours, at, 1))


def next_opening(hours: Hours, at: datetime.datetime) -> datetime.datetime | None:
    """The next moment somebody is there (`at` itself when they are); None when the team never opens."""
    return next((max(start, at) for start, end in _spans(hours, at, _MOST_DAYS) if end > at), None)


def after(hours: Hours, at: datetime.datetime, worked: float) -> datetime.datetime | None:
    """The moment when `worked` hours of opening time have passed since `at`; None when that never comes."""
    left, at = datetime.timedelta(hours=worked), at.astimezone(datetime.UTC)
    for start, end in _spans(hours, at, _MOST_DAYS):
        begin = max(start, at)
        if end - begin >= left:
            return begin + left
        left -= max(end - begin, datetime.timedelta(0))
    return None


def worked(hours: Hours, since: datetime.datetime, until: datetime.datetime) -> float:
    """Opening hours between two moments."""
    days = (until.astimezone(ZONE).date() - since.astimezone(ZONE).date()).days + 1
    since, until = since.astimezone(datetime.UTC), until.astimezone(datetime.UTC)
    spans = ((max(start, since), min(end, until)) for start, end in _spans(hours, since, days))
    return sum((end - start).total_seconds() / 3600 for start, end in spans if end > start)


def _spans(hours: Hours, since: datetime.datetime, days: int) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    """(open, close) of every day that is worked, from the day of `since` on.

    In UTC: Python subtracts two moments of one zone by their clocks, wrong in a night when summer time begins or ends.
    """
    first = since.astimezone(ZONE).date()
    for number in range(days):
        day = first + datetime.timedelta(days=number)
        span = hours.get(DAYS[day.weekday()])
        if span and day not in _holidays(day.year):
            start, end = (datetime.time.fromisoformat(clock) for clock in span)
            yield _utc(day, start), _utc(day, end)


def _utc(day: datetime.date, clock: datetime.time) -> datetime.datetime:
    return datetime.datetime.combine(day, clock, ZONE).astimezone(datetime.UTC)


@lru_cache(maxsize=8)
def _holidays(year: int) -> frozenset[datetime.date]:
    return frozenset(holidays.country_holidays("NL", years=year))
