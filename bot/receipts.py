"""Receipts: what a platform says became of a message that was sent (delivered, read, failed).

They come repeated, in any order, and sometimes before the outbox knows the message's platform id: each is
kept once, and a failure is applied to its outbox row when that row can be found: sent again, parked or given up.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import single
from bot.messages import Failure, Receipt, Status
from bot.tables import receipt

_KEEP = upsert(receipt).on_conflict_do_nothing()
_MOST_ATTEMPTS = 10
_AGAIN = ", ".join(f"'{failure}'" for failure in (Failure.CLOSED, Failure.AWAY, Failure.SLOWER, Failure.ALARM))

# What will get better goes back to the outbox: the sender decides again. A window that was closed after all is
# written down as a person who was silent too long, unless they wrote in the meantime; what fails while another reply
# is parked waits with that one.
_APPLY = text(
    f"""
    WITH late AS (
        UPDATE receipt r SET applied = true FROM outbox o
        WHERE r.status = '{Status.FAILED}' AND NOT r.applied AND o.channel = r.channel
          AND o.platform_id = r.platform_id
        RETURNING o.id, o.conversation_id, o.closed_at AS sent_at, r.failure,
            r.failure IN ({_AGAIN}) AND o.attempts < {_MOST_ATTEMPTS} AS again
    ), person AS (
        UPDATE conversation c SET
            blocked_at = CASE WHEN late.failure = '{Failure.BLOCKED}' THEN now() ELSE blocked_at END,
            heard_at = CASE WHEN late.failure = '{Failure.CLOSED}' THEN least(heard_at, now() - interval '1 day')
                ELSE heard_at END
        FROM late WHERE c.id = late.conversation_id AND coalesce(c.heard_at <= late.sent_at, true)
    )
    UPDATE outbox o SET
        outcome = CASE WHEN NOT late.again THEN 'failed:' || late.failure END,
        closed_at = CASE WHEN NOT late.again THEN now() END,
        platform_id = CASE WHEN NOT late.again THEN o.platform_id END,
        due_at = CASE WHEN late.failure = '{Failure.CLOSED}' THEN now()
            ELSE now() + least(300, 5 * o.attempts) * interval '1 second' END,
        parked_at = (SELECT max(p.parked_at) FROM outbox p WHERE p.conversation_id = o.conversation_id
            AND p.outcome IS NULL AND late.failure = '{Failure.CLOSED}')
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
        for r in sorted(receipts, key=lambda r: (r.platform_id, r.status))  # the same order in every process
    ]
    async with database.begin() as link:
        await link.execute(_KEEP, rows)
    if any(r.status is Status.FAILED for r in receipts):
        await apply(database)


async def apply(database: AsyncEngine) -> None:
    """Bring failures to their outbox rows, as far as those are known by now."""
    async with single(database).connect() as link:
        await link.execute(_APPLY)
