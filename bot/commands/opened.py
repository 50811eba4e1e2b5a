"""The database in use, for commands that look into it from outside a running Tekkie."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.commands import postgres, rasa_side
from bot.database import engine
from bot.migrations.run import migrate
from bot.settings import Settings


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """DATABASE_URL, the database of a running `./tekkie up`, or the embedded one, started for the moment."""
    url, embedded = settings.database_url, None
    if url is None:
        running = rasa_side.running_instance(settings.folder)
        embedded = None if running else postgres.Embedded(settings.folder / "postgres")
        url = running["database_url"] if running else embedded.url if embedded else ""
    await postgres.check(url)
    found = engine(url)
    try:
        await migrate(found)
        yield found
    finally:
        await found.dispose()
        if embedded:
            embedded.stop()
