"""What time does to a case: nobody takes it, the coach is silent, the person is silent, a snooze ends.

`due` decides and is pure. `run` looks every 15 seconds, in the one process that leads. What it sees is looked at again
under the lock of the case, so that two processes that both lead for a moment do nothing twice.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Row, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.coach import cases, retention
from bot.coach.case import Case
from bot.coach.hours import ZONE, Hours, after
from bot.database import TROUBLE, Bell, single
from bot.handover import Event, NotPossible

logger = logging.getLogger(__name__)

Ping = Callable[[str], Awaitable[None]]  # with the key of a case that nobody took

REMIND_AFTER = datetime.timedelta(hours=20)  # after the coach's last words
GONE_AFTER = datetime.timedelta(hours=48)  # after the reminder
# Where a person can only be written to for so long after their own last message, the reminder comes before that ends,
# but gives them some hours to answer the coach first.
LAST_CALL = datetime.timedelta(hours=1)
FIRST_CALL = datetime.timedelta(hours=4)
MORNING, EVENING, NIGHT = datetime.time(9), datetime.time(20), datetime.time(21)  # reminders in between, in Amsterdam
WINDOWS: Mapping[str, float] = {"whatsapp": 24.0}  # channel -> hours

_EVERY = 15.0
_PING_SECONDS = 30.0
_DAY = 24 * 3600.0


@dataclass(frozen=True)
class Facts:
    """A case as time sees it. `window_hours` None: this channel always lets us write."""

    state: str
    hours: Hours
    answer_hours: float
    due_at: datetime.datetime | None = None
    escalated_at: datetime.datetime | None = None
    asked_at: datetime.datetime | None = None  # the first message the coach has not answered; None: all answered
    coach_at: datetime.datetime | None = None  # the coach took it, got it from a colleague, or wrote
    woke_at: datetime.datetime | None = None  # the last snooze ended
    reminded_at: datetime.datetime | None = None
    snoozed_until: datetime.datetime | None = None
    heard_at: datetime.datetime | None = None  # anything from the person, also an emoji on a message
    window_hours: float | None = None
    muted: bool = False  # asked us not to write first


def due(facts: Facts, now: datetime.datetime) -> Event | None:
    """What it is time for: OVERDUE, RETURNED, SILENT, GONE or nothing. A case that was snoozed waits for its coach."""
    if facts.state == "waiting":
        late = facts.due_at is not None and facts.due_at <= now and facts.escalated_at is None
        return Event.OVERDUE if late else None
    if facts.state != "taken" or facts.snoozed_until or facts.coach_at is None:
        return None
    since = max(filter(None, (facts.coach_at, facts.woke_at)))
    if facts.asked_at:
        answer_by = after(facts.hours, max(since, facts.asked_at), facts.answer_hours)
        return Event.RETURNED if answer_by and answer_by <= now else None
    return _about_silence(facts, since, now)


def wakes(facts: Facts, now: datetime.datetime) -> bool:
    """Whether a snooze is over."""
    return facts.snoozed_until is not None and facts.snoozed_until <= now


def _about_silence(facts: Facts, since: datetime.datetime, now: datetime.datetime) -> Event | None:
    """The coach has had the last word `since` then. Who asked us not to write first only hears from the coach."""
    if facts.muted:
        return None
    if facts.reminded_at:
        return Event.GONE if facts.reminded_at + GONE_AFTER <= now else None
    remind_at, closes_at = since + REMIND_AFTER, None
    if facts.window_hours is not None:
        closes_at = (facts.heard_at or since) + datetime.timedelta(hours=facts.window_hours)
        remind_at = max(min(remind_at, closes_at - LAST_CALL), since + FIRST_CALL)
        if now >= closes_at:
            return None
    by_day = max(_by_day(remind_at, closes_at), since + FIRST_CALL)
    return Event.SILENT if by_day <= now and _awake(now) else None


def _awake(at: datetime.datetime) -> bool:
    return MORNING <= at.astimezone(ZONE).time() < NIGHT


def _by_day(at: datetime.datetime, latest: datetime.datetime | None) -> datetime.datetime:
    """Nobody's phone is to ring at night: the next morning, or the evening before when that would be too late."""
    if _awake(at):
        return at
    local = at.astimezone(ZONE)
    day = local.date() + datetime.timedelta(days=1 if local.time() >= NIGHT else 0)
    morning = datetime.datetime.combine(day, MORNING, ZONE)
    evening = datetime.datetime.combine(day - datetime.timedelta(days=1), EVENING, ZONE)
    return morning if latest is None or morning < latest else evening


async def run(
    database: AsyncEngine,
    bell: Bell,
    ping: Ping | None = None,
    windows: Mapping[str, float] = WINDOWS,
    keep_days: int = retention.DAYS,
) -> None:
    """Until cancelled: the timers, and once a day what was kept long enough (retention.py)."""
    swept_at: float | None = None
    while True:
        try:
            if await bell.leads("timers"):
                await tick(database, ping, windows)
                if swept_at is None or time.monotonic() - swept_at >= _DAY:
                    await retention.sweep(database, keep_days)
                    swept_at = time.monotonic()
        except TROUBLE as error:
            logger.warning("timers cannot reach the database: %s", type(error).__name__)
        await asyncio.sleep(_EVERY)


async def tick(database: AsyncEngine, ping: Ping | None = None, windows: Mapping[str, float] = WINDOWS) -> None:
    """Look at every open case once. What goes wrong with one is logged by its id and tried again the next time."""
    async with single(database).connect() as link:
        rows = (await link.execute(_FACTS, {"key": None})).all()
    for row in rows:
        try:
            facts = _facts(row, windows)
            if due(facts, row.now) or wakes(facts, row.now):
                await _act(database, row.key, ping, windows)
        except NotPossible:
            logger.info("case %d: somebody was first", row.id)
        except Exception as error:
            logger.error("case %d, timers: %s", row.id, type(error).__name__)


async def _act(database: AsyncEngine, key: str, ping: Ping | None, windows: Mapping[str, float]) -> None:
    """Look again under the lock, and do it. Colleagues are told after the commit, at most once."""
    async with database.begin() as link:
        case = await cases.locked(link, key)
        row = (await link.execute(_FACTS, {"key": key})).one_or_none()
        if row is None:
            return
        facts = _facts(row, windows)
        if wakes(facts, row.now):
            await _wake(link, case)
            return
        event = due(facts, row.now)
        if event:
            await cases.by_the_clock(link, case, event)
    if event is Event.OVERDUE and ping:
        async with asyncio.timeout(_PING_SECONDS):
            await ping(key)


async def _wake(link: AsyncConnection, case: Case) -> None:
    """Back in sight: the change rings the desk's bell, the log remembers when."""
    await link.execute(_WAKE, {"id": case.id})
    await cases.log(link, None, _WOKE, case.id)


def _facts(row: Row[tuple[object, ...]], windows: Mapping[str, float]) -> Facts:
    return Facts(
        state=row.state,
        hours=row.hours,
        answer_hours=row.answer_hours,
        due_at=row.due_at,
        escalated_at=row.escalated_at,
        asked_at=row.asked_at,
        coach_at=row.coach_at,
        woke_at=row.woke_at,
        reminded_at=row.reminded_at,
        snoozed_until=row.snoozed_until,
        heard_at=row.heard_at,
        window_hours=windows.get(row.channel),
        muted=row.muted,
    )


_WOKE = "woke"
_WAKE = text("UPDATE referral SET snoozed_until = NULL WHERE id = :id")
# Who has the last word is read from the transcript: a coach who took a case has not said anything yet, and somebody who
# asks again and again has still waited since the first time. What is still in the inbox was also said.
_FACTS = text(
    f"""
    SELECT r.id, r.key, r.state, r.due_at, r.escalated_at, r.coach_at, r.reminded_at, r.snoozed_until, c.channel,
        c.heard_at, c.muted_at IS NOT NULL AS muted, t.hours, t.answer_hours, now() AS now,
        (SELECT max(a.at) FROM audit a WHERE a.referral_id = r.id AND a.what = '{_WOKE}') AS woke_at,
        CASE WHEN r.state = 'taken' THEN least(
            (SELECT min(i.received_at) FROM inbox i WHERE i.conversation_id = c.id AND i.outcome IS NULL),
            (SELECT min(p.at) FROM transcript p WHERE p.conversation_id = c.id AND p.author = 'person' AND p.position >
                coalesce((SELECT max(s.position) FROM transcript s
                    WHERE s.conversation_id = c.id AND s.author = 'coach'), 0))) END AS asked_at
    FROM referral r JOIN conversation c ON c.id = r.conversation_id JOIN team t ON t.id = r.team_id
    WHERE r.state <> 'closed' AND (cast(:key AS text) IS NULL OR r.key = :key) ORDER BY r.created_at
    """
).bindparams(bindparam("key", type_=Text))
