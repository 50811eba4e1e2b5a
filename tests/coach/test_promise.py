"""What is promised to who asks for a coach: exact sentences in three languages, from hours and real figures."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach.hours import OFFICE_HOURS, ZONE, Hours
from bot.coach.promise import in_words, promise
from tests.coach import made

NEVER: Hours = {}
OPEN = datetime.datetime(2026, 3, 2, 10, 0, tzinfo=ZONE)  # a Monday
UNKNOWN = {
    "nl": "Er is nu iemand. Hoe lang het duurt, weet ik nog niet.",
    "tr": "Şu an ekip burada. Ne kadar süreceğini henüz bilmiyorum.",
    "ar": "الفريق موجود الآن. لا أعرف بعد كم يستغرق الأمر.",
}
NO_IDEA = {
    "nl": "Wanneer er iemand is, weet ik nog niet.",
    "tr": "Ne zaman birinin müsait olacağını henüz bilmiyorum.",
    "ar": "لا أعرف بعد متى يكون أحد متاحاً.",
}


def minutes(number: int) -> dict[str, str]:
    return {
        "nl": f"Meestal duurt het ongeveer {number} minuten.",
        "tr": f"Genellikle yaklaşık {number} dakika sürüyor.",
        "ar": f"وقت الانتظار المعتاد بالدقائق: حوالي {number}.",
    }


def hours_(number: int) -> dict[str, str]:
    return {
        "nl": f"Meestal duurt het ongeveer {number} uur.",
        "tr": f"Genellikle yaklaşık {number} saat sürüyor.",
        "ar": f"وقت الانتظار المعتاد بالساعات: حوالي {number}.",
    }


def closed(date: str, clock: str, nl: str, tr: str, ar: str) -> dict[str, str]:
    return {
        "nl": f"Nu is er niemand; vanaf {nl} {date} om {clock} uur wel.",
        "tr": f"Şu an kimse yok; {date} {tr} günü saat {clock} itibarıyla burada olacaklar.",
        "ar": f"لا يوجد أحد الآن، ويعودون يوم {ar} {date} الساعة {clock}.",
    }


MONDAY = ("maandag", "pazartesi", "الإثنين")
TUESDAY = ("dinsdag", "salı", "الثلاثاء")
SUNDAY = ("zondag", "pazar", "الأحد")


@pytest.mark.parametrize(
    ("hours", "waited", "now", "expected"),
    [
        (OFFICE_HOURS, None, "2026-03-02 10:00", UNKNOWN),
        (OFFICE_HOURS, 0.0, "2026-03-02 10:00", minutes(5)),  # nobody is promised less
        (OFFICE_HOURS, 0.05, "2026-03-02 10:00", minutes(5)),
        (OFFICE_HOURS, 0.34, "2026-03-02 10:00", minutes(20)),
        (OFFICE_HOURS, 0.99, "2026-03-02 10:00", minutes(60)),
        (OFFICE_HOURS, 1.0, "2026-03-02 10:00", hours_(1)),
        (OFFICE_HOURS, 2.6, "2026-03-02 10:00", hours_(3)),
        (OFFICE_HOURS, 16.2, "2026-03-02 10:00", hours_(16)),
        (OFFICE_HOURS, 0.2, "2026-03-02 07:30", closed("2-3", "09:00", *MONDAY)),  # later today
        (OFFICE_HOURS, 0.2, "2026-03-02 17:00", closed("3-3", "09:00", *TUESDAY)),
        (OFFICE_HOURS, None, "2026-03-06 18:00", closed("9-3", "09:00", *MONDAY)),  # over a weekend
        (OFFICE_HOURS, None, "2026-03-27 18:00", closed("30-3", "09:00", *MONDAY)),  # nine o'clock in summer time too
        (OFFICE_HOURS, None, "2026-04-27 10:00", closed("28-4", "09:00", *TUESDAY)),  # King's Day
        (OFFICE_HOURS, None, "2026-12-24 18:00", closed("28-12", "09:00", *MONDAY)),  # Christmas
        ({"sun": ("10:30", "12:00")}, None, "2026-03-02 10:00", closed("8-3", "10:30", *SUNDAY)),
        (NEVER, None, "2026-03-02 10:00", NO_IDEA),
        (NEVER, 0.2, "2026-03-02 10:00", NO_IDEA),
    ],
)
def test_sentences(hours: Hours, waited: float | None, now: str, expected: dict[str, str]) -> None:
    moment = datetime.datetime.fromisoformat(now).replace(tzinfo=ZONE)
    assert in_words(hours, waited, moment) == expected
    assert in_words(hours, waited, moment.astimezone(datetime.UTC)) == expected


async def _waited(database: AsyncEngine, team: int, waits: list[float], days_ago: int = 1) -> None:
    """Cases of that team that were taken after so many hours."""
    for number, hours in enumerate(waits):
        key = await made.asked(database, f"{team}-{number}-{days_ago}")
        await made.change(
            database,
            """UPDATE referral SET team_id = :team, created_at = now() - :ago * interval '1 day',
            taken_at = now() - :ago * interval '1 day' + :hours * interval '1 hour' WHERE key = :key""",
            team=team, ago=days_ago, hours=hours, key=key,
        )  # fmt: skip


async def test_figures_are_of_this_team_and_of_lately(database: AsyncEngine) -> None:
    team, other = await made.team(database, OFFICE_HOURS), await made.team(database, OFFICE_HOURS)

    async def promised() -> object:
        async with database.connect() as link:
            return (await promise(link, team, OPEN)).text

    await _waited(database, other, [7.0] * 5)
    await _waited(database, team, [9.0] * 6, days_ago=100)
    await _waited(database, team, [0.3, 0.3, 2.0, 40.0])
    assert await promised() == UNKNOWN  # four say nothing
    await _waited(database, team, [0.5], days_ago=2)
    assert await promised() == minutes(30)  # the middle one of five


async def test_when_it_must_be_taken(database: AsyncEngine) -> None:
    for hours, answer_hours, expected in [
        (OFFICE_HOURS, 4, "2026-03-02 14:00"),
        (OFFICE_HOURS, 10, "2026-03-03 12:00"),
        ({"sat": ("10:00", "12:00")}, 1, "2026-03-07 11:00"),
        (NEVER, 4, None),
    ]:
        team = await made.team(database, hours, answer_hours=answer_hours)
        async with database.connect() as link:
            told = await promise(link, team, OPEN)
        assert told.due_at == (datetime.datetime.fromisoformat(expected).replace(tzinfo=ZONE) if expected else None)
        assert told.text == (UNKNOWN if hours is OFFICE_HOURS else in_words(hours, None, OPEN))
