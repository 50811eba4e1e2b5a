"""What was kept long enough goes: words, names and contact data. Rows stay where they are counted.

The same sweep again changes nothing, so it may run as often as one likes.
"""

from __future__ import annotations

import logging

from sqlalchemy import Integer, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import single

logger = logging.getLogger(__name__)

DAYS = 180  # without a word from anybody, then what was said is emptied
_REFERRAL_DAYS = 90  # after it was closed
_SMALL_DAYS = 30  # receipts, and updates of platforms that could not be read

# Silent: nobody, person, coach or assistant, has said anything. Not by heard_at, which a late receipt may set forward.
_SILENT = """
    c.created_at < now() - :days * interval '1 day' AND NOT EXISTS (SELECT FROM transcript last
        WHERE last.conversation_id = c.id AND last.at >= now() - :days * interval '1 day')
"""
# Closed, or left open by everybody.
_OLD_CASES = f"""
    SELECT id FROM referral WHERE closed_at < now() - interval '{_REFERRAL_DAYS} days'
    OR (state <> 'closed' AND greatest(created_at, person_at, coach_at) < now() - interval '{DAYS} days')
"""

# Each only touches rows that still have something, so that no desk hears about a case where nothing changed.
_SWEEPS = {
    "lines": f"""
        UPDATE transcript t SET text = '', dutch = NULL, attachment = NULL, buttons = '[]', place = NULL
        FROM conversation c WHERE c.id = t.conversation_id AND {_SILENT} AND (t.text <> '' OR t.dutch IS NOT NULL
            OR t.attachment IS NOT NULL OR t.buttons <> '[]' OR t.place IS NOT NULL)
        AND NOT EXISTS (SELECT FROM outbox o WHERE o.transcript_id = t.id AND o.outcome IS NULL)""",
    "files": f"""
        UPDATE inbox i SET attachment = NULL FROM conversation c WHERE c.id = i.conversation_id
        AND jsonb_typeof(i.attachment) = 'object' AND i.outcome IS NOT NULL AND {_SILENT}""",
    "dialogues": f"""
        UPDATE conversation c SET dialogue = NULL, awaits = NULL
        WHERE (jsonb_typeof(c.dialogue) = 'object' OR c.awaits IS NOT NULL) AND c.claimed_by IS NULL AND {_SILENT}""",
    "cases": f"""
        UPDATE referral SET contact = NULL, first_name = NULL, guardian = NULL, reach = NULL, rating_text = NULL
        WHERE id IN ({_OLD_CASES})
        AND num_nonnulls(contact, first_name, guardian, reach, rating_text) > 0""",
    "notes": f"UPDATE note SET text = '' WHERE text <> '' AND referral_id IN ({_OLD_CASES})",
    "receipts": f"DELETE FROM receipt WHERE at < now() - interval '{_SMALL_DAYS} days'",
    "invitations": "DELETE FROM invitation WHERE used_at IS NOT NULL OR expires_at < now()",
    "sessions": "DELETE FROM desk_session WHERE revoked_at IS NOT NULL OR expires_at < now()",
    "requests": "DELETE FROM desk_once WHERE at < now() - interval '1 day'",
    "unreadable": f"""
        UPDATE inbox SET payload = NULL WHERE payload IS NOT NULL AND outcome IS NOT NULL
        AND received_at < now() - interval '{_SMALL_DAYS} days'""",
}


async def sweep(database: AsyncEngine, days: int) -> dict[str, int]:
    """Empty what is older than `days` (words) or its own time; how many rows of each. Raises ValueError under a day."""
    if days < 1:
        raise ValueError(days)
    gone: dict[str, int] = {}
    async with single(database).connect() as link:
        for what, statement in _SWEEPS.items():
            query = text(statement)
            values = {"days": days} if ":days" in statement else {}
            query = query.bindparams(bindparam("days", type_=Integer)) if values else query
            gone[what] = (await link.execute(query, values)).rowcount
    if any(gone.values()):
        logger.info("kept long enough: %s", ", ".join(f"{number} {what}" for what, number in gone.items() if number))
    return gone
