"""Somebody who talks over any channel, for tests of a whole arc: writes, presses a button by its title, reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import text

from bot.settings import Settings
from tests.channels.telegram_bot import polling
from tests.channels.whatsapp_site import Phone, chatting
from tests.conftest import Site, serving
from tests.fakes.telegram_person import Person as TelegramPerson
from tests.visitor import Visitor

CHANNELS = ("webchat", "telegram", "whatsapp")
_OPEN = (
    "SELECT (SELECT count(*) FROM inbox WHERE outcome IS NULL) + (SELECT count(*) FROM outbox WHERE outcome IS NULL)"
)


class Hands(Protocol):
    """What somebody does in one channel; `seen` is everything they were sent, oldest first."""

    async def write(self, words: str) -> None: ...

    async def press(self, title: str) -> None: ...

    async def seen(self) -> list[str]: ...


@dataclass(frozen=True)
class OnTheWeb:
    visitor: Visitor

    async def write(self, words: str) -> None:
        assert await self.visitor.post(words) == 202

    async def press(self, title: str) -> None:
        lines = (await self.visitor.history())["lines"]
        found = [b["payload"] for line in lines for b in line["buttons"] if b["title"] == title]
        assert await self.visitor.post(title, found[-1]) == 202

    async def seen(self) -> list[str]:
        lines = (await self.visitor.history())["lines"]
        return [f"{line['coach'] or ''} {line['text']}" for line in lines if line["author"] != "person"]


@dataclass(frozen=True)
class OnTelegram:
    person: TelegramPerson

    async def write(self, words: str) -> None:
        self.person.writes(words)
        await self.person.fake.until(lambda: not self.person.fake.queue.pending)

    async def press(self, title: str) -> None:
        self.person.presses(title)
        await self.person.fake.until(lambda: not self.person.fake.queue.pending)

    async def seen(self) -> list[str]:
        return self.person.texts


@dataclass(frozen=True)
class OnWhatsApp:
    phone: Phone

    async def write(self, words: str) -> None:
        await self.phone.write(words)

    async def press(self, title: str) -> None:
        await self.phone.press(title)

    async def seen(self) -> list[str]:
        return self.phone.words()


@dataclass(frozen=True)
class Talker:
    """One person, and the bot they talk to."""

    site: Site
    hands: Hands

    async def write(self, words: str) -> str:
        """Everything that was said since, in one text."""
        before = len(await self.hands.seen())
        await self.hands.write(words)
        return await self.heard(before)

    async def press(self, title: str) -> str:
        before = len(await self.hands.seen())
        await self.hands.press(title)
        return await self.heard(before)

    async def heard(self, before: int) -> str:
        """What came after the first `before` messages, once nothing is open any more."""
        async with asyncio.timeout(30):
            while await self.ask(_OPEN):
                await asyncio.sleep(0.03)
        return "\n".join((await self.hands.seen())[before:])

    async def said(self) -> int:
        return len(await self.hands.seen())

    async def ask(self, query: str) -> object:
        async with self.site.database.connect() as link:
            return (await link.execute(text(query))).scalar()


@contextlib.asynccontextmanager
async def talking(
    channel: str, settings: Settings, rasa_url: str, database_url: str, language: str
) -> AsyncIterator[Talker]:
    """A bot with one channel, and somebody who uses it."""
    async with contextlib.AsyncExitStack() as stack:
        if channel == "telegram":
            bot = await stack.enter_async_context(polling(settings, rasa_url, database_url))
            yield Talker(bot.site, OnTelegram(bot.person(language)))
        elif channel == "whatsapp":
            chat = await stack.enter_async_context(chatting(settings, rasa_url, database_url))
            yield Talker(chat.site, OnWhatsApp(chat.phone("Samira", "31612345678")))
        else:
            site = await stack.enter_async_context(serving(settings, database_url))
            yield Talker(site, OnTheWeb(await stack.enter_async_context(Visitor(site.url))))
