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

from sqlalchemy import func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.database import conversation, inbox, outbox, transcript
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
    added = upsert(inbox).values(messages).on_conflict_do_nothing().returning(inbox.c.channel, inbox.c.external_id)
    new = {(channel, external_id) for channel, external_id in await link.execute(added)}
    fresh = []
    for m in batch:  # the same message twice in one batch is new only once
        fresh.append((m.channel, m.external_id) in new)
        new.discard((m.channel, m.external_id))
    return fresh


async def _conversations(link: AsyncConnection, addresses: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    query = select(conversation.c.channel, conversation.c.address, conversation.c.id).where(
        tuple_(conversation.c.channel, conversation.c.address).in_(addresses)
    )
    return {(channel, address): key for channel, address, key in await link.execute(query)}


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
    async with database.begin() as link:
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


async def finish(database: AsyncEngine, claimed: Claim, answer: Answer) -> None:
    """Save the new state, the transcript and the outgoing replies and close the message, or nothing.

    Raises LostClaim when the claim was taken back in the meantime.
    """
    lines = _lines(claimed, answer)
    async with database.begin() as link:
        changes: dict[str, Any] = {
            "claimed_by": None,
            "language": answer.language,
            "language_from": answer.language_from,
            "dialogue": answer.dialogue,
            "last_position": claimed.last_position + len(lines),
        }
        if claimed.waiting >= MANY_WAITING:
            changes["pace_at"] = func.now() + text(f"interval '{PAUSE_SECONDS} seconds'")
        if answer.slowed:
            changes["slowed_at"] = func.now()
        held = await link.execute(
            update(conversation)
            .where(conversation.c.id == claimed.conversation_id, conversation.c.claimed_by == claimed.worker)
            .values(changes)
        )
        closed = await link.execute(
            update(inbox)
            .where(inbox.c.id == claimed.inbox_id, inbox.c.outcome.is_(None))
            .values(outcome=answer.outcome, text=None, payload=None, closed_at=func.now())
        )
        if held.rowcount != 1 or closed.rowcount != 1:
            raise LostClaim(f"inbox {claimed.inbox_id}")
        if answer.forget:
            earlier = update(transcript).where(transcript.c.conversation_id == claimed.conversation_id)
            await link.execute(earlier.values(text="", buttons=[], topic=None, confidence=None))
        written = await link.execute(insert(transcript).returning(transcript.c.id, sort_by_parameter_order=True), lines)
        sent = [
            {
                "conversation_id": claimed.conversation_id,
                "transcript_id": key,
                "channel": claimed.incoming.channel,
            }
            for (key,), line in zip(written, lines, strict=True)
            if line["author"] != Author.PERSON
        ]
        if sent:
            await link.execute(insert(outbox), sent)


def _lines(claimed: Claim, answer: Answer) -> list[dict[str, Any]]:
    shared = {"conversation_id": claimed.conversation_id, "inbox_id": claimed.inbox_id, "language": answer.language}
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
            "confidence": None,
        }
        for reply in answer.replies
    ]
    return [
        {**shared, **line, "position": claimed.last_position + number}
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
