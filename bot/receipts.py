"""Receipts: what a platform says became of a message that was sent (delivered, read, failed).

They come repeated, in any order, and sometimes before the outbox knows the message's platform id: each is
kept once, and a failure is applied to its outbox row when that row can be found.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import receipt, single
from bot.messages import Failure, Receipt, Status

_KEEP = upsert(receipt).on_conflict_do_nothing()

# What was refused because the person was silent too long waits for their next message; anything else failed.
_APPLY = text(
    f"""
    WITH late AS (
        UPDATE receipt r SET applied = true FROM outbox o
        WHERE r.status = '{Status.FAILED}' AND NOT r.applied AND o.channel = r.channel
          AND o.platform_id = r.platform_id
        RETURNING o.id, o.conversation_id, r.failure
    ), shut AS (
        UPDATE conversation SET blocked_at = now() FROM late
        WHERE conversation.id = late.conversation_id AND late.failure = '{Failure.BLOCKED}'
    )
    UPDATE outbox o SET
        outcome = CASE WHEN late.failure <> '{Failure.CLOSED}' THEN 'failed:' || late.failure END,
        parked_at = CASE WHEN late.failure = '{Failure.CLOSED}' THEN now() END,
        closed_at = CASE WHEN late.failure <> '{Failure.CLOSED}' THEN now() END,
        platform_id = CASE WHEN late.failure <> '{Failure.CLOSED}' THEN o.platform_id END
    FROM late WHERE o.id = late.id AND o.outcome = 'sent'
    """
)


async def keep(database: AsyncEngine, receipts: Sequence[Receipt]) -> None:
    """Store them, each once; returns after the commit."""
    if not receipts:
        return
    rows = [
        {
            "channel": r.channel,
            "platform_id": r.platform_id,
            "status": r.status,
            "failure": r.failure,
            "detail": r.detail,
        }
        for r in receipts
    ]
    async with database.begin() as link:
        await link.execute(_KEEP, rows)
    if any(r.status is Status.FAILED for r in receipts):
        await apply(database)


async def apply(database: AsyncEngine) -> None:
    """Bring failures to their outbox rows, as far as those are known by now."""
    async with single(database).connect() as link:
        await link.execute(_APPLY)
