"""Claims: one message at a time per conversation, answered once, over any number of processes.

`claim` hands the oldest open message of free conversations to a worker; `finish` saves everything that
follows from it at once, and only if the claim still holds; `release` gives it back for another try.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Float, Integer, Text, bindparam, func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import outbox
from bot.database import single
from bot.handover import Mode
from bot.inbox import Outcome
from bot.messages import Attachment, Author, Button, Incoming, Kind, Reply, read_buttons
from bot.tables import conversation, inbox, transcript

MOST_ATTEMPTS = 3
MANY_WAITING = 5  # more than this behind each other from one person: one at a time, with a pause
PAUSE_SECONDS = 0.5
_SIGNS = {Kind.MEDIA: "📎", Kind.LOCATION: "📍", Kind.CONTACT: "👤"}  # what a message without words looks like
# What opens no window to write in: a changed message, a platform's own words.
_NOT_FROM_PERSON = (Kind.EDITED, Kind.BLOCKED, Kind.UNBLOCKED, Kind.IDLE, Kind.UNREADABLE)
UNREADABLE = f"{Outcome.DEAD}:unreadable"  # no message of a person: not in the transcript, its payload is kept


@dataclass(frozen=True)
class Claim:
    """One message to answer, with what its conversation remembers. `attempts` counts this one."""

    worker: int
    inbox_id: int
    attempts: int
    incoming: Incoming
    conversation_id: int
    language: str | None
    language_from: str | None
    dialogue: dict[str, Any] | None
    last_position: int
    mode: str  # who talks, see handover.py
    awaits: str | None
    offered: tuple[Button, ...]  # the latest buttons since the person's last message
    waiting: int  # open messages behind this one
    slowed: bool  # the person was told so in the last minute


@dataclass(frozen=True)
class Answer:
    """What follows from a message: everything `finish` saves."""

    outcome: str
    replies: tuple[Reply, ...]
    language: str | None
    language_from: str | None
    dialogue: dict[str, Any] | None
    topic: str | None = None
    confidence: float | None = None
    slowed: bool = False
    awaits: str | None = None
    within: Callable[[AsyncConnection], Awaitable[None]] | None = None  # more to save in the same transaction
    forget: bool = False  # empty everything said before
    blocked: bool = False  # the person does not want to hear from us at all
    muted: bool = False  # the person asked us not to write first

    @property
    def kept(self) -> bool:
        """Whether the message belongs in the transcript."""
        return not self.outcome.startswith((f"{Outcome.IGNORED}:", UNREADABLE))


class LostClaim(Exception):
    """Another worker has the conversation now; nothing was saved."""


# Heads: the oldest open message of every conversation, from one walk over one index. (A NOT EXISTS per message looks
# simpler, but with stale statistics PostgreSQL compares every open message with every other: seconds at 2,000.)
# Both rows are locked: a conversation that was released a moment ago is only taken with the message
# that is still open, not with the one this statement's snapshot remembers.
_CLAIM = text(
    """
    WITH heads AS (
        SELECT DISTINCT ON (conversation_id) id, conversation_id, due_at FROM inbox
        WHERE outcome IS NULL ORDER BY conversation_id, id
    ), ready AS (
        SELECT i.id, c.id AS conversation_id FROM heads
        JOIN conversation c ON c.id = heads.conversation_id JOIN inbox i ON i.id = heads.id
        WHERE heads.due_at <= now() AND i.outcome IS NULL AND c.claimed_by IS NULL AND c.pace_at <= now()
        ORDER BY i.id LIMIT :most FOR UPDATE OF c, i SKIP LOCKED
    ), held AS (
        UPDATE conversation c SET claimed_by = :worker
        FROM ready WHERE c.id = ready.conversation_id
        RETURNING c.id, ready.id AS inbox_id, c.address, c.language, c.language_from, c.dialogue, c.last_position,
                  c.mode, c.awaits, coalesce(c.slowed_at > now() - interval '1 minute', false) AS slowed
    )
    UPDATE inbox i SET attempts = i.attempts + 1 FROM held WHERE i.id = held.inbox_id
    RETURNING i.id, i.attempts, i.channel, i.external_id, held.address, i.kind, i.text, i.payload, i.language_hint,
        i.message_id, i.source, i.attachment, held.mode, held.awaits,
        held.id AS conversation_id, held.language, held.language_from, held.dialogue,
        held.last_position, held.slowed,
        (SELECT t.buttons FROM transcript t WHERE t.conversation_id = held.id AND t.buttons <> '[]' AND t.position > (
             SELECT coalesce(max(p.position), 0) FROM transcript p
             WHERE p.conversation_id = held.id AND p.author = 'person')
         ORDER BY t.position DESC LIMIT 1) AS offered,
        (SELECT count(*) FROM inbox w WHERE w.conversation_id = held.id AND w.outcome IS NULL) - 1 AS waiting
    """
).columns(dialogue=conversation.c.dialogue.type, offered=transcript.c.buttons.type, attachment=inbox.c.attachment.type)


async def claim(database: AsyncEngine, worker: int, most: int) -> list[Claim]:
    """Take up to `most` messages, at most one of each conversation, oldest first."""
    async with single(database).connect() as link:
        rows = (await link.execute(_CLAIM, {"worker": worker, "most": most})).all()
    return [
        Claim(
            worker=worker,
            inbox_id=row.id,
            attempts=row.attempts,
            incoming=Incoming(
                row.channel,
                row.external_id,
                row.address,
                Kind(row.kind),
                row.text or "",
                row.payload,
                row.language_hint,
                message_id=row.message_id,
                source=row.source,
                attachment=Attachment(**row.attachment) if row.attachment else None,
            ),
            conversation_id=row.conversation_id,
            language=row.language,
            language_from=row.language_from,
            dialogue=row.dialogue,
            last_position=row.last_position,
            mode=row.mode,
            awaits=row.awaits,
            offered=read_buttons(row.offered or ()),
            waiting=row.waiting,
            slowed=row.slowed,
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


# One statement and so one transaction: everything follows from the claim that still holds.
_FINISH = text(
    f"""
    WITH held AS (
        UPDATE conversation SET claimed_by = NULL, language = :language, language_from = :language_from,
            dialogue = :dialogue, last_position = last_position + :count,
            pace_at = now() + :pause * interval '1 second',
            slowed_at = CASE WHEN :slowed THEN now() ELSE slowed_at END,
            heard_at = CASE WHEN :heard THEN now() ELSE heard_at END, awaits = :awaits,
            blocked_at = CASE WHEN :blocked THEN now() END, muted_at = CASE WHEN :muted THEN now() END,
            source = coalesce(source, :source)
        WHERE id = :conversation AND claimed_by = :worker AND mode = :mode
          AND EXISTS (SELECT FROM inbox WHERE id = :inbox AND outcome IS NULL)
        RETURNING id, channel, last_position - :count AS before
    ), shut AS (
        UPDATE inbox SET outcome = :outcome, text = NULL, closed_at = now(),
            payload = CASE WHEN kind = 'unreadable' THEN payload END
        WHERE id = :inbox AND EXISTS (SELECT FROM held)
    ), said AS (
        INSERT INTO transcript
            (conversation_id, inbox_id, position, author, text, buttons, place, dutch, language, topic, confidence,
             attachment)
        SELECT held.id, :inbox, held.before + line.number, line.author, line.text, line.buttons, line.place, line.dutch,
            line.language, line.topic, line.confidence, line.attachment
        FROM held, jsonb_to_recordset(:lines) AS line (number int, author text, text text, buttons jsonb, place jsonb,
            dutch text, language text, topic text, confidence float, attachment jsonb)
        ORDER BY line.number RETURNING id, author
    ), {outbox.ENTER}
    SELECT count(*) FROM held
    """
).bindparams(
    bindparam("dialogue", type_=conversation.c.dialogue.type),
    bindparam("lines", type_=transcript.c.buttons.type),
    bindparam("pause", type_=Float),
    bindparam("source", type_=Text),
    bindparam("quote", type_=Text),
    bindparam("awaits", type_=Text),
    bindparam("count", type_=Integer),
)


async def finish(database: AsyncEngine, claimed: Claim, answer: Answer) -> None:
    """Save the new state, the transcript and the outgoing replies and close the message, or nothing.

    Raises LostClaim when the claim was taken back, or a coach came or went in the meantime.
    """
    lines = _lines(claimed, answer) if answer.kept else []
    values = {
        "conversation": claimed.conversation_id,
        "worker": claimed.worker,
        "inbox": claimed.inbox_id,
        "outcome": answer.outcome,
        "language": answer.language,
        "language_from": answer.language_from,
        "dialogue": answer.dialogue,
        "count": len(lines),
        "mode": claimed.mode,
        "awaits": answer.awaits,
        "pause": PAUSE_SECONDS if claimed.waiting >= MANY_WAITING else 0.0,
        "slowed": answer.slowed,
        "blocked": answer.blocked,
        "muted": answer.muted,
        "source": claimed.incoming.source,
        "heard": claimed.incoming.kind not in _NOT_FROM_PERSON,
        "quote": claimed.incoming.message_id if claimed.waiting else None,
        "lines": lines,
    }
    async with database.begin() if answer.forget or answer.within else single(database).connect() as link:
        if answer.forget:
            await link.execute(_FORGET, {"conversation": claimed.conversation_id, "worker": claimed.worker})
        if (await link.execute(_FINISH, values)).scalar_one() != 1:
            raise LostClaim(f"inbox {claimed.inbox_id}")
        if answer.within:
            await answer.within(link)


# What was not sent yet has no words any more either: it fails instead of going out empty.
_FORGET = text(
    """
    WITH held AS (SELECT id FROM conversation WHERE id = :conversation AND claimed_by = :worker),
    unsent AS (
        UPDATE outbox SET outcome = 'failed:forgotten', closed_at = now(), claimed_by = NULL
        FROM held WHERE conversation_id = held.id AND outcome IS NULL
    ), files AS (
        UPDATE inbox SET attachment = NULL FROM held WHERE conversation_id = held.id
    )
    UPDATE transcript SET text = '', buttons = '[]', place = NULL, dutch = NULL, attachment = NULL, topic = NULL,
        confidence = NULL
    FROM held WHERE conversation_id = held.id
    """
)


def _lines(claimed: Claim, answer: Answer) -> list[dict[str, Any]]:
    person: dict[str, Any] = {
        "author": Author.PERSON,
        "text": _shown(claimed),
        "buttons": [],
        "attachment": asdict(attachment) if (attachment := claimed.incoming.attachment) else None,
        "topic": answer.topic,
        "confidence": answer.confidence,
    }
    replies: list[dict[str, Any]] = [
        {
            "author": Author.ASSISTANT,
            "text": reply.text,
            "buttons": [asdict(button) for button in reply.buttons],
            "place": asdict(reply.place) if reply.place else None,
            "dutch": reply.dutch,
            "topic": answer.topic,
        }
        for reply in answer.replies
    ]
    return [
        {**line, "language": answer.language, "number": number}
        for number, line in enumerate([person, *replies], start=1)
    ]


def _shown(claimed: Claim) -> str:
    """The words for the transcript. Where somebody is, is only kept for a coach who talks with them."""
    incoming = claimed.incoming
    sign = _SIGNS.get(incoming.kind, "")
    if incoming.kind is Kind.LOCATION:
        return f"{sign} {incoming.text}" if claimed.mode == Mode.COACH else sign
    return incoming.text or sign


async def release(database: AsyncEngine, claimed: Claim, seconds: float, counted: bool) -> None:
    """Give the message back for another try in `seconds`; `counted` keeps this attempt on its account.

    Does nothing when another worker has the conversation now.
    """
    async with database.begin() as link:
        given = await link.execute(
            update(conversation)
            .where(conversation.c.id == claimed.conversation_id, conversation.c.claimed_by == claimed.worker)
            .values(claimed_by=None)
        )
        if given.rowcount:
            await link.execute(
                update(inbox)
                .where(inbox.c.id == claimed.inbox_id, inbox.c.outcome.is_(None))
                .values(
                    due_at=func.now() + text(f"interval '{seconds:.3f} seconds'"),
                    attempts=claimed.attempts if counted else claimed.attempts - 1,
                )
            )
