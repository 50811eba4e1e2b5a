"""Typing signs between somebody on the web page and their coach; nothing is kept of them."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach.live import PRESENCE
from bot.database import single

_PERSON = text(
    f"""
    SELECT pg_notify('{PRESENCE}', json_build_object('coach', 0, 'name', 'person', 'key', key, 'typing', true)::text)
    FROM referral WHERE conversation_id = :talk AND state = 'taken'
    """
)
_COACH = text("SELECT pg_notify('typing', :address)")


async def person_types(database: AsyncEngine, conversation: int) -> None:
    """The desks of the case hear of it (live.py), if a coach has it."""
    async with single(database).connect() as link:
        await link.execute(_PERSON, {"talk": conversation})


async def coach_types(database: AsyncEngine, address: str) -> None:
    """The page of this person hears of it (bot/web.py)."""
    async with single(database).connect() as link:
        await link.execute(_COACH, {"address": address})
