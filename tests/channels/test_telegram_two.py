"""Two bot processes on one database, with one account: one fetches, one sends, and each takes over from the other."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from bot.commands.accounts import count
from bot.settings import Settings, Telegram
from tests.channels.telegram_bot import SECRET, Bot
from tests.conftest import serving
from tests.fakes.telegram import TOKEN, FakeTelegram, telegram


def clients(fake: FakeTelegram, *methods: str) -> set[str]:
    return {call.client for call in fake.calls if call.method in methods}


async def test_two_processes(settings: Settings, rasa_url: str, database_url: str) -> None:
    async with telegram() as fake, contextlib.AsyncExitStack() as second, contextlib.AsyncExitStack() as first:
        opened = {}
        for name, stack in (("first", first), ("second", second)):
            account = Telegram(TOKEN, SECRET, api_base=f"{fake.url}/{name}")
            own = replace(settings, nlu_url=rasa_url, telegram=account)
            opened[name] = Bot(fake, await stack.enter_async_context(serving(own, database_url)))
            await fake.until(lambda: fake.of("getUpdates"))
        people = [opened["first"].person() for _ in range(6)]
        for words in ("/help", "/taal"):
            for person in people:
                person.writes(words)
        for person in people:
            await person.hears(2)
        await opened["first"].books()
        assert clients(fake, "getUpdates") == clients(fake, "sendMessage") == {"first"}
        await first.aclose()
        fake.calls.clear()
        for person in people:
            person.writes("/privacy")
        for person in people:
            await person.hears()
        books = await opened["second"].books()
        assert clients(fake, "getUpdates", "sendMessage") == {"second"}
        assert books.inbox == {"command": 18} and books.outbox == {"sent": 18}
        assert (await count(opened["second"].site.database)).problems == ()
