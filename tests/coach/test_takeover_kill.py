"""kill -9 at any moment of a takeover: nothing that either side wrote is lost or said twice, one coach has the case.

The person is on Telegram, two coaches are at the desk; their pages come again with the same Idempotency-Key, as when a
line breaks. Delivery is at least once: each kill may repeat one message in the chat.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import sessions
from bot.database import engine
from bot.migrations.run import migrate
from tests.channels.telegram_bot import settled
from tests.channels.telegram_program import Program
from tests.channels.test_telegram_kill import repeats
from tests.coach import made
from tests.coach.world import Browser
from tests.fakes.telegram import telegram
from tests.fakes.telegram_person import Person

ROUNDS = 4
SEED = 20_261_126


@dataclass
class Takeover:
    """One case that waits, two coaches, and a program that is killed while they work."""

    program: Program
    database: AsyncEngine
    person: Person
    key: str
    coaches: dict[int, Browser]
    dice: random.Random

    async def killed_during(self, *works: Awaitable[object]) -> list[object]:
        """What the works gave, though the program was killed while they ran, and started again."""
        running = asyncio.gather(*works)
        await asyncio.sleep(self.dice.uniform(0.0, 0.12))
        self.program.kill()
        await asyncio.sleep(0.05)
        self.program.start()
        return list(await running)

    async def insists(self, coach: int, action: str, **body: object) -> int:
        """The status of a change at the desk, asked for until it is answered."""
        browser, once = self.coaches[coach], uuid.uuid4().hex
        headers = {"X-CSRF-Token": browser.csrf, "Idempotency-Key": once}
        url = f"{browser.url}/desk/api/cases/{self.key}/{action}"
        async with asyncio.timeout(60):
            while True:
                try:
                    async with browser.session.post(url, json=body, headers=headers) as answer:
                        return answer.status
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)

    async def heard(self, words: str) -> None:
        """Until what the person wrote is in the case."""
        async with asyncio.timeout(60):
            while words not in await self.lines("person"):
                await asyncio.sleep(0.05)

    async def lines(self, author: str) -> list[str]:
        return [line.text for line in await made.said(self.database, self.key) if line.author == author]


@pytest.fixture
async def takeover(rasa_url: str, database_url: str) -> AsyncIterator[Takeover]:
    async with telegram() as fake:
        database = engine(database_url)
        await migrate(database)
        team = await made.team(database)
        program = Program(fake, "polling", database_url, rasa_url)
        url = f"http://127.0.0.1:{program.port}"
        person, coaches = Person(fake), dict[int, Browser]()
        for name in ("Fatima", "Kees"):
            by = await made.coach(database, name, team)
            coaches[by.id] = await Browser(url, name).__aenter__()
            coaches[by.id].keep(await sessions.start(database, by.id, None))
        program.start()
        try:
            await person.says("/help")
            [talk] = await made.rows(database, "SELECT id FROM conversation")
            key = await made.request(database, talk.id)
            await person.hears()  # that it was passed on
            yield Takeover(program, database, person, key, coaches, random.Random(SEED))
        finally:
            for browser in coaches.values():
                await browser.session.close()
            if program.process:
                await program.stop()
            await database.dispose()


async def test_killed_at_any_moment(takeover: Takeover) -> None:
    one, other = takeover.coaches
    statuses = await takeover.killed_during(takeover.insists(one, "take"), takeover.insists(other, "take"))
    assert sorted(map(str, statuses)) == ["200", "409"]
    owner = (await made.case(takeover.database, takeover.key)).coach_id
    assert owner == (one if statuses[0] == 200 else other)

    for number in range(ROUNDS):
        takeover.person.writes(f"vraag {number}")
        [status] = await takeover.killed_during(takeover.insists(owner, "write", text=f"antwoord {number}"))
        assert status == 200
        await takeover.heard(f"vraag {number}")
    [status] = await takeover.killed_during(takeover.insists(owner, "hand_back"))
    assert status == 200

    await settled(takeover.person.fake, takeover.database)
    assert [line for line in await takeover.lines("person") if line.startswith("vraag")] == [
        f"vraag {number}" for number in range(ROUNDS)
    ]
    assert await takeover.lines("coach") == [f"antwoord {number}" for number in range(ROUNDS)]
    case = await made.case(takeover.database, takeover.key)
    assert (case.state, case.mode, case.coach_id) == ("closed", "bot", owner)
    taken = await made.rows(takeover.database, "SELECT coach_id FROM audit WHERE what = 'taken'")
    assert [row.coach_id for row in taken] == [owner]
    sent = [line.text for line in await made.said(takeover.database, takeover.key) if line.sending]
    heard = [text.split(":\n", 1)[-1] if text.startswith("👤") else text for text in takeover.person.texts]
    assert 0 <= repeats(heard, sent) <= takeover.program.kills
