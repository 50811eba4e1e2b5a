"""What may honestly be promised to somebody who asked for a coach: when the team is there, how long others waited."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.coach import sql
from bot.coach.hours import ZONE, Hours, after, is_open, next_opening
from bot.messages import LANGUAGES
from bot.phrases import say

_ENOUGH = 5  # fewer cases than this say nothing about waiting


@dataclass(frozen=True)
class Promise:
    """`text` per language; `due_at` is when somebody must have taken it (None: the team never opens)."""

    text: Mapping[str, str]
    due_at: datetime.datetime | None


async def promise(link: AsyncConnection, team_id: int, now: datetime.datetime | None = None) -> Promise:
    """From the team's hours and the real waiting times of the last 90 days."""
    now = now or datetime.datetime.now(ZONE)
    row = (await link.execute(sql.TEAM_HOURS, {"team": team_id})).one()
    median, cases = (await link.execute(sql.WAITED, {"team": team_id})).one()
    hours: Hours = row.hours
    waited = float(median) if cases >= _ENOUGH else None
    return Promise(in_words(hours, waited, now), after(hours, now, row.answer_hours))


def in_words(hours: Hours, waited: float | None, now: datetime.datetime) -> dict[str, str]:
    """`waited`: the usual waiting time in hours, None while we do not know."""
    opening = next_opening(hours, now)
    return {language: _in_words(language, hours, waited, now, opening) for language in LANGUAGES}


def _in_words(
    language: str, hours: Hours, waited: float | None, now: datetime.datetime, opening: datetime.datetime | None
) -> str:
    if opening is None:
        return say("promise_never", language)
    if not is_open(hours, now):
        local = opening.astimezone(ZONE)
        day = say("days", language).split()[local.weekday()]
        return say("promise_closed", language).format(
            day=day, clock=f"{local:%H:%M}", date=f"{local.day}-{local.month}"
        )
    if waited is None:
        return say("promise_unknown", language)
    if waited < 1:
        return say("promise_minutes", language).format(minutes=max(5, round(waited * 60 / 5) * 5))
    return say("promise_hours", language).format(hours=round(waited))
