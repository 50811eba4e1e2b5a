"""The inbox: messages are accepted once, and on disk before their channel is told so.

bot/claims.py hands them out and closes them; every row ends in exactly one Outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.database import single
from bot.messages import Incoming, Kind
from bot.privacy import mask
from bot.tables import conversation


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


class Acceptor:
    """Writes accepted messages in batches: whatever waits goes into one statement together."""

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
            await self._write_batch(batch)

    async def _write_batch(self, batch: list[tuple[Incoming, asyncio.Future[bool]]]) -> None:
        try:
            async with single(self._database).connect() as link:
                fresh = await store(link, [incoming for incoming, _ in batch])
        except DBAPIError as error:  # perhaps one of them cannot be stored: the others must not suffer
            if len(batch) == 1 or error.connection_invalidated:
                _tell(batch, error)
                return
            for one in batch:
                await self._write_batch([one])
        except Exception as error:  # each sender is told, whatever it was
            _tell(batch, error)
        else:
            for (_, done), new in zip(batch, fresh, strict=True):
                if not done.done():
                    done.set_result(new)


def _tell(batch: list[tuple[Incoming, asyncio.Future[bool]]], error: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(error)


# One statement, since many wait for it: conversations are found by address or alias, or made, and the messages written.
# It leaves out (conversation_id is null) new people with an alias: perhaps we know them under that.
_ACCEPT = text(
    """
    WITH batch AS (
        SELECT * FROM jsonb_to_recordset(:batch) AS b(ord int, channel text, external_id text, address text, alias text,
            kind text, text text, payload text, language_hint text, message_id text, source text, attachment jsonb)
    ), people AS (
        SELECT channel, address, max(alias) AS alias FROM batch GROUP BY channel, address
    ), known AS (
        SELECT p.channel, p.address, p.alias, coalesce(c.id, other.id) AS id FROM people p
        LEFT JOIN conversation c ON c.channel = p.channel AND c.address = p.address
        LEFT JOIN LATERAL (SELECT o.id FROM conversation o WHERE o.channel = p.channel AND o.alias = p.address
                           ORDER BY o.id LIMIT 1) other ON true
    ), moved AS (
        UPDATE conversation c SET alias = k.alias FROM known k
        WHERE c.id = k.id AND c.address = k.address AND k.alias <> k.address AND c.alias IS DISTINCT FROM k.alias
    ), made AS (
        INSERT INTO conversation (channel, address) SELECT channel, address FROM known
        WHERE id IS NULL AND alias IS NULL ORDER BY channel, address
        ON CONFLICT DO NOTHING RETURNING id, channel, address
    ), owned AS (
        SELECT b.*, coalesce(k.id, m.id) AS conversation_id FROM batch b
        JOIN known k ON k.channel = b.channel AND k.address = b.address
        LEFT JOIN made m ON m.channel = b.channel AND m.address = b.address
    ), fresh AS (
        INSERT INTO inbox (conversation_id, channel, external_id, kind, text, payload, language_hint, message_id,
                           source, attachment)
        SELECT conversation_id, channel, external_id, kind, text, payload, language_hint, message_id, source, attachment
        FROM owned WHERE conversation_id IS NOT NULL ORDER BY ord
        ON CONFLICT DO NOTHING RETURNING channel, external_id
    )
    SELECT o.ord, o.conversation_id, f.channel IS NOT NULL AS fresh
    FROM owned o LEFT JOIN fresh f ON f.channel = o.channel AND f.external_id = o.external_id ORDER BY o.ord
    """
).bindparams(bindparam("batch", type_=JSONB))
_RENAME = text(
    """
    UPDATE conversation SET address = :new, alias = :old WHERE id = (
        SELECT id FROM conversation WHERE channel = :channel AND (address = :old OR (:told AND alias = :old))
        ORDER BY address = :old DESC, id LIMIT 1)
    AND NOT EXISTS (SELECT FROM conversation WHERE channel = :channel AND address = :new)
    """
).bindparams(bindparam("told", type_=Boolean))


async def store(link: AsyncConnection, batch: Sequence[Incoming]) -> list[bool]:
    """Insert `batch` in order; True for each that was new."""
    new = set[tuple[str, str]]()
    left = await _insert(link, batch, new)
    for message in left:
        await _introduce(link, message)
    if await _insert(link, left, new):
        raise RuntimeError("a conversation came and went")  # the sender comes again
    fresh = []
    for m in batch:  # the same message twice in one batch is new only once
        fresh.append((m.channel, m.external_id) in new)
        new.discard((m.channel, m.external_id))
    return fresh


async def _insert(link: AsyncConnection, batch: Sequence[Incoming], new: set[tuple[str, str]]) -> list[Incoming]:
    """The messages that have no conversation yet; adds to `new` what was written."""
    if not batch:
        return []
    rows = (await link.execute(_ACCEPT, {"batch": [_row(number, m) for number, m in enumerate(batch)]})).all()
    new.update((batch[row.ord].channel, batch[row.ord].external_id) for row in rows if row.fresh)
    return [batch[row.ord] for row in rows if row.conversation_id is None]


def _row(number: int, m: Incoming) -> dict[str, Any]:
    return {
        "ord": number,
        "channel": m.channel,
        "external_id": m.external_id,
        "address": m.address,
        "alias": m.alias,
        "kind": m.kind,
        "text": mask(m.text),
        "payload": mask(m.payload) if m.payload and m.kind is Kind.UNREADABLE else m.payload,
        "language_hint": m.language_hint,
        "message_id": m.message_id,
        "source": m.source,
        "attachment": asdict(m.attachment) if m.attachment else None,
    }


async def _introduce(link: AsyncConnection, m: Incoming) -> None:
    """Somebody who wrote from their alias before (the conversation moves to the new address), or somebody new."""
    if not (m.alias and await rename(link, m.channel, m.alias, m.address, told=m.kind is Kind.IDLE)):
        row = {"channel": m.channel, "address": m.address, "alias": m.alias}
        await link.execute(upsert(conversation).values(row).on_conflict_do_nothing())


async def rename(link: AsyncConnection, channel: str, old: str, new: str, told: bool = False) -> bool:
    """Somebody has a new address; the old one stays as alias. False when nobody had `old` or `new` is taken.

    `told`: the platform said so. Then `old` may be an alias too; else a number that was given to somebody else would
    hand over the talk of the person before.
    """
    done = await link.execute(_RENAME, {"channel": channel, "old": old, "new": new, "told": told})
    return bool(done.rowcount)
