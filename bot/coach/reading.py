"""The queue as a coach may see it: which cases, in which order, who is fit for them. Only reads.

A coach sees the cases of the own team and those given to them, an admin all. reading_case.py has one case in full.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, Boolean, Integer, Row, Text, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeEngine

from bot.coach import sql
from bot.coach.cards import Topic, group_of, title_of
from bot.coach.hours import is_open
from bot.coach.people import Coach, Role
from bot.coach.routing import Colleague, Request, fit, ranked
from bot.database import single
from bot.tables import conversation

MOST_CASES = 100  # of the closed ones; all that are open
_MOST_OPEN = 1_000
_BEST = 3
_AGAIN_DAYS = 7  # whoever writes within this time after the end may want to go on

Json = dict[str, Any]


class View(StrEnum):
    """Which part of the queue."""

    OPEN = "open"
    MINE = "mine"
    CLOSED = "closed"


@dataclass(frozen=True)
class Setting:
    """What reading needs besides the database. `windows`: channel -> hours after which it is closed."""

    topics: Mapping[str, Topic]
    windows: Mapping[str, float]
    now: datetime.datetime


# Cases are chosen first and looked at closely afterwards: with many thousands of closed ones that is the difference.
_MAY = "(:everything OR r.team_id = :team OR r.coach_id = :me)"
_OF_THEM = "(cast(:keys AS text[]) IS NULL OR r.key = ANY(:keys))"
_CHOSEN = {
    View.OPEN: f"r.state <> 'closed' AND {_MAY} AND {_OF_THEM} ORDER BY r.created_at LIMIT {_MOST_OPEN}",
    View.MINE: f"r.state = 'taken' AND r.coach_id = :me AND {_OF_THEM} ORDER BY r.created_at LIMIT {_MOST_OPEN}",
    View.CLOSED: f"r.state = 'closed' AND {_MAY} AND {_OF_THEM} ORDER BY r.closed_at DESC LIMIT {MOST_CASES}",
}
# What was said since: since they asked, or since it was closed (a rating is no new question).
ENDED = """CROSS JOIN LATERAL (SELECT CASE WHEN r.state = 'closed' THEN greatest(r.closed_at, r.rated_at)
    ELSE r.created_at END AS at) AS ended"""
UNREAD = """(SELECT count(*) FROM transcript l WHERE l.conversation_id = r.conversation_id AND l.author = 'person'
    AND l.position > coalesce(s.position, 0) AND l.at > ended.at AND (l.text <> '' OR l.attachment IS NOT NULL))"""
_DETAILS = f"""
    SELECT r.id, r.key, r.state, r.urgent, r.topic, r.language, r.age_group, r.area, r.first_name, r.team_id,
        r.coach_id, r.created_at, r.due_at, r.taken_at, r.snoozed_until, r.person_at, r.coach_at, r.closed_at,
        r.outcome, r.rating, r.conversation_id, c.channel, c.heard_at, t.name AS team, k.name AS coach, {{more}}
        {UNREAD} AS unread,
        r.state = 'closed' AND c.mode = 'bot' AND coalesce(c.heard_at > ended.at, false)
            AND NOT EXISTS (SELECT FROM referral n WHERE n.conversation_id = r.conversation_id AND n.id > r.id)
            AND EXISTS (SELECT FROM transcript l WHERE l.conversation_id = r.conversation_id AND l.author = 'person'
                AND l.at > ended.at AND l.at < r.closed_at + interval '{_AGAIN_DAYS} days' AND l.text <> '')
            AS wrote_again
    FROM chosen r
    JOIN conversation c ON c.id = r.conversation_id
    JOIN team t ON t.id = r.team_id
    LEFT JOIN coach k ON k.id = r.coach_id
    LEFT JOIN seen s ON s.referral_id = r.id AND s.coach_id = :me
    {ENDED}
"""
# Only of one case that is opened: who it is, and what the assistant remembers.
_MORE = "r.reach, r.contact, r.guardian, r.rating_text, r.consent_at, c.address, c.alias, c.last_position, c.dialogue,"


def _typed(chosen: str, more: str) -> TextClause:
    query = f"WITH chosen AS MATERIALIZED (SELECT r.* FROM referral r WHERE {chosen}) {_DETAILS.format(more=more)}"
    return text(query).bindparams(
        *(bindparam(name, type_=of) for name, of in _TYPES.items() if re.search(rf":{name}\b", query))
    )


_TYPES: Mapping[str, TypeEngine[Any]] = {
    "me": Integer(),
    "team": Integer(),
    "everything": Boolean(),
    "key": Text(),
    "keys": ARRAY(Text),
}
_QUERIES = {view: _typed(chosen, "") for view, chosen in _CHOSEN.items()}
_ONE = _typed(f"r.key = :key AND {_MAY}", _MORE).columns(dialogue=conversation.c.dialogue.type)
CHANGED = _typed("r.key = ANY(:keys)", "")
_COLLEAGUES = text(
    """
    SELECT c.id, c.name, c.team_id, c.languages, c.topics, c.areas, c.room, coalesce(busy.taken, 0) AS taken
    FROM coach c LEFT JOIN (SELECT coach_id, count(*) AS taken FROM referral WHERE state = 'taken' GROUP BY coach_id)
        AS busy ON busy.coach_id = c.id
    WHERE c.active AND c.role <> 'editor' ORDER BY c.name, c.id
    """
)
_TEAMS = text("SELECT id, name FROM team ORDER BY name, id")


async def queue(
    database: AsyncEngine, coach: Coach, view: View, setting: Setting, keys: Sequence[str] | None = None
) -> list[Json]:
    """The cases of one view, in the order in which they are worked on; with `keys` only those of them."""
    async with single(database).connect() as link:
        values = {**_who(coach), "keys": list(keys) if keys is not None else None}
        rows = (await link.execute(_QUERIES[view], values)).all()
        helpers = (await link.execute(_COLLEAGUES)).all() if view is not View.CLOSED else []
    fitting = Fitting(helpers, setting.topics)
    cases = [as_json(row, setting, fitting) for row in rows]
    return cases if view is View.CLOSED else sorted(cases, key=lambda case: place_in_line(case, setting.now))


async def one(database: AsyncEngine, coach: Coach, key: str) -> Row[Any] | None:
    """The row of one case, None when there is none that this coach may see."""
    async with single(database).connect() as link:
        return (await link.execute(_ONE, {**_who(coach), "key": key})).one_or_none()


async def colleagues(database: AsyncEngine) -> list[Row[Any]]:
    """Everybody who can have a case: id, name, team_id, languages, topics, areas, room, taken."""
    async with single(database).connect() as link:
        return list((await link.execute(_COLLEAGUES)).all())


async def teams(database: AsyncEngine) -> list[Json]:
    """[{id, name}] of every team, by name."""
    async with single(database).connect() as link:
        return [{"id": row.id, "name": row.name} for row in await link.execute(_TEAMS)]


async def is_open_now(database: AsyncEngine, team_id: int, now: datetime.datetime) -> bool:
    """Whether the team is there at this moment."""
    async with single(database).connect() as link:
        return is_open((await link.execute(sql.TEAM_HOURS, {"team": team_id})).one().hours, now)


def place_in_line(case: Json, now: datetime.datetime) -> tuple[int, bool, str]:
    """Waiting cases first, urgent ones in front, then who waits longest; then those a coach has; snoozed ones last."""
    snoozed = case["snoozed_until"] is not None and case["snoozed_until"] > now.isoformat()
    group = 2 if snoozed else 0 if case["state"] == "waiting" else 1
    return (group, not case["urgent"], case["waiting_since"] or "9999")


def as_json(row: Row[Any], setting: Setting, fitting: Fitting) -> Json:
    """The Case of the desk's API."""
    return {
        "key": row.key,
        "state": row.state,
        "urgent": row.urgent,
        "topic": row.topic,
        "topic_title": title_of(setting.topics, row.topic),
        "language": row.language,
        "age_group": row.age_group,
        "area": row.area,
        "first_name": row.first_name,
        "channel": row.channel,
        "team": {"id": row.team_id, "name": row.team},
        "coach": {"id": row.coach_id, "name": row.coach} if row.coach_id else None,
        "created_at": iso(row.created_at),
        "due_at": iso(row.due_at),
        "overdue": row.state == "waiting" and row.due_at is not None and row.due_at < setting.now,
        "snoozed_until": iso(row.snoozed_until),
        "person_at": iso(row.person_at),
        "coach_at": iso(row.coach_at),
        "waiting_since": iso(waiting_since(row)),
        "unread": row.unread,
        "wrote_again": row.wrote_again,
        "window_closes_at": iso(window_closes_at(row, setting.windows)),
        "fit": fitting.best(row) if row.state != "closed" else [],
        "closed_at": iso(row.closed_at),
        "outcome": row.outcome,
        "rating": row.rating,
    }


def waiting_since(row: Row[Any]) -> datetime.datetime | None:
    """Since when the person waits for a coach: for the first one, or for an answer; None when it is their turn."""
    if row.state == "closed":
        return None
    if row.taken_at is None:
        return _moment(row.created_at)
    if row.state == "waiting":
        return _moment(row.person_at or row.created_at)
    return _moment(row.person_at) if row.person_at and (not row.coach_at or row.person_at > row.coach_at) else None


def window_closes_at(row: Row[Any], windows: Mapping[str, float]) -> datetime.datetime | None:
    """When free text is no longer delivered; None where a channel has no such limit."""
    hours = windows.get(row.channel)
    if hours is None:
        return None
    heard: datetime.datetime = row.heard_at or row.created_at
    return heard + datetime.timedelta(hours=hours)


class Fitting:
    """Who is fit for a case; the same wish is looked at once."""

    def __init__(self, helpers: Sequence[Row[Any]], topics: Mapping[str, Topic]) -> None:
        self._topics = topics
        self._teams: dict[int, list[Colleague]] = {}
        self._found: dict[tuple[int, Request], list[Json]] = {}
        for row in helpers:
            self._teams.setdefault(row.team_id, []).append(_colleague(row))

    def best(self, row: Row[Any]) -> list[Json]:
        """The best three of the case's team: {id, name, language, topic, area, room}."""
        wish = Request(row.language, group_of(self._topics, row.topic), row.area)
        if (row.team_id, wish) not in self._found:
            best = ranked(wish, self._teams.get(row.team_id, ()))[:_BEST]
            self._found[row.team_id, wish] = [{"id": c.id, "name": c.name, **vars(fit(wish, c))} for c in best]
        return self._found[row.team_id, wish]


def iso(moment: datetime.datetime | None) -> str | None:
    """As text. All moments are in UTC, as the database gives them, so two of them compare as text too."""
    return moment.isoformat(timespec="microseconds") if moment else None


def _who(coach: Coach) -> Json:
    return {"me": coach.id, "team": coach.team_id, "everything": coach.role is Role.ADMIN}


def _colleague(row: Row[Any]) -> Colleague:
    return Colleague(
        row.id, row.name, tuple(row.languages), tuple(row.topics), tuple(row.areas), row.room, int(row.taken)
    )


def _moment(value: datetime.datetime) -> datetime.datetime:
    return value
