"""The inbox: messages are accepted once, claimed one at a time per conversation, and closed once.

An accepted message is on disk before its channel is told so. `claim` hands the oldest open message of
free conversations to a worker; `finish` saves everything that follows from it in one transaction, and
only if the claim still holds. Every row ends in exactly one Outcome.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Float, bindparam, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.database import conversation, inbox, single, transcript
from bot.messages import Author, Button, Incoming, Kind, Reply

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
MANY_WAITING = 5  # more than this behind each other from one person: one at a time, with a pause
PAUSE_SECONDS = 0.5


class Outcome(StrEnum):
    """How a message ended. `ignored` and `dead` are followed by ":" and a reason."""

    ANSWERED = "answered"
    ASKED_BACK = "asked_back"
    NOT_UNDERSTOOD = "not_understood"
    TO_COACH = "to_coach"
    COMMAND = "command"
    NOTICE = "notice"
    IGNORED = "ignored"
    DEAD = "dead"


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
    offered: tuple[Button, ...]  # the buttons under the last reply
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
    forget: bool = False  # empty everything said before


class LostClaim(Exception):
    """Another worker has the conversation now; nothing was saved."""


class Acceptor:
    """Writes accepted messages in batches: whatever waits goes into one transaction together."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._waiting: list[tuple[Incoming, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def accept(self, incoming: Incoming) -> bool:
        """True when new, False for a repeat; returns after the commit. Raises when the database is away."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((incoming, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:200], self._waiting[200:]
            try:
                async with self._database.begin() as link:
                    fresh = await store(link, [incoming for incoming, _ in batch])
            except Exception as error:  # each sender is told, whatever it was
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), new in zip(batch, fresh, strict=True):
                if not done.done():
                    done.set_result(new)


_ACCEPT = upsert(inbox).on_conflict_do_nothing().returning(inbox.c.channel, inbox.c.external_id)
_OWNERS = select(conversation.c.channel, conversation.c.address, conversation.c.id).where(
    tuple_(conversation.c.channel, conversation.c.address).in_(bindparam("addresses", expanding=True))
)


async def store(link: AsyncConnection, batch: Sequence[Incoming]) -> list[bool]:
    """Insert `batch` in order; True for each that was new."""
    addresses = {(m.channel, m.address) for m in batch}
    owners = await _conversations(link, addresses)
    missing = addresses - owners.keys()
    if missing:
        rows = [{"channel": channel, "address": address} for channel, address in sorted(missing)]
        await link.execute(upsert(conversation).values(rows).on_conflict_do_nothing())
        owners |= await _conversations(link, missing)
    messages: list[dict[str, Any]] = [
        {
            "conversation_id": owners[m.channel, m.address],
            "channel": m.channel,
            "external_id": m.external_id,
            "kind": m.kind,
            "text": m.text,
            "payload": m.payload,
            "language_hint": m.language_hint,
        }
        for m in batch
    ]
    new = {(channel, external_id) for channel, external_id in await link.execute(_ACCEPT, messages)}
    fresh = []
    for m in batch:  # the same message twice in one batch is new only once
        fresh.append((m.channel, m.external_id) in new)
        new.discard((m.channel, m.external_id))
    return fresh


async def _conversations(link: AsyncConnection, addresses: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    rows = await link.execute(_OWNERS, {"addresses": sorted(addresses)})
    return {(channel, address): key for channel, address, key in rows}


# Both rows are locked: a conversation that was released a moment ago is only taken with the message
# that is still open, not with the one this statement's snapshot remembers.
_CLAIM = text(
    """
    WITH ready AS (
        SELECT i.id, i.conversation_id FROM inbox i JOIN conversation c ON c.id = i.conversation_id
        WHERE i.outcome IS NULL AND i.due_at <= now() AND c.claimed_by IS NULL
          AND c.pace_at <= now()
          AND NOT EXISTS (SELECT FROM inbox older WHERE older.conversation_id = i.conversation_id
                          AND older.outcome IS NULL AND older.id < i.id)
        ORDER BY i.id LIMIT :most FOR UPDATE OF c, i SKIP LOCKED
    ), held AS (
        UPDATE conversation c SET claimed_by = :worker
        FROM ready WHERE c.id = ready.conversation_id
        RETURNING c.id, c.address, c.language, c.language_from, c.dialogue, c.last_position,
                  coalesce(c.slowed_at > now() - interval '1 minute', false) AS slowed
    )
    UPDATE inbox i SET attempts = i.attempts + 1 FROM held WHERE held.id = i.conversation_id
        AND i.id IN (SELECT id FROM ready)
    RETURNING i.id, i.attempts, i.channel, i.external_id, held.address, i.kind, i.text, i.payload, i.language_hint,
        held.id AS conversation_id, held.language, held.language_from, held.dialogue, held.last_position, held.slowed,
        (SELECT t.buttons FROM transcript t WHERE t.conversation_id = held.id AND t.author <> 'person'
         ORDER BY t.position DESC LIMIT 1) AS offered,
        (SELECT count(*) FROM inbox w WHERE w.conversation_id = held.id AND w.outcome IS NULL) - 1 AS waiting
    """
).columns(dialogue=conversation.c.dialogue.type, offered=transcript.c.buttons.type)


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
            ),
            conversation_id=row.conversation_id,
            language=row.language,
            language_from=row.language_from,
            dialogue=row.dialogue,
            last_position=row.last_position,
            offered=tuple(Button(b["title"], b["payload"]) for b in row.offered or ()),
            waiting=row.waiting,
            slowed=row.slowed,
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


# One statement and so one transaction: everything follows from the claim that still holds.
_FINISH = text(
    """
    WITH held AS (
        UPDATE conversation SET claimed_by = NULL, language = :language, language_from = :language_from,
            dialogue = :dialogue, last_position = :last_position, pace_at = now() + :pause * interval '1 second',
            slowed_at = CASE WHEN :slowed THEN now() ELSE slowed_at END
        WHERE id = :conversation AND claimed_by = :worker
          AND EXISTS (SELECT FROM inbox WHERE id = :inbox AND outcome IS NULL)
        RETURNING id
    ), shut AS (
        UPDATE inbox SET outcome = :outcome, text = NULL, payload = NULL, closed_at = now()
        WHERE id = :inbox AND EXISTS (SELECT FROM held)
    ), said AS (
        INSERT INTO transcript (conversation_id, inbox_id, position, author, text, buttons, language, topic, confidence)
        SELECT held.id, :inbox, line.* FROM held, jsonb_to_recordset(:lines) AS line
            (position int, author text, text text, buttons jsonb, language text, topic text, confidence float)
        ORDER BY line.position RETURNING id, author
    ), sending AS (
        INSERT INTO outbox (conversation_id, transcript_id, channel)
        SELECT :conversation, said.id, :channel FROM said WHERE said.author <> 'person' ORDER BY said.id
    )
    SELECT count(*) FROM held
    """
).bindparams(
    bindparam("dialogue", type_=conversation.c.dialogue.type),
    bindparam("lines", type_=transcript.c.buttons.type),
    bindparam("pause", type_=Float),
)


async def finish(database: AsyncEngine, claimed: Claim, answer: Answer) -> None:
    """Save the new state, the transcript and the outgoing replies and close the message, or nothing.

    Raises LostClaim when the claim was taken back in the meantime.
    """
    lines = _lines(claimed, answer)
    values = {
        "conversation": claimed.conversation_id,
        "worker": claimed.worker,
        "inbox": claimed.inbox_id,
        "channel": claimed.incoming.channel,
        "outcome": answer.outcome,
        "language": answer.language,
        "language_from": answer.language_from,
        "dialogue": answer.dialogue,
        "last_position": claimed.last_position + len(lines),
        "pause": PAUSE_SECONDS if claimed.waiting >= MANY_WAITING else 0.0,
        "slowed": answer.slowed,
        "lines": lines,
    }
    async with database.begin() if answer.forget else single(database).connect() as link:
        if answer.forget:
            await link.execute(_FORGET, {"conversation": claimed.conversation_id, "worker": claimed.worker})
        if (await link.execute(_FINISH, values)).scalar_one() != 1:
            raise LostClaim(f"inbox {claimed.inbox_id}")


_FORGET = text(
    """
    UPDATE transcript SET text = '', buttons = '[]', topic = NULL, confidence = NULL
    FROM conversation c WHERE c.id = conversation_id AND c.id = :conversation AND c.claimed_by = :worker
    """
)


def _lines(claimed: Claim, answer: Answer) -> list[dict[str, Any]]:
    person: dict[str, Any] = {
        "author": Author.PERSON,
        "text": claimed.incoming.text,
        "buttons": [],
        "topic": answer.topic,
        "confidence": answer.confidence,
    }
    replies: list[dict[str, Any]] = [
        {
            "author": Author.ASSISTANT,
            "text": reply.text,
            "buttons": [{"title": b.title, "payload": b.payload} for b in reply.buttons],
            "topic": answer.topic,
        }
        for reply in answer.replies
    ]
    return [
        {**line, "language": answer.language, "position": claimed.last_position + number}
        for number, line in enumerate([person, *replies], start=1)
    ]


async def release(database: AsyncEngine, claimed: Claim, seconds: float, counted: bool) -> None:
    """Give the message back for another try in `seconds`; `counted` keeps this attempt on its account."""
    async with database.begin() as link:
        await link.execute(
            update(conversation)
            .where(conversation.c.id == claimed.conversation_id, conversation.c.claimed_by == claimed.worker)
            .values(claimed_by=None)
        )
        await link.execute(
            update(inbox)
            .where(inbox.c.id == claimed.inbox_id, inbox.c.outcome.is_(None))
            .values(
                due_at=func.now() + text(f"interval '{seconds:.3f} seconds'"),
                attempts=claimed.attempts if counted else claimed.attempts - 1,
            )
        )
