"""Brings a database to the newest version of the tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK = 7_335_544  # one process migrates, the others wait


async def migrate(database: AsyncEngine) -> None:
    """Run what is missing; safe to call from several processes at once."""
    async with database.connect() as link:
        await link.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        await link.commit()
        try:
            await link.run_sync(_upgrade)
            await link.commit()
        finally:
            await link.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            await link.commit()


def _upgrade(link: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = link
    command.upgrade(config, "head")
