"""Cases that changed, read once for every desk that is open: twenty pages that fetched their list again would be twenty
times the work, for each message of a person."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ARRAY, Integer, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import reading
from bot.coach.cards import Cards
from bot.coach.reading import Fitting, Json, Setting
from bot.database import single

# For whoever has read in it; for everybody else all of it is unread.
_UNREAD = text(
    f"""
    SELECT r.key, s.coach_id, {reading.UNREAD} AS unread FROM referral r
    JOIN seen s ON s.referral_id = r.id AND s.coach_id = ANY(:coaches) {reading.ENDED}
    WHERE r.key = ANY(:keys)
    """
).bindparams(bindparam("keys", type_=ARRAY(Text)), bindparam("coaches", type_=ARRAY(Integer)))


@dataclass(frozen=True)
class Changed:
    """The Case of the desk's API as everybody sees it, and what differs: how much each coach has not read."""

    case: Json
    unread: Mapping[int, int]

    def seen_by(self, coach_id: int) -> Json:
        return {**self.case, "unread": self.unread.get(coach_id, self.case["unread"])}


@dataclass(frozen=True)
class Changes:
    """What reading a case needs."""

    database: AsyncEngine
    cards: Cards
    windows: Mapping[str, float]

    async def read(self, keys: Collection[str], coaches: Collection[int]) -> dict[str, Changed]:
        """The cases under these keys, whoever may see them: the caller decides who is told."""
        setting = Setting(await self.cards.topics(), self.windows, datetime.datetime.now(datetime.UTC))
        async with single(self.database).connect() as link:
            rows = (await link.execute(reading.CHANGED, {"me": 0, "keys": list(keys)})).all()
            counts = (await link.execute(_UNREAD, {"keys": list(keys), "coaches": list(coaches)})).all()
        fitting = Fitting(await reading.colleagues(self.database), setting.topics)
        unread: dict[str, dict[int, int]] = {key: {} for key in keys}
        for row in counts:
            unread[row.key][row.coach_id] = row.unread
        return {row.key: Changed(reading.as_json(row, setting, fitting), unread[row.key]) for row in rows}
