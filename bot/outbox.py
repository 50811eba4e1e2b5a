"""The outbox: replies waiting to be sent, in order per conversation, at least once.

Rows are made by claims.finish. A worker claims them, the channel sends, `close` marks them; a crash in
between may send one again, never lose one. Every row ends as sent, failed:<reason> or expired.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, Float, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import single
from bot.messages import Reply, read_buttons

SENT, FAILED, EXPIRED = "sent", "failed", "expired"


@dataclass(frozen=True)
class Outgoing:
    """One reply on its way out. `attempts` counts this one."""

    outbox_id: int
    channel: str
    address: str
    reply: Reply
    attempts: int


@dataclass(frozen=True)
class Sent:
    """How an attempt ended: `outcome` closes the row, None tries again in `retry_in` seconds."""

    outbox_id: int
    outcome: str | None
    platform_id: str | None = None
    retry_in: float = 0.0


_CLAIM = text(
    """
    WITH ready AS (
        SELECT o.id FROM outbox o
        WHERE o.outcome IS NULL AND o.claimed_by IS NULL AND o.due_at <= now()
          AND NOT EXISTS (SELECT FROM outbox older WHERE older.conversation_id = o.conversation_id
                          AND older.outcome IS NULL AND older.id < o.id)
        ORDER BY o.id LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox o SET claimed_by = :worker, attempts = o.attempts + 1
    FROM ready, transcript t, conversation c
    WHERE o.id = ready.id AND t.id = o.transcript_id AND c.id = o.conversation_id
    RETURNING o.id, o.channel, c.address, t.text, t.buttons, o.attempts
    """
)

_CLOSE = text(
    """
    UPDATE outbox o SET claimed_by = NULL, outcome = r.outcome, platform_id = r.platform_id,
        due_at = now() + r.delay * interval '1 second', closed_at = CASE WHEN r.outcome IS NOT NULL THEN now() END
    FROM unnest(:keys, :outcomes, :platform_ids, :delays) AS r(id, outcome, platform_id, delay)
    WHERE o.id = r.id AND o.outcome IS NULL
    """
).bindparams(
    bindparam("keys", type_=ARRAY(BigInteger)),
    bindparam("outcomes", type_=ARRAY(Text)),
    bindparam("platform_ids", type_=ARRAY(Text)),
    bindparam("delays", type_=ARRAY(Float)),
)


async def claim(database: AsyncEngine, worker: int, most: int) -> list[Outgoing]:
    """Take up to `most` replies, at most the oldest one of each conversation."""
    async with single(database).connect() as link:
        rows = (await link.execute(_CLAIM, {"worker": worker, "most": most})).all()
    return [
        Outgoing(
            row.id,
            row.channel,
            row.address,
            Reply(row.text, read_buttons(row.buttons)),
            row.attempts,
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


async def close(database: AsyncEngine, results: list[Sent]) -> None:
    """Record how each attempt ended, all in one transaction."""
    columns = {
        "keys": [r.outbox_id for r in results],
        "outcomes": [r.outcome for r in results],
        "platform_ids": [r.platform_id for r in results],
        "delays": [r.retry_in for r in results],
    }
    async with single(database).connect() as link:
        await link.execute(_CLOSE, columns)
