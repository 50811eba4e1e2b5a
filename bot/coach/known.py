"""Whether any coach has ever come in: asked with every message, so remembered for some seconds."""

from __future__ import annotations

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import single

_SECONDS = 5.0
_ANY = text("SELECT EXISTS (SELECT FROM coach WHERE active AND password_hash IS NOT NULL AND role <> 'editor')")


class Known:
    """`await known()` is True when somebody could take a case."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._asked = 0.0
        self._found = False

    async def __call__(self) -> bool:
        if time.monotonic() - self._asked > _SECONDS:
            async with single(self._database).connect() as link:
                self._found = bool((await link.execute(_ANY)).scalar())
            self._asked = time.monotonic()
        return self._found
