"""One case in full: every line with its Dutch and its delivery, notes; and how far a coach has read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Integer, Row, text
from sqlalchemy import bindparam as bind
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import reading
from bot.coach.cards import Topic, title_of
from bot.coach.case import By
from bot.coach.cases import log
from bot.coach.people import Coach
from bot.coach.reading import Fitting, Json, Setting, iso
from bot.coach.wording import NOT_SENT
from bot.database import single
from bot.messages import Status
from bot.outbox import EXPIRED, FAILED
from bot.tables import transcript

MOST_LINES = 500  # of one answer: the page asks for more with ?after=
OPENED = "opened"
_REFRESH_HOURS = 12

# What was forgotten has neither text nor attachment.
_LINES = text(
    f"""
    SELECT l.position, l.author, l.coach, l.text, l.dutch, l.language, l.buttons, l.topic, l.confidence, l.at,
        l.attachment, l.place, o.id AS outbox_id, o.outcome, o.parked_at, told.statuses, told.failure
    FROM transcript l
    LEFT JOIN outbox o ON o.transcript_id = l.id
    LEFT JOIN LATERAL (SELECT array_agg(x.status) AS statuses, max(x.failure) AS failure FROM receipt x
        WHERE x.channel = o.channel AND x.platform_id = o.platform_id) AS told ON true
    WHERE l.conversation_id = :conversation AND l.position > :after
        AND (l.text <> '' OR l.attachment IS NOT NULL)
    ORDER BY l.position LIMIT {MOST_LINES}
    """
).bindparams(bind("after", type_=Integer))
_NOTES = text(
    """
    SELECT c.name AS coach, n.text, n.at FROM note n JOIN coach c ON c.id = n.coach_id
    WHERE n.referral_id = :referral AND n.text <> '' ORDER BY n.id
    """
)
_LOG_OPENED = text(
    f"""
    INSERT INTO audit (coach_id, what, referral_id)
    SELECT :coach, '{OPENED}', :referral WHERE :again = 0 OR NOT EXISTS (
        SELECT FROM audit WHERE referral_id = :referral AND coach_id = :coach AND what = '{OPENED}'
            AND at > now() - :again * interval '1 hour')
    """
).bindparams(*(bind(name, type_=Integer) for name in ("coach", "referral", "again")))
_SEEN = text(
    """
    INSERT INTO seen (coach_id, referral_id, position) VALUES (:coach, :referral, :position)
    ON CONFLICT (coach_id, referral_id) DO UPDATE SET position = greatest(seen.position, excluded.position)
    """
)
_ATTACHMENT = text(
    "SELECT attachment FROM transcript WHERE conversation_id = :conversation AND position = :position"
).columns(attachment=transcript.c.attachment.type)
# Forgotten: nothing of what the person said before the end is left.
_FORGOTTEN = text(
    """
    SELECT NOT EXISTS (SELECT FROM transcript WHERE conversation_id = :conversation AND author = 'person'
        AND at < :closed AND (text <> '' OR attachment IS NOT NULL))
    """
)


async def read(database: AsyncEngine, coach: Coach, row: Row[Any], after: int, opening: bool, setting: Setting) -> Json:
    """{case, lines, notes} of a case this coach may see, and a line in the audit log that they saw it.

    `opening` is false for a page that only refreshes: that is logged once in 12 hours.
    """
    async with single(database).connect() as link:
        again = 0 if opening else _REFRESH_HOURS
        await link.execute(_LOG_OPENED, {"coach": coach.id, "referral": row.id, "again": again})
        values = {"conversation": row.conversation_id, "after": after}
        lines = (await link.execute(_LINES, values)).all()
        notes = (await link.execute(_NOTES, {"referral": row.id})).all()
    helpers = await reading.colleagues(database)
    case = reading.as_json(row, setting, Fitting(helpers, setting.topics))
    more = {name: getattr(row, name) for name in ("reach", "contact", "guardian", "rating_text")}
    return {
        "case": {**case, **more, "consent_at": iso(row.consent_at)},
        "lines": [_line(line, setting.topics) for line in lines],
        "notes": [{"coach": note.coach, "text": note.text, "at": iso(note.at)} for note in notes],
    }


async def seen(database: AsyncEngine, coach: Coach, row: Row[Any], position: int) -> None:
    """The coach has read up to there; never less than before, never more than there is."""
    values = {"coach": coach.id, "referral": row.id, "position": min(position, row.last_position)}
    async with single(database).connect() as link:
        await link.execute(_SEEN, values)


async def attachment(database: AsyncEngine, coach: Coach, row: Row[Any], position: int) -> Mapping[str, Any] | None:
    """{media_id, name, mime, size} at that line, None when there is none; that it was asked for goes into the log."""
    async with single(database).connect() as link:
        values = {"conversation": row.conversation_id, "position": position}
        found: Mapping[str, Any] | None = (await link.execute(_ATTACHMENT, values)).scalar()
        if found is not None:
            await log(link, By(coach.id, coach.name), "fetched a file", row.id, str(position))
    return found


async def forgotten(database: AsyncEngine, row: Row[Any]) -> bool:
    """Whether the person had everything erased since this case was closed."""
    async with single(database).connect() as link:
        values = {"conversation": row.conversation_id, "closed": row.closed_at}
        return bool((await link.execute(_FORGOTTEN, values)).scalar())


def delivery(outcome: str | None, statuses: list[str] | None, failure: str | None, parked: bool) -> Json:
    """{status, reason}: what became of a line that was sent."""
    if outcome is None:
        return {"status": "waiting", "reason": NOT_SENT["parked"] if parked else None}
    if outcome == EXPIRED:
        return {"status": "failed", "reason": NOT_SENT[EXPIRED]}
    if outcome.startswith(FAILED):
        return {"status": "failed", "reason": NOT_SENT.get(outcome.partition(":")[2], NOT_SENT["other"])}
    told = set(statuses or ())
    if Status.FAILED in told and not told & {Status.DELIVERED, Status.READ}:
        return {"status": "failed", "reason": NOT_SENT.get(failure or "other", NOT_SENT["other"])}
    best = next((status for status in (Status.READ, Status.DELIVERED) if status in told), Status.SENT)
    return {"status": str(best), "reason": None}


def _line(row: Row[Any], topics: Mapping[str, Topic]) -> Json:
    sent = row.outbox_id is not None
    kept = row.attachment
    return {
        "position": row.position,
        "author": row.author,
        "coach": row.coach,
        "text": row.text,
        "dutch": row.dutch,
        "language": row.language,
        "buttons": [button["title"] for button in row.buttons],
        "topic": row.topic,
        "topic_title": title_of(topics, row.topic),
        "confidence": row.confidence,
        "at": iso(row.at),
        "attachment": {name: kept[name] for name in ("name", "mime", "size")} if kept else None,
        "place": row.place,
        "delivery": delivery(row.outcome, row.statuses, row.failure, bool(row.parked_at)) if sent else None,
    }
