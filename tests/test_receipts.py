"""Receipts with a real database: each kept once, in any order; a late failure finds its reply."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims, outbox, receipts
from bot.claims import Answer
from bot.commands.accounts import count
from bot.database import engine
from bot.inbox import Acceptor, Outcome
from bot.messages import Failure, Incoming, Kind, Receipt, Reply, Status
from bot.migrations.run import migrate
from bot.outbox import Sent
from tests.conftest import fresh_database

CHANNEL = "whatsapp"
_ROWS = """
    SELECT outcome, parked_at IS NOT NULL, platform_id, due_at > now() + interval '1 second', closed_at IS NOT NULL
    FROM outbox ORDER BY id
"""


@dataclass
class Talk:
    """One person, and the replies that were sent to them: wamid.1, wamid.2 ..."""

    database: AsyncEngine
    sent: int = 0
    asked: int = 0

    async def ask(self) -> None:
        """The person writes and is answered; the answer is not sent yet."""
        self.asked += 1
        await Acceptor(self.database).accept(Incoming(CHANNEL, f"q{self.asked}", "NL.1", Kind.TEXT, "hoi"))
        [claimed] = await claims.claim(self.database, worker=1, most=1)
        answer = Answer(Outcome.ANSWERED, (Reply(f"antwoord {self.asked}"),), "nl", "detected", None)
        await claims.finish(self.database, claimed, answer)

    async def send(self) -> str:
        """The oldest answer goes out; its id at the platform."""
        [waiting] = await outbox.claim(self.database, 1, [CHANNEL], 1)
        self.sent += 1
        await outbox.close(self.database, [Sent(waiting.outbox_id, outbox.SENT, f"wamid.{self.sent}")])
        return f"wamid.{self.sent}"

    async def told(self, *said: Receipt) -> None:
        await receipts.keep(self.database, said)

    async def rows(self, query: str = _ROWS) -> list[tuple[Any, ...]]:
        async with self.database.connect() as link:
            return [tuple(row) for row in await link.execute(text(query))]


@pytest.fixture(scope="module")
async def emptied(server: str) -> AsyncIterator[AsyncEngine]:
    async with fresh_database(server) as url:
        opened = engine(url)
        await migrate(opened)
        yield opened
        await opened.dispose()


@pytest.fixture
async def talk(emptied: AsyncEngine) -> Talk:
    async with emptied.begin() as link:
        await link.execute(text("TRUNCATE receipt, outbox, transcript, inbox, conversation RESTART IDENTITY CASCADE"))
    return Talk(emptied)


def failed(key: str, failure: Failure, code: int = 1) -> Receipt:
    return Receipt(CHANNEL, key, Status.FAILED, failure, str(code))


SENT_ROW = ("sent", False, "wamid.1", False, True)


async def test_each_once_in_any_order(talk: Talk) -> None:
    orders = list(
        permutations(Receipt(CHANNEL, "wamid.1", told) for told in (Status.SENT, Status.DELIVERED, Status.READ))
    )
    await talk.ask()
    await talk.send()
    for order in orders:
        await talk.told(*order, *order)
    await talk.told()
    kept = await talk.rows("SELECT status, count(*) FROM receipt GROUP BY 1 ORDER BY 1")
    assert kept == [("delivered", 1), ("read", 1), ("sent", 1)]
    assert await talk.rows() == [SENT_ROW]


# failure -> (outcome, parked, platform id, later, closed) of the reply it was told of
LATE: dict[Failure, tuple[Any, ...]] = {
    Failure.REFUSED: ("failed:refused", False, "wamid.1", True, True),
    Failure.BLOCKED: ("failed:blocked", False, "wamid.1", True, True),
    Failure.CLOSED: (None, False, None, False, False),  # the sender sees that the window is closed, and asks and parks
    Failure.SLOWER: (None, False, None, True, False),
    Failure.AWAY: (None, False, None, True, False),
    Failure.ALARM: (None, False, None, True, False),
}


@pytest.mark.parametrize("failure", LATE)
async def test_a_late_failure(talk: Talk, failure: Failure) -> None:
    await talk.ask()
    await talk.told(failed(await talk.send(), failure))
    [row] = await talk.rows()
    assert row[:3] + row[4:] == LATE[failure][:3] + LATE[failure][4:]
    assert row[0] is not None or row[3] is LATE[failure][3]
    await talk.told(failed("wamid.1", failure))  # told again: nothing more happens
    assert [again[:3] for again in await talk.rows()] == [row[:3]]
    assert (await count(talk.database)).problems == ()


async def test_a_failure_that_is_told_before_we_know_the_message(talk: Talk) -> None:
    await talk.ask()
    await talk.told(failed("wamid.1", Failure.REFUSED))
    assert (await talk.rows())[0][0] is None
    await talk.send()
    await receipts.apply(talk.database)
    assert (await talk.rows())[0][0] == "failed:refused"


async def test_of_another_channel_or_message(talk: Talk) -> None:
    await talk.ask()
    await talk.send()
    await talk.told(failed("wamid.2", Failure.REFUSED), Receipt("telegram", "wamid.1", Status.FAILED, Failure.REFUSED))
    assert await talk.rows() == [SENT_ROW]


async def test_a_closed_window_is_written_down(talk: Talk) -> None:
    """So the sender will not try before the person writes, and says so once."""
    await talk.ask()
    await talk.told(failed(await talk.send(), Failure.CLOSED))
    [waiting] = await outbox.claim(talk.database, 1, [CHANNEL], 1)
    assert waiting.silent_hours >= 24
    await outbox.close(talk.database, [Sent(waiting.outbox_id, None, parked=True)])
    assert await outbox.claim(talk.database, 1, [CHANNEL], 1) == []
    await talk.ask()
    [waiting] = await outbox.claim(talk.database, 1, [CHANNEL], 1)
    assert waiting.outgoing.reply.text == "antwoord 1" and waiting.silent_hours < 0.01


async def test_silence_never_gets_shorter(talk: Talk) -> None:
    await talk.ask()
    async with talk.database.begin() as link:
        await link.execute(text("UPDATE conversation SET heard_at = now() - interval '3 days'"))
    await talk.told(failed(await talk.send(), Failure.CLOSED))
    assert await talk.rows("SELECT heard_at < now() - interval '70 hours' FROM conversation") == [(True,)]


async def test_a_second_bubble_waits_with_the_parked_one(talk: Talk) -> None:
    for _ in range(2):
        await talk.ask()
        await talk.send()
    await talk.told(failed("wamid.2", Failure.CLOSED))
    [waiting] = await outbox.claim(talk.database, 1, [CHANNEL], 1)
    await outbox.close(talk.database, [Sent(waiting.outbox_id, None, parked=True)])
    await talk.told(failed("wamid.1", Failure.CLOSED))
    assert [row[1] for row in await talk.rows()] == [True, True]
    assert await outbox.claim(talk.database, 1, [CHANNEL], 2) == []


async def test_the_person_wrote_in_the_meantime(talk: Talk) -> None:
    """Then they are there: the window is open, and they are not blocked."""
    await talk.ask()
    await talk.send()
    await talk.ask()
    await talk.send()
    await talk.told(failed("wamid.1", Failure.CLOSED))
    [waiting] = await outbox.claim(talk.database, 1, [CHANNEL], 1)
    assert waiting.silent_hours < 1
    await talk.told(failed("wamid.1", Failure.BLOCKED))
    assert await talk.rows("SELECT blocked_at FROM conversation") == [(None,)]


async def test_nobody_there_any_more(talk: Talk) -> None:
    await talk.ask()
    await talk.told(failed(await talk.send(), Failure.BLOCKED, 131026))
    assert await talk.rows("SELECT blocked_at IS NOT NULL FROM conversation") == [(True,)]
    await talk.ask()  # they write again
    assert await talk.rows("SELECT blocked_at IS NOT NULL FROM conversation") == [(False,)]


async def test_what_fails_every_time_is_given_up(talk: Talk) -> None:
    await talk.ask()
    while (await talk.rows())[0][0] is None:
        async with talk.database.begin() as link:
            await link.execute(text("UPDATE outbox SET due_at = now()"))
        await talk.told(failed(await talk.send(), Failure.AWAY))
    assert talk.sent == 10
    assert (await talk.rows())[0][0] == "failed:away"
