"""What time does to a case: the decision as a table. The loop is in test_timers_loop.py."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from bot.coach.hours import OFFICE_HOURS, ZONE
from bot.coach.timers import Facts, due, wakes
from bot.handover import Event
from tests.coach import made


def at(clock: str | None) -> datetime.datetime | None:
    """ "2 10:00" is Monday 2 March 2026 in Amsterdam."""
    if clock is None:
        return None
    day, _, time = clock.partition(" ")
    return datetime.datetime.fromisoformat(f"2026-03-{int(day):02} {time}").replace(tzinfo=ZONE)


WAITS = Facts("waiting", OFFICE_HOURS, 4, due_at=at("2 14:00"))
# The coach took it, or wrote, on Monday at ten; the person has not answered, or has at eleven.
ANSWERED = Facts("taken", OFFICE_HOURS, 4, coach_at=at("2 10:00"), heard_at=at("2 09:30"))
ASKED = replace(ANSWERED, asked_at=at("2 11:00"), heard_at=at("2 11:00"))
WHATSAPP = replace(ANSWERED, window_hours=24.0)
REMINDED = replace(ANSWERED, reminded_at=at("3 06:00"))


@pytest.mark.parametrize(
    ("facts", "now", "expected"),
    [
        # nobody took it
        (WAITS, "2 13:59", None),
        (WAITS, "2 14:00", Event.OVERDUE),
        (WAITS, "5 03:00", Event.OVERDUE),
        (replace(WAITS, escalated_at=at("2 14:00")), "5 03:00", None),  # once
        (replace(WAITS, due_at=None), "5 03:00", None),  # a team that never opens
        (replace(WAITS, muted=True), "2 14:00", Event.OVERDUE),  # cases.py keeps it from the person
        # the coach is silent
        (ASKED, "2 14:59", None),
        (ASKED, "2 15:00", Event.RETURNED),
        (replace(ASKED, answer_hours=8), "3 10:59", None),  # hours that are worked
        (replace(ASKED, answer_hours=8), "3 11:00", Event.RETURNED),
        (replace(ASKED, asked_at=at("6 16:00")), "9 11:59", None),  # over a weekend
        (replace(ASKED, asked_at=at("6 16:00")), "9 12:00", Event.RETURNED),
        (replace(ASKED, asked_at=at("2 03:00")), "2 13:59", None),  # taken after it was asked: from then on
        (replace(ASKED, asked_at=at("2 03:00")), "2 14:00", Event.RETURNED),
        (replace(ASKED, woke_at=at("5 10:00")), "5 13:59", None),  # a snooze ended: from then on
        (replace(ASKED, woke_at=at("5 10:00")), "5 14:00", Event.RETURNED),
        (replace(ASKED, hours=made.NEVER), "30 10:00", None),
        (replace(ASKED, muted=True), "2 15:00", Event.RETURNED),
        (replace(ASKED, reminded_at=at("2 06:00")), "4 12:00", Event.RETURNED),  # never GONE: the person wrote
        # the person is silent
        (replace(ANSWERED, coach_at=at("2 14:00")), "3 09:59", None),
        (replace(ANSWERED, coach_at=at("2 14:00")), "3 10:00", Event.SILENT),
        (ANSWERED, "3 08:59", None),  # at six it is still night
        (ANSWERED, "3 09:00", Event.SILENT),
        (ANSWERED, "3 21:00", None),  # the program was away all day: the next morning
        (replace(ANSWERED, coach_at=at("3 02:00")), "3 23:00", None),
        (replace(ANSWERED, coach_at=at("3 02:00")), "4 09:00", Event.SILENT),
        (replace(ANSWERED, woke_at=at("5 10:00")), "6 08:59", None),
        (replace(ANSWERED, woke_at=at("5 10:00")), "6 09:00", Event.SILENT),
        (replace(ANSWERED, muted=True), "9 06:00", None),
        # WhatsApp: the window closes on Tuesday at 9:30
        (WHATSAPP, "3 05:59", None),
        (WHATSAPP, "3 09:00", Event.SILENT),
        (replace(WHATSAPP, heard_at=at("2 08:00")), "2 19:59", None),
        (replace(WHATSAPP, heard_at=at("2 08:00")), "2 20:00", Event.SILENT),  # at eight in the morning it is too late
        (WHATSAPP, "3 09:29", Event.SILENT),
        (WHATSAPP, "3 09:30", None),
        (replace(WHATSAPP, coach_at=at("2 16:00")), "3 08:29", None),
        (replace(WHATSAPP, coach_at=at("2 16:00")), "3 09:00", Event.SILENT),  # not after 20 hours: an hour before
        (replace(WHATSAPP, coach_at=at("3 05:00")), "3 08:59", None),  # four hours to answer the coach
        (replace(WHATSAPP, coach_at=at("3 05:00")), "3 09:00", Event.SILENT),
        (replace(WHATSAPP, coach_at=at("3 06:00")), "3 09:29", None),
        (replace(WHATSAPP, coach_at=at("3 06:00")), "3 10:00", None),
        (replace(WHATSAPP, heard_at=None), "3 09:00", Event.SILENT),
        # and stays silent
        (REMINDED, "5 05:59", None),
        (REMINDED, "5 06:00", Event.GONE),
        (replace(REMINDED, window_hours=24.0), "5 06:00", Event.GONE),
        (replace(REMINDED, muted=True), "5 06:00", None),
        # snoozed: the coach said when
        (replace(ASKED, snoozed_until=at("9 10:00")), "5 10:00", None),
        (replace(ANSWERED, snoozed_until=at("9 10:00")), "5 10:00", None),
        (replace(REMINDED, snoozed_until=at("9 10:00")), "5 10:00", None),
        (replace(REMINDED, snoozed_until=at("4 10:00")), "5 10:00", None),  # wakes first
        # over
        (replace(WAITS, state="closed"), "5 10:00", None),
        (replace(REMINDED, state="closed"), "5 10:00", None),
    ],
)
def test_due(facts: Facts, now: str, expected: Event | None) -> None:
    moment = at(now)
    assert moment
    assert due(facts, moment) == expected


@pytest.mark.parametrize(
    ("until", "expected"), [(None, False), ("5 10:01", False), ("5 10:00", True), ("2 10:00", True)]
)
def test_wakes(until: str | None, expected: bool) -> None:
    assert wakes(replace(ASKED, snoozed_until=at(until)), datetime.datetime(2026, 3, 5, 10, tzinfo=ZONE)) is expected
