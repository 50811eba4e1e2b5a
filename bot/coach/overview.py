"""Figures for the team lead: how many cases, how long people waited, how it ended. Counts only, about nobody."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Integer, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach.cards import Topic, title_of
from bot.coach.hours import ZONE
from bot.coach.people import Coach, Role
from bot.coach.wording import OUTCOME_TITLES
from bot.database import single

MOST_DAYS = 366
NO_SOURCE = "direct"  # no poster or link with a tag
_NO_TOPIC = "Onbekend"
_LANGUAGES = {"nl": "Nederlands", "tr": "Turks", "ar": "Arabisch"}
_RATINGS = {"3": "Ja, goed", "2": "Een beetje", "1": "Nee"}
_SECTIONS = {
    "days": "Aanvragen per dag",
    "waiting": "Wachttijd in minuten",
    "outcomes": "Hoe het afliep",
    "languages": "Taal",
    "topics": "Onderwerp",
    "ratings": "Hielp het?",
    "sources": "Hoe gevonden",
    "open_now": "Nu open",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run

Json = dict[str, Any]

# Days are those of Amsterdam.
_MINE = "(:everything OR r.team_id = :team)"
_SINCE = f"{_MINE} AND r.created_at >= :since"
_DAYS = f"""
    SELECT (r.created_at AT TIME ZONE 'Europe/Amsterdam')::date AS name, count(*) AS number
    FROM referral r WHERE {_SINCE} GROUP BY 1
"""
_WAITING = f"""
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS median,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) AS p90
    FROM (SELECT extract(epoch FROM r.taken_at - r.created_at) / 60 AS waited FROM referral r
          WHERE r.taken_at IS NOT NULL AND {_SINCE}) AS taken
"""
_COUNTS = {
    "outcomes": f"SELECT r.outcome AS name, count(*) AS number FROM referral r WHERE r.state = 'closed' AND {_SINCE}",
    "languages": f"SELECT r.language AS name, count(*) AS number FROM referral r WHERE {_SINCE}",
    "topics": f"SELECT r.topic AS name, count(*) AS number FROM referral r WHERE {_SINCE}",
    "ratings": f"SELECT r.rating::text AS name, count(*) AS number FROM referral r WHERE r.rating > 0 AND {_SINCE}",
    "sources": "SELECT c.source AS name, count(*) AS number FROM referral r"
    f" JOIN conversation c ON c.id = r.conversation_id WHERE {_SINCE}",
}
_OPEN_NOW = f"SELECT count(*) FROM referral r WHERE r.state <> 'closed' AND {_MINE}"


async def figures(
    database: AsyncEngine, coach: Coach, days: int, topics: Mapping[str, Topic], now: datetime.datetime
) -> Json:
    """The overview of the desk's API over the last `days` days: of all teams, for a coach of the own team."""
    first = now.astimezone(ZONE).date() - datetime.timedelta(days=days - 1)
    since = datetime.datetime.combine(first, datetime.time(), ZONE)
    who = {"team": coach.team_id, "everything": coach.role is not Role.COACH}
    async with single(database).connect() as link:

        async def ask(query: str, **values: object) -> list[Any]:
            typed = text(query).bindparams(bindparam("team", type_=Integer), bindparam("everything", type_=Boolean))
            return list((await link.execute(typed, {**who, **values})).all())

        by_day = {row.name: row.number for row in await ask(_DAYS, since=since)}
        [waited] = await ask(_WAITING, since=since)
        counted = {
            name: await ask(f"{query} GROUP BY 1 ORDER BY 2 DESC, 1", since=since) for name, query in _COUNTS.items()
        }
        [[open_now]] = await ask(_OPEN_NOW)
    return {
        "days": [{"day": day.isoformat(), "cases": by_day.get(day, 0)} for day in _days(first, days)],
        "waiting": {"median_minutes": _rounded(waited.median), "p90_minutes": _rounded(waited.p90)},
        **{name: _named(name, rows, topics) for name, rows in counted.items()},
        "open_now": open_now,
    }


def as_csv(found: Json) -> str:
    """The same figures for a spreadsheet: what; name; number. With a mark, so that Excel reads it as UTF-8."""
    rows: list[tuple[str, str, object]] = [(_SECTIONS["open_now"], "", found["open_now"])]
    rows += [(_SECTIONS["days"], day["day"], day["cases"]) for day in found["days"]]
    names = {"median_minutes": "de helft wacht korter", "p90_minutes": "9 van de 10 wachten korter"}
    rows += [(_SECTIONS["waiting"], names[name], minutes) for name, minutes in found["waiting"].items()]
    titles = {"outcomes": OUTCOME_TITLES, "languages": _LANGUAGES, "ratings": _RATINGS}
    for section in _COUNTS:
        known: Mapping[str, str] = titles.get(section, {})
        rows += [(_SECTIONS[section], known.get(name, name), number) for name, number in found[section].items()]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(("wat", "naam", "aantal"))
    writer.writerows((what, _harmless(name), "" if number is None else number) for what, name, number in rows)
    return "\ufeff" + out.getvalue()


def _named(section: str, rows: list[Any], topics: Mapping[str, Topic]) -> dict[str, int]:
    """{name: number}, most first; topics by their Dutch titles."""
    found: dict[str, int] = {}
    for row in rows:
        name = row.name
        if section == "topics":
            name = title_of(topics, name) or name or _NO_TOPIC
        elif section == "sources":
            name = name or NO_SOURCE
        found[str(name)] = found.get(str(name), 0) + row.number
    return found


def _harmless(name: str) -> str:
    """A cell that a spreadsheet takes for words: tags of links are chosen by whoever makes a link."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _days(first: datetime.date, days: int) -> list[datetime.date]:
    return [first + datetime.timedelta(days=number) for number in range(days)]


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(float(minutes), 1)
