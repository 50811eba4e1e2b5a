"""The inbox: messages are accepted once, and on disk before their channel is told so.

bot/claims.py hands them out and closes them; every row ends in exactly one Outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, bindparam, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.messages import Incoming, Kind
from bot.privacy import mask
from bot.tables import conversation, inbox


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
            await self._write_batch(batch)

    async def _write_batch(self, batch: list[tuple[Incoming, asyncio.Future[bool]]]) -> None:
        try:
            async with self._database.begin() as link:
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


_ACCEPT = upsert(inbox).on_conflict_do_nothing().returning(inbox.c.channel, inbox.c.external_id)
_OWNERS = select(conversation.c.channel, conversation.c.address, conversation.c.id).where(
    tuple_(conversation.c.channel, conversation.c.address).in_(bindparam("addresses", expanding=True))
)
_ALIASES = select(conversation.c.channel, conversation.c.alias, conversation.c.id).where(
    tuple_(conversation.c.channel, conversation.c.alias).in_(bindparam("addresses", expanding=True))
)
_RENAME = update(conversation).where(
    conversation.c.channel == bindparam("on"), conversation.c.address == bindparam("known_as")
)


async def store(link: AsyncConnection, batch: Sequence[Incoming]) -> list[bool]:
    """Insert `batch` in order; True for each that was new."""
    owners = await _owners(link, {(m.channel, m.address): m.alias for m in batch})
    messages: list[dict[str, Any]] = [
        {
            "conversation_id": owners[m.channel, m.address],
            "channel": m.channel,
            "external_id": m.external_id,
            "kind": m.kind,
            "text": mask(m.text),
            "payload": mask(m.payload) if m.payload and m.kind is Kind.UNREADABLE else m.payload,
            "language_hint": m.language_hint,
            "message_id": m.message_id,
            "source": m.source,
            "attachment": asdict(m.attachment) if m.attachment else None,
        }
        for m in batch
    ]
    new = {(channel, external_id) for channel, external_id in await link.execute(_ACCEPT, messages)}
    fresh = []
    for m in batch:  # the same message twice in one batch is new only once
        fresh.append((m.channel, m.external_id) in new)
        new.discard((m.channel, m.external_id))
    return fresh


async def _owners(link: AsyncConnection, aliases: dict[tuple[str, str], str | None]) -> dict[tuple[str, str], int]:
    """The conversation of every (channel, address); `aliases` may know an earlier address of the same person."""
    owners = await _found(link, _OWNERS, aliases)
    if aliases.keys() - owners.keys():
        owners |= await _known_otherwise(link, {key: aliases[key] for key in aliases.keys() - owners.keys()})
    missing = aliases.keys() - owners.keys()
    if missing:
        rows = [{"channel": key[0], "address": key[1], "alias": aliases[key]} for key in sorted(missing)]
        await link.execute(upsert(conversation).values(rows).on_conflict_do_nothing())
        owners |= await _found(link, _OWNERS, missing)
    return owners


async def _known_otherwise(
    link: AsyncConnection, aliases: dict[tuple[str, str], str | None]
) -> dict[tuple[str, str], int]:
    """People who wrote from their alias before (the conversation moves to the new address) or write from it now."""
    for (channel, address), alias in aliases.items():
        if alias:
            await rename(link, channel, alias, address)
    return await _found(link, _OWNERS, aliases) | await _found(link, _ALIASES, aliases)


async def rename(link: AsyncConnection, channel: str, old: str, new: str) -> bool:
    """Somebody has a new address; the old one stays as alias. False when nobody had `old` or `new` is taken."""
    if await _found(link, _OWNERS, [(channel, new)]):
        return False
    done = await link.execute(_RENAME.values(address=new, alias=old), {"on": channel, "known_as": old})
    return bool(done.rowcount)


async def _found(
    link: AsyncConnection, query: Select[Any], addresses: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    rows = await link.execute(query, {"addresses": sorted(addresses)})
    return {(channel, address): key for channel, address, key in rows}
