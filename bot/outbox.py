"""The outbox: replies waiting to be sent, in order per conversation, at least once.

Rows are made together with the lines they send (`ENTER`). A worker claims them, the channel sends, `close` marks
them; a crash in between may send one again, never lose one. Every row ends as sent, failed:<reason> or expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, Boolean, Float, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import single
from bot.messages import WEBCHAT, Failure, Outgoing, Place, Reply, read_buttons

SENT, FAILED, EXPIRED = "sent", "failed", "expired"
_MOST_DAYS = 7  # an answer nobody could take for a week is of no use

# Part of a statement: rows for the lines that were `said` (id, author) in the conversation `held` (id, channel).
# The web chat needs no sending: its page reads the transcript (docs/decisions/0002).
ENTER = f"""sending AS (
        INSERT INTO outbox (conversation_id, transcript_id, channel, quote, outcome, closed_at)
        SELECT held.id, said.id, held.channel, :quote, CASE WHEN held.channel = '{WEBCHAT}' THEN '{SENT}' END,
            CASE WHEN held.channel = '{WEBCHAT}' THEN now() END
        FROM held, said WHERE said.author <> 'person' ORDER BY said.id
    )"""


@dataclass(frozen=True)
class Waiting:
    """One reply that was claimed. `attempts` counts this one, `silent_hours` since the person last wrote."""

    outbox_id: int
    conversation_id: int
    channel: str
    outgoing: Outgoing
    attempts: int
    blocked: bool = False
    silent_hours: float = 0.0


@dataclass(frozen=True)
class Sent:
    """How an attempt ended: `outcome` closes the row, None tries again in `retry_in` seconds, or (`parked`)
    when the person writes. `counted` is whether it was an attempt at all."""

    outbox_id: int
    outcome: str | None
    platform_id: str | None = None
    retry_in: float = 0.0
    counted: bool = True
    parked: bool = False


# Heads: as in claims.py. A parked reply is due once the person wrote after it was parked.
_CLAIM = text(
    """
    WITH heads AS (
        SELECT DISTINCT ON (conversation_id) id FROM outbox
        WHERE outcome IS NULL ORDER BY conversation_id, id
    ), ready AS (
        SELECT o.id FROM heads JOIN outbox o ON o.id = heads.id JOIN conversation c ON c.id = o.conversation_id
        WHERE o.outcome IS NULL AND o.claimed_by IS NULL AND o.due_at <= now() AND o.channel = ANY(:channels)
          AND (o.parked_at IS NULL OR c.heard_at > o.parked_at)
        ORDER BY o.id LIMIT :most FOR UPDATE OF o SKIP LOCKED
    )
    UPDATE outbox o SET claimed_by = :worker, attempts = o.attempts + 1, parked_at = NULL
    FROM ready, transcript t, conversation c
    WHERE o.id = ready.id AND t.id = o.transcript_id AND c.id = o.conversation_id
    RETURNING o.id, o.conversation_id, o.channel, c.address, c.alias, o.quote, t.buttons, t.place,
        CASE WHEN t.coach IS NULL THEN t.text ELSE '👤 ' || t.coach || E':\\n' || t.text END AS text,
        coalesce(t.language, c.language, 'nl') AS language, o.attempts, c.blocked_at IS NOT NULL AS blocked,
        coalesce(extract(epoch FROM now() - c.heard_at) / 3600, 0) AS silent_hours
    """
).bindparams(bindparam("channels", type_=ARRAY(Text)))

_CLOSE = text(
    """
    UPDATE outbox o SET claimed_by = NULL, outcome = r.outcome, platform_id = r.platform_id,
        due_at = now() + r.delay * interval '1 second', closed_at = CASE WHEN r.outcome IS NOT NULL THEN now() END,
        attempts = o.attempts - CASE WHEN r.counted THEN 0 ELSE 1 END, parked_at = CASE WHEN r.parked THEN now() END
    FROM unnest(:keys, :outcomes, :platform_ids, :delays, :counted, :parked)
        AS r(id, outcome, platform_id, delay, counted, parked)
    WHERE o.id = r.id AND o.outcome IS NULL
    """
).bindparams(
    bindparam("keys", type_=ARRAY(BigInteger)),
    bindparam("outcomes", type_=ARRAY(Text)),
    bindparam("platform_ids", type_=ARRAY(Text)),
    bindparam("delays", type_=ARRAY(Float)),
    bindparam("counted", type_=ARRAY(Boolean)),
    bindparam("parked", type_=ARRAY(Boolean)),
)

_BLOCK = text("UPDATE conversation SET blocked_at = now() WHERE id = :conversation")
_MOVE = text(
    """
    UPDATE conversation c SET address = :address, alias = c.address WHERE id = :conversation
    AND NOT EXISTS (SELECT FROM conversation o WHERE o.channel = c.channel AND o.address = :address)
    """
)
_EXPIRE = text(
    f"""
    UPDATE outbox SET outcome = '{EXPIRED}', closed_at = now(), claimed_by = NULL
    WHERE outcome IS NULL AND created_at < now() - interval '{_MOST_DAYS} days'
    """
)


async def claim(database: AsyncEngine, worker: int, channels: Sequence[str], most: int) -> list[Waiting]:
    """Take up to `most` replies of `channels`, at most the oldest one of each conversation."""
    async with single(database).connect() as link:
        rows = (await link.execute(_CLAIM, {"worker": worker, "channels": list(channels), "most": most})).all()
    return [
        Waiting(
            row.id,
            row.conversation_id,
            row.channel,
            Outgoing(
                row.address,
                Reply(row.text, read_buttons(row.buttons), Place(**row.place) if row.place else None),
                row.language,
                row.alias,
                row.quote,
            ),
            row.attempts,
            row.blocked,
            float(row.silent_hours),
        )
        for row in sorted(rows, key=lambda row: row.id)
    ]


async def close(database: AsyncEngine, results: Sequence[Sent]) -> None:
    """Record how each attempt ended, all in one transaction."""
    columns = {
        "keys": [r.outbox_id for r in results],
        "outcomes": [r.outcome for r in results],
        "platform_ids": [r.platform_id for r in results],
        "delays": [r.retry_in for r in results],
        "counted": [r.counted for r in results],
        "parked": [r.parked for r in results],
    }
    async with single(database).connect() as link:
        await link.execute(_CLOSE, columns)


async def block(database: AsyncEngine, conversation_id: int) -> None:
    """The person does not want to hear from us: what is still waiting fails too."""
    async with single(database).connect() as link:
        await link.execute(_BLOCK, {"conversation": conversation_id})


async def move(database: AsyncEngine, conversation_id: int, address: str) -> None:
    """The person has a new address; nothing happens when it belongs to another conversation already."""
    async with single(database).connect() as link:
        await link.execute(_MOVE, {"conversation": conversation_id, "address": address})


async def expire(database: AsyncEngine) -> int:
    """Close what waited for a week; how many."""
    async with single(database).connect() as link:
        return int((await link.execute(_EXPIRE)).rowcount)


def failed(failure: Failure) -> str:
    """The outcome of a reply that will not be sent."""
    return f"{FAILED}:{failure}"
