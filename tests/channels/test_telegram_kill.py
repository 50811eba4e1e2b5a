"""kill -9 in the middle of batches: every message is answered exactly once and in order, none is lost.

Delivery is at least once: a kill between sending and marking may repeat one message in a chat, not more.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import engine
from tests.channels.telegram_bot import settled
from tests.channels.telegram_program import Program
from tests.conftest import fresh_database
from tests.fakes.telegram import Call, telegram
from tests.fakes.telegram_person import Person

PEOPLE = 6
QUESTIONS = ("/start", "/help", "/privacy", "/taal", "/stop")


class Nth:
    """The n-th call of one method since this was made."""

    def __init__(self, method: str, number: int) -> None:
        self._method, self._left = method, number

    def __call__(self, call: Call) -> bool:
        self._left -= call.method == self._method
        return self._left == 0


# One kill in each of the first rounds: with updates handed over and not confirmed, with messages taken and not marked.
KILLS = {
    "polling": (("getUpdates", 1), ("sendMessage", 2), ("sendMessage", 6)),
    "webhook": (("sendChatAction", 1), ("sendMessage", 3)),
}


async def test_killed_in_the_middle(rasa_url: str, server: str) -> None:
    async with asyncio.TaskGroup() as both:
        for mode in KILLS:
            both.create_task(kill_again_and_again(mode, rasa_url, server))


async def kill_again_and_again(mode: str, rasa_url: str, server: str) -> None:
    async with fresh_database(server) as database_url, telegram() as fake:
        database = engine(database_url)
        program = Program(fake, mode, database_url, rasa_url)
        people = [Person(fake) for _ in range(PEOPLE)]
        try:
            for number, question in enumerate(QUESTIONS):
                for person in people:
                    person.writes(question)
                if program.process is None:
                    program.start()
                if number < len(KILLS[mode]):
                    await program.killed(Nth(*KILLS[mode][number]))
            books = await settled(fake, database)
            transcripts = [await lines(database, person) for person in people]
            assert await program.stop() == 0
        finally:
            await database.dispose()
            if program.process:
                program.process.kill()
        assert books.inbox == {"command": PEOPLE * len(QUESTIONS)} and set(books.outbox) == {"sent"}
        for person, said in zip(people, transcripts, strict=True):
            assert [words for author, words in said if author == "person"] == list(QUESTIONS)
            assert [author for author, _ in said] == ["person", "assistant"] * len(QUESTIONS)
            answers = [words for author, words in said if author == "assistant"]
            assert 0 <= repeats(person.texts, answers) <= program.kills


async def lines(database: AsyncEngine, person: Person) -> list[tuple[str, str]]:
    query = """SELECT author, text FROM transcript t JOIN conversation c ON c.id = t.conversation_id
        WHERE c.address = :address ORDER BY t.position"""
    async with database.connect() as link:
        rows = await link.execute(text(query), {"address": str(person.id)})
        return [(author, words) for author, words in rows]


def repeats(delivered: list[str], answers: list[str]) -> int:
    """How many messages came a second time; fails when one is missing or out of order. Neighbours differ."""
    once = [words for number, words in enumerate(delivered) if not number or words != delivered[number - 1]]
    assert once == answers
    return len(delivered) - len(once)
