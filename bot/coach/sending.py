"""What a coach can do about a message that did not arrive: send it again, or knock with WhatsApp's template."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Row, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases
from bot.coach.case import By
from bot.coach.outside import Outside
from bot.database import single
from bot.messages import NotSent, Outgoing, Reply

_SENT, _FAILED = "template", "template failed"

_LAST = text("SELECT message_id FROM inbox WHERE conversation_id = :talk AND message_id <> '' ORDER BY id DESC LIMIT 1")
# As new: counted from the start, under a fresh id of the platform, and with a week to go. An update rings no bell.
_RETRY = text(
    """
    WITH again AS (
        UPDATE outbox o SET outcome = NULL, closed_at = NULL, claimed_by = NULL, attempts = 0, platform_id = NULL,
            parked_at = NULL, due_at = now(), created_at = now()
        FROM transcript l WHERE l.id = o.transcript_id AND l.conversation_id = :conversation
            AND l.position = :position AND l.text <> '' AND (o.outcome LIKE 'failed%' OR o.outcome = 'expired')
        RETURNING o.id
    )
    SELECT count(*), pg_notify('outbox', '') FROM again
    """
).bindparams(bindparam("position", type_=Integer))
_WAITS = text(
    f"""
    SELECT count(*) FILTER (WHERE a.what = '{_SENT}') > count(*) FILTER (WHERE a.what = '{_FAILED}')
    FROM audit a JOIN referral r ON r.id = a.referral_id JOIN conversation c ON c.id = r.conversation_id
    WHERE a.referral_id = :referral AND a.what IN ('{_SENT}', '{_FAILED}') AND a.at > coalesce(c.heard_at, r.created_at)
    """
)


class TemplateWaits(Exception):
    """One was sent already; the person has not answered yet."""


async def retry(database: AsyncEngine, row: Row[Any], position: int, by: By) -> bool:
    """Open the outbox row of that line again; False when it did not fail."""
    async with database.begin() as link:
        values = {"conversation": row.conversation_id, "position": position}
        opened = bool((await link.execute(_RETRY, values)).one()[0])
        if opened:
            await cases.log(link, by, "sent again", row.id)
    return opened


async def template(database: AsyncEngine, row: Row[Any], by: By, outside: Outside) -> bool:
    """Ask the person to write, once until they do; False when there is no template. Raises TemplateWaits, NotSent."""
    if outside.template is None:
        return False
    async with database.begin() as link:  # written down first: two clicks are still one message
        await cases.locked(link, row.key)
        if (await link.execute(_WAITS, {"referral": row.id})).scalar():
            raise TemplateWaits
        await cases.log(link, by, _SENT, row.id)
    sent = False
    try:
        sent = await outside.template(row.channel, Outgoing(row.address, Reply(""), row.language, row.alias))
    finally:
        if not sent:
            async with single(database).connect() as reading:
                await cases.log(reading, by, _FAILED, row.id)
    return sent


async def show_typing(database: AsyncEngine, row: Row[Any], outside: Outside) -> None:
    """In the channel of the person, where it can be shown; a sign that may be missed."""
    if outside.typing is not None:
        async with single(database).connect() as link:
            last = (await link.execute(_LAST, {"talk": row.conversation_id})).scalar()
        try:
            await outside.typing(row.channel, Outgoing(row.address, Reply(""), row.language, row.alias, last))
        except NotSent:
            return
