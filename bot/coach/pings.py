"""A nudge on Telegram to coaches who linked it: somebody waits. What it is about, never who it is or what was said.

Best effort and at most once per case and moment: what must not be lost is the queue at the desk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach.group_text import in_brief, link_to
from bot.coach.routing import Colleague, Request, ranked
from bot.database import TROUBLE, Bell, single
from bot.messages import NotSent

logger = logging.getLogger(__name__)

_EVERY = 2.0
_HOW_MANY = 3  # the best fitting ones hear of a new case; the whole team of one that nobody took

_NEW = text(
    """
    UPDATE referral SET pinged_at = now() WHERE id IN (
        SELECT id FROM referral WHERE state = 'waiting' AND pinged_at IS NULL
        ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED)
    RETURNING key, team_id, language, topic, area, age_group, urgent
    """
)
_ONE = text("SELECT key, team_id, language, topic, area, age_group, urgent FROM referral WHERE key = :key")
_TEAM = text(
    """
    SELECT c.id, c.name, c.languages, c.topics, c.areas, c.room, c.telegram_id,
        (SELECT count(*) FROM referral r WHERE r.coach_id = c.id AND r.state = 'taken') AS taken
    FROM coach c WHERE c.team_id = :team AND c.active AND c.role <> 'editor' AND c.telegram_id IS NOT NULL
    """
)


@dataclass(frozen=True)
class Pings:
    """`send` writes to one Telegram account (raises NotSent); `topics` gives (Dutch title, group) per topic."""

    database: AsyncEngine
    bell: Bell
    send: Callable[[int, str], Awaitable[None]]
    topics: Callable[[], Awaitable[Mapping[str, tuple[str, str]]]]
    desk: str

    async def run(self) -> None:
        """Until cancelled: tell of every new case once."""
        while True:
            try:
                if await self.bell.leads("pings"):
                    async with single(self.database).connect() as link:
                        cases = (await link.execute(_NEW)).all()
                    for case in cases:
                        await self._tell(case, "Er is een nieuwe vraag", _HOW_MANY)
            except TROUBLE as error:
                logger.warning("pings wait, no database: %s", type(error).__name__)
            await asyncio.sleep(_EVERY)

    async def overdue(self, key: str) -> None:
        """Nobody took it in time: the whole team hears of it."""
        async with single(self.database).connect() as link:
            case = (await link.execute(_ONE, {"key": key})).one_or_none()
        if case:
            await self._tell(case, "Deze vraag wacht te lang", None)

    async def _tell(self, case: Any, lead: str, most: int | None) -> None:
        title, group = (await self.topics()).get(case.topic or "", (None, None))
        async with single(self.database).connect() as link:
            rows = (await link.execute(_TEAM, {"team": case.team_id})).all()
        accounts = {row.id: row.telegram_id for row in rows}
        colleagues = [
            Colleague(r.id, r.name, tuple(r.languages), tuple(r.topics), tuple(r.areas), r.room, r.taken) for r in rows
        ]
        brief = in_brief(case.language, title, case.area, case.age_group, case.urgent)
        for colleague in ranked(Request(case.language, group, case.area), colleagues)[:most]:
            try:
                await self.send(accounts[colleague.id], f"{lead}: {brief}\n{link_to(self.desk, case.key)}")
            except NotSent as problem:
                logger.info("coach %d could not be pinged: %s", colleague.id, problem)
