"""What tests share: a real PostgreSQL, the real Rasa side, and the bot on a real port."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import asyncpg
import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.commands import postgres, rasa_side
from bot.commands.serve import running
from bot.database import engine
from bot.messages import LANGUAGES
from bot.migrations.run import migrate
from bot.settings import Role, Settings, read
from bot.web import Web


@dataclass(frozen=True)
class Site:
    """The bot as a person's browser sees it, and the database behind it."""

    url: str
    web: Web
    database_url: str

    @property
    def database(self) -> AsyncEngine:
        return self.web.database


@pytest.fixture(scope="session")
def settings() -> Settings:
    return replace(read(), database_url=None, secret="only for tests")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server for the whole run."""
    with postgres.temporary() as url:
        yield url


@pytest.fixture(scope="session")
async def rasa_url(settings: Settings) -> AsyncIterator[str]:
    """The address of the Rasa side with the three trained models."""
    async with rasa_side.reachable(settings, LANGUAGES) as url:
        yield url


_numbers = iter(range(1, 10_000))


@contextlib.asynccontextmanager
async def fresh_database(server: str) -> AsyncIterator[str]:
    """The URL of an empty database on `server`."""
    name = f"test_{next(_numbers)}"
    link = await asyncpg.connect(server)
    await link.execute(f"CREATE DATABASE {name}")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        await link.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await link.close()


@pytest.fixture
async def database_url(server: str) -> AsyncIterator[str]:
    async with fresh_database(server) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A migrated, empty database without any worker."""
    opened = engine(database_url)
    await migrate(opened)
    yield opened
    await opened.dispose()


@contextlib.asynccontextmanager
async def serving(settings: Settings, database_url: str, port: int = 0, role: Role = Role.ALL) -> AsyncIterator[Site]:
    """The whole bot or its front, on a free port unless told which."""
    async with running(settings, database_url, role) as site:
        runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
            yield Site(f"http://127.0.0.1:{runner.addresses[0][1]}", site, database_url)
        finally:
            await runner.cleanup()


@pytest.fixture
async def site(settings: Settings, rasa_url: str, database_url: str) -> AsyncIterator[Site]:
    async with serving(replace(settings, nlu_url=rasa_url), database_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared_site(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Site]:
    """One bot for a whole file of tests that do not disturb each other."""
    async with fresh_database(server) as url, serving(replace(settings, nlu_url=rasa_url), url) as opened:
        yield opened
