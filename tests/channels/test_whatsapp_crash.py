"""kill -9 of the real program while WhatsApp's batches come in and answers go out: nothing is lost or answered twice.

The fake kills it after a message was taken and before the answer, the worst moment there is: that message must come
again, and only that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.commands.accounts import count
from bot.commands.rasa_side import CALM, free_port
from bot.database import engine
from bot.settings import ROOT
from tests.channels.whatsapp_site import OPEN
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import SECRET, TOKEN, VERIFY, FakeWhatsApp, said
from tests.fakes.whatsapp_rules import Person

KILLS_AT = (3, 12, 13)  # messages that WhatsApp had taken by then
QUESTIONS = ("wat kost het", "kurs ne kadar sürüyor", "كم راتب المبرمج", "hoe word ik developer", "/taal")
PEOPLE = [Person(f"p{number}", f"316420000{number:02}", f"NL.42{number:02}") for number in range(8)]
Json = dict[str, Any]
_SAID = """
    SELECT t.author, t.text FROM transcript t JOIN conversation c ON c.id = t.conversation_id
    WHERE c.address = :address ORDER BY t.position
"""


class Program:
    """`python -m bot serve` in a process of its own, started again whenever it was killed."""

    def __init__(self, fake: FakeWhatsApp, database_url: str, nlu_url: str, folder: Path) -> None:
        self.port = free_port()
        self._environment = {
            **os.environ,
            **CALM,
            "PYTHONDONTWRITEBYTECODE": "",  # up again sooner
            "PYTHONPYCACHEPREFIX": str(folder),
            "DATABASE_URL": database_url,
            "NLU_URL": nlu_url,
            "TELEGRAM_BOT_TOKEN": "",
            "WHATSAPP_TOKEN": TOKEN,
            "WHATSAPP_PHONE_NUMBER_ID": calls.NUMBER_ID,
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": VERIFY,
            "WHATSAPP_API_BASE": fake.url,
        }
        self.kills = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bot", "serve", "--port", str(self.port)]
        return subprocess.Popen(command, cwd=ROOT, env=self._environment, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """kill -9, and up again."""
        self.process.kill()
        self.process.wait()
        self.kills += 1
        self.process = self._start()

    async def healthy(self) -> None:
        async with asyncio.timeout(120), aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.port}/health") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def program(fake: FakeWhatsApp, database_url: str, nlu_url: str, folder: Path) -> AsyncIterator[Program]:
    running = Program(fake, database_url, nlu_url, folder)
    try:
        await running.healthy()
        yield running
    finally:
        running.process.terminate()
        await asyncio.to_thread(running.process.wait, 20)


async def test_kill_9_in_the_middle_of_batches(rasa_url: str, database_url: str, tmp_path: Path) -> None:
    database = engine(database_url)
    async with FakeWhatsApp() as fake, program(fake, database_url, rasa_url, tmp_path) as bot:
        fake.webhook = f"http://127.0.0.1:{bot.port}/webhooks/whatsapp"

        async def kill_now_and_then(_payload: Json, _key: str) -> None:
            if len(fake.taken()) in KILLS_AT:
                bot.kill()

        fake.before_answer = kill_now_and_then
        await asyncio.gather(*(fake.deliver(body) for body in batches()))
        bot.kill()  # and once right after Meta was told that all had come in
        await until_settled(database)
        assert bot.kills == len(KILLS_AT) + 1
        for number, person in enumerate(PEOPLE):
            lines = await said_to(database, person)
            assert [words for author, words in lines if author == "person"] == asked_by(number)
            assert all(after[0] == "assistant" for before, after in pairwise(lines) if before[0] == "person")
            answers = [words for author, words in lines if author == "assistant"]
            assert repeats([said(payload) for payload in fake.taken(person)], answers) <= bot.kills
        books = await count(database)
        assert books.problems == () and not [name for name in books.inbox if name.startswith("dead")]
        assert fake.violations == []
    await database.dispose()


def asked_by(number: int) -> list[str]:
    return [QUESTIONS[(number + step) % len(QUESTIONS)] for step in range(5)]


def batches() -> list[Json]:
    """Each person's five messages in order, four people together in a call; the two calls come at the same time."""
    found = []
    for half in (PEOPLE[:4], PEOPLE[4:]):
        messages = [
            calls.message(person, calls.text(asked_by(PEOPLE.index(person))[step]))
            for step in range(5)
            for person in half
        ]
        found.append(calls.call(*(calls.value(half, messages=messages[at : at + 7]) for at in range(0, 20, 7))))
    return found


def repeats(came: list[str], said_once: list[str]) -> int:
    """How many of `came` are the one before again; the rest is `said_once` in order."""
    position = 0
    for words in came:
        if position < len(said_once) and words == said_once[position]:
            position += 1
        else:
            assert position and words == said_once[position - 1]
    assert position == len(said_once)
    return len(came) - len(said_once)


async def said_to(database: AsyncEngine, person: Person) -> list[tuple[str, str]]:
    async with database.connect() as link:
        return [(row.author, row.text) for row in await link.execute(text(_SAID), {"address": person.user_id})]


async def until_settled(database: AsyncEngine) -> None:
    async with asyncio.timeout(120), database.connect() as link:
        while (await link.execute(text(OPEN))).scalar():
            await link.rollback()
            await asyncio.sleep(0.1)
