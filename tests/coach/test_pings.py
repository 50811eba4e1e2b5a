"""Pings on Telegram: who hears of a case, how often, and what they do not hear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import pings
from bot.coach.pings import Pings
from bot.database import Bell
from bot.messages import Failure, NotSent
from tests.coach import made


@dataclass
class Phones:
    """What arrives on the phones of coaches; those in `away` get nothing."""

    heard: list[tuple[int, str]] = field(default_factory=list)
    away: set[int] = field(default_factory=set)

    async def send(self, account: int, words: str) -> None:
        if account in self.away:
            raise NotSent(Failure.BLOCKED, "test")
        self.heard.append((account, words))

    async def until(self, count: int) -> list[tuple[int, str]]:
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                await asyncio.sleep(0.02)
        return self.heard


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
async def pinging(
    database: AsyncEngine, database_url: str, phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pings]:
    """Pings at work."""

    async def topics() -> dict[str, tuple[str, str]]:
        return {"cost": ("Wat kost het?", "money")}

    async def ready() -> None:
        return None

    monkeypatch.setattr(pings, "_EVERY", 0.05)
    bell = Bell(database_url)
    made_of = Pings(database, bell, phones.send, topics, "https://tekkie.example")
    works = [asyncio.create_task(bell.listen(ready)), asyncio.create_task(made_of.run())]
    yield made_of
    for work in works:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def test_the_best_three_hear_once_of_a_new_case(pinging: Pings, phones: Phones, database: AsyncEngine) -> None:
    team = await made.team(database)
    for number in range(5):
        await made.coach(database, f"Coach {number}", team, 100 + number)
    await made.change(database, """UPDATE coach SET languages = '["nl", "ar"]' WHERE telegram_id IN (101, 103)""")
    key = await made.asked(database, "samira", "ar")
    heard = await phones.until(3)
    await asyncio.sleep(0.3)
    assert len(heard) == 3
    assert {101, 103} <= {account for account, _ in heard}
    for _, words in heard:
        assert words.startswith("Er is een nieuwe vraag: Arabisch · Wat kost het?")
        assert words.endswith(f"https://tekkie.example/desk/case/{key}")


async def test_nothing_that_says_who_it_is(pinging: Pings, phones: Phones, database: AsyncEngine) -> None:
    await made.coach(database, "Fatima", await made.team(database), 100)
    await made.asked(database, "+31 6 4455 6677", channel="whatsapp")
    [(_, words)] = await phones.until(1)
    wish = made.WISH
    for private in ("4455", "vraag\n", str(wish.first_name), str(wish.contact)):
        assert private not in words


async def test_one_who_blocked_us_keeps_nobody_from_hearing(
    pinging: Pings, phones: Phones, database: AsyncEngine
) -> None:
    team = await made.team(database)
    for account in (100, 101):
        await made.coach(database, f"Coach {account}", team, account)
    phones.away.add(100)
    await made.asked(database, "samira")
    assert [account for account, _ in await phones.until(1)] == [101]


async def test_the_whole_team_hears_of_one_that_waits_too_long(
    pinging: Pings, phones: Phones, database: AsyncEngine
) -> None:
    team = await made.team(database)
    for account in range(100, 105):
        await made.coach(database, f"Coach {account}", team, account)
    key = await made.asked(database, "samira")
    await phones.until(3)
    phones.heard.clear()
    await pinging.overdue(key)
    assert {account for account, _ in phones.heard} == set(range(100, 105))
    assert all(words.startswith("Deze vraag wacht te lang") for _, words in phones.heard)


async def test_a_case_that_is_gone_pings_nobody(pinging: Pings, phones: Phones) -> None:
    await pinging.overdue("no such key")
    assert phones.heard == []
