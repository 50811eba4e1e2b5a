"""The real bot with a fake WhatsApp behind it, and people who write to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from bot.commands.accounts import count
from bot.settings import Settings
from tests.conftest import Site, serving
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import FakeWhatsApp, choices, key_of, said
from tests.fakes.whatsapp_rules import Person

Json = dict[str, Any]
TEMPLATES = {"nl": "verder_nl", "tr": "verder_tr"}  # none for Arabic
OPEN = """
    SELECT (SELECT count(*) FROM inbox WHERE outcome IS NULL) + (SELECT count(*) FROM outbox o WHERE outcome IS NULL
        AND NOT EXISTS (SELECT FROM outbox p JOIN conversation c ON c.id = p.conversation_id
            WHERE p.conversation_id = o.conversation_id AND p.outcome IS NULL AND p.id <= o.id
            AND c.heard_at <= p.parked_at))
"""


@dataclass(frozen=True)
class Chat:
    """The bot on a real port, and the WhatsApp it uses."""

    site: Site
    fake: FakeWhatsApp

    async def settled(self, seconds: float = 20) -> None:
        """Until every message is answered and every answer is sent or parked."""
        async with asyncio.timeout(seconds):
            while await self.ask(OPEN):
                await self.fake.next_request(0.03)

    async def alarmed(self) -> None:
        """Until WhatsApp has refused our account once more for every answer that waits."""
        before = await self.ask("SELECT count(*) FROM outbox WHERE outcome IS NULL")
        refused = self.fake.refused
        await self.fake.until(lambda: self.fake.refused >= refused + before)

    async def ask(self, query: str, **values: object) -> Any:
        """The first value of a query."""
        async with self.site.database.connect() as link:
            return (await link.execute(text(query), values)).scalar()

    async def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        async with self.site.database.connect() as link:
            return [tuple(row) for row in await link.execute(text(query), values)]

    async def change(self, statement: str, **values: object) -> None:
        async with self.site.database.begin() as link:
            await link.execute(text(statement), values)

    async def checked(self) -> Mapping[str, int]:
        """The outcomes of the inbox; all sums add up and Meta would have taken every message."""
        books = await count(self.site.database)
        assert books.problems == ()
        assert self.fake.violations == []
        return books.inbox

    def phone(self, name: str, phone: str | None = None, user_id: str | None = None) -> Phone:
        return Phone(self, Person(name, phone, user_id))


@dataclass
class Phone:
    """Somebody's WhatsApp: what they write, press and see."""

    chat: Chat
    person: Person
    seen: int = 0

    async def write(self, content: Json | str, key: str | None = None) -> str:
        """Send one message; its id."""
        content = calls.text(content) if isinstance(content, str) else content
        message = calls.message(self.person, content, key)
        await self.chat.fake.deliver(calls.call(calls.value([self.person], messages=[message])))
        return str(message["id"])

    async def say(self, content: Json | str) -> list[Json]:
        """Send one message; what came back."""
        await self.write(content)
        await self.chat.settled()
        return self.new()

    async def press(self, title: str) -> list[Json]:
        """Press a button or a row of a list under one of the messages so far."""
        for bubble in reversed(self.got()):
            for shown, key in choices(bubble):
                if shown == title:
                    kind = "list_reply" if bubble["interactive"]["type"] == "list" else "button_reply"
                    return await self.say(calls.pressed(kind, key, title, key_of(self.chat.fake, bubble)))
        raise AssertionError(f"no button {title!r}")

    def got(self) -> list[Json]:
        """All messages this person got."""
        return self.chat.fake.taken(self.person)

    def new(self) -> list[Json]:
        """What came since the last look."""
        fresh = self.got()[self.seen :]
        self.seen += len(fresh)
        return fresh

    def words(self) -> list[str]:
        return [said(bubble) for bubble in self.got()]


@contextlib.asynccontextmanager
async def chatting(settings: Settings, rasa_url: str, database_url: str) -> AsyncIterator[Chat]:
    """The whole bot with a fake WhatsApp."""
    async with FakeWhatsApp(templates=TEMPLATES) as fake:
        ours = replace(settings, nlu_url=rasa_url, telegram=None, whatsapp=fake.account)
        async with serving(ours, database_url) as site:
            fake.webhook = f"{site.url}/webhooks/whatsapp"
            yield Chat(site, fake)
