"""The whole bot with a Telegram account, and the fake Telegram it talks to: by polling or by webhook."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels.telegram import Telegram
from bot.commands.accounts import Accounts, count
from bot.commands.rasa_side import free_port
from bot.messages import Limits
from bot.settings import Settings
from bot.settings import Telegram as Account
from tests.conftest import Site, serving
from tests.fakes.telegram import TOKEN, FakeTelegram, telegram
from tests.fakes.telegram_limits import Limits as Judge
from tests.fakes.telegram_person import Person

SECRET = "only-for-tests_0123456789"
PUBLIC = "https://tekkie.example"
PATH = "/webhooks/telegram"
HURRIED = replace(Telegram.limits, person_seconds=0.05)  # for what is not about pacing


@dataclass(frozen=True)
class Bot:
    """The bot and the fake; `site` is the real thing."""

    fake: FakeTelegram
    site: Site

    def person(self, language: str | None = "nl") -> Person:
        return Person(self.fake, language)

    async def outcome(self, update: int) -> str | None:
        """How an update ended: None when it never came in, "open" while it waits."""
        query = "SELECT coalesce(outcome, 'open') FROM inbox WHERE channel = 'telegram' AND external_id = :id"
        async with self.site.database.connect() as link:
            found: str | None = (await link.execute(text(query), {"id": str(update)})).scalar()
        return found

    async def closed(self, update: int) -> str:
        """How an update ended, once it has."""
        async with asyncio.timeout(20):
            while (outcome := await self.outcome(update)) in (None, "open"):
                await asyncio.sleep(0.02)
        return str(outcome)

    async def sendings(self, person: Person) -> list[str]:
        """How every reply to this person ended, in order, once all have."""
        await self.books()
        query = """SELECT coalesce(o.outcome, 'open') FROM outbox o JOIN conversation c ON c.id = o.conversation_id
            WHERE c.channel = 'telegram' AND c.address = :address ORDER BY o.id"""
        async with self.site.database.connect() as link:
            return list((await link.execute(text(query), {"address": str(person.id)})).scalars())

    async def books(self) -> Accounts:
        return await settled(self.fake, self.site.database)


async def settled(fake: FakeTelegram, database: AsyncEngine) -> Accounts:
    """The accounts once nothing is open any more: they must add up, and Telegram must have taken every call."""
    await fake.until(lambda: not fake.queue.pending, 60)
    async with asyncio.timeout(60):
        while "open" in (books := await count(database)).inbox or "open" in books.outbox:
            await asyncio.sleep(0.05)
    assert books.problems == ()
    assert not fake.refused, fake.refused
    assert not fake.limits.too_fast, fake.limits.too_fast
    return books


@contextlib.asynccontextmanager
async def polling(
    settings: Settings, rasa_url: str, database_url: str, limits: Limits = HURRIED, coach_group: int | None = None
) -> AsyncIterator[Bot]:
    """A bot that fetches its updates."""
    async with telegram(limits=judge(limits)) as fake:
        account = Account(TOKEN, SECRET, api_base=fake.url, coach_group=coach_group)
        async with started(fake, replace(settings, nlu_url=rasa_url, telegram=account), database_url, limits) as bot:
            yield bot


@contextlib.asynccontextmanager
async def by_webhook(
    settings: Settings, rasa_url: str, database_url: str, limits: Limits = HURRIED
) -> AsyncIterator[Bot]:
    """A bot that is called, behind a proxy that ends https."""
    async with telegram(limits=judge(limits)) as fake:
        port = free_port()
        fake.queue.doors[PUBLIC] = f"http://127.0.0.1:{port}"
        account = Account(TOKEN, SECRET, webhook=PUBLIC + PATH, api_base=fake.url)
        own = replace(settings, nlu_url=rasa_url, telegram=account)
        async with started(fake, own, database_url, limits, port) as bot:
            yield bot


@contextlib.asynccontextmanager
async def started(
    fake: FakeTelegram, settings: Settings, database_url: str, limits: Limits, port: int = 0
) -> AsyncIterator[Bot]:
    """A bot that has told Telegram how it wants its updates. `limits` hold for this bot only."""
    async with contextlib.AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Telegram, "limits", limits)
            site = await stack.enter_async_context(serving(settings, database_url, port))
            await fake.until(lambda: fake.of("getUpdates") or fake.of("setWebhook"))
        yield Bot(fake, site)


def judge(limits: Limits) -> Judge:
    return Judge(chat_seconds=limits.person_seconds)
