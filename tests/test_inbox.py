"""Inbox and claims with a real database: accepted once, one at a time, in order, closed once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims
from bot import transcript as said
from bot.claims import Answer, LostClaim
from bot.commands.accounts import count
from bot.database import Bell, free_dead_claims
from bot.inbox import Acceptor, Outcome
from bot.messages import Author, Button, Incoming, Kind, Reply
from bot.tables import inbox as rows
from bot.tables import outbox, transcript

ANSWER = Answer(Outcome.ANSWERED, (Reply("dag"),), "nl", "detected", {"version": 1})


def message(number: int, address: str = "anna") -> Incoming:
    return Incoming("webchat", f"{address}:{number}", address, Kind.TEXT, f"vraag {number}")


async def accept(database: AsyncEngine, *messages: Incoming) -> list[bool]:
    acceptor = Acceptor(database)
    return list(await asyncio.gather(*(acceptor.accept(m) for m in messages)))


async def test_a_repeat_is_acknowledged_and_ignored(database: AsyncEngine) -> None:
    assert await accept(database, message(1), message(1), message(2)) == [True, False, True]
    assert await accept(database, message(2), message(3)) == [False, True]
    assert (await count(database)).inbox == {"open": 3}


async def test_one_at_a_time_and_in_order(database: AsyncEngine) -> None:
    await accept(database, message(1), message(2), message(1, "bilal"))
    first = await claims.claim(database, worker=1, most=10)
    assert [c.incoming.external_id for c in first] == ["anna:1", "bilal:1"]
    assert await claims.claim(database, worker=2, most=10) == []
    await claims.finish(database, first[0], ANSWER)
    second = await claims.claim(database, worker=2, most=10)
    assert [c.incoming.external_id for c in second] == ["anna:2"]
    assert second[0].dialogue == {"version": 1}
    assert second[0].last_position == 2


async def test_buttons_stay_offered_until_the_person_writes(database: AsyncEngine) -> None:
    asked = replace(ANSWER, replies=(Reply("hielp dit?", (Button("ja", "/affirm"),)),))
    await accept(database, message(1))
    [first] = await claims.claim(database, worker=1, most=1)
    await claims.finish(database, first, asked)
    async with database.begin() as link:  # a timer says something in between
        await said.append(link, first.conversation_id, [Reply("even geduld")], Author.ASSISTANT)
    await accept(database, message(2))
    [second] = await claims.claim(database, worker=1, most=1)
    assert [button.title for button in second.offered] == ["ja"]
    await claims.finish(database, second, ANSWER)
    await accept(database, message(3))
    [third] = await claims.claim(database, worker=1, most=1)
    assert third.offered == ()


async def test_many_workers_never_share_a_conversation(database: AsyncEngine) -> None:
    people = [f"p{n}" for n in range(12)]
    await accept(database, *(message(n, person) for n in range(4) for person in people))

    async def work(worker: int) -> None:
        for _ in range(200):
            taken = await claims.claim(database, worker, 3)
            for claimed in taken:
                await claims.finish(database, claimed, ANSWER)

    await asyncio.gather(*(work(worker) for worker in range(1, 7)))
    books = await count(database)
    assert books.inbox == {"answered": 48}
    assert books.problems == ()
    async with database.connect() as link:
        said = (await link.execute(select(transcript.c.conversation_id, transcript.c.text).order_by("position"))).all()
    for person in {row.conversation_id for row in said}:
        questions = [row.text for row in said if row.conversation_id == person and row.text.startswith("vraag")]
        assert questions == [f"vraag {n}" for n in range(4)]


async def test_a_claim_taken_back_saves_nothing(database: AsyncEngine) -> None:
    await accept(database, message(1))
    [slow] = await claims.claim(database, worker=1, most=1)
    assert await free_dead_claims(database) == 1  # worker 1 holds no lock: it is dead
    [quick] = await claims.claim(database, worker=2, most=1)
    assert (quick.inbox_id, quick.attempts) == (slow.inbox_id, 2)
    with pytest.raises(LostClaim):
        await claims.finish(database, slow, ANSWER)
    await claims.finish(database, quick, ANSWER)
    with pytest.raises(LostClaim):
        await claims.finish(database, quick, ANSWER)
    assert (await count(database)).problems == ()


async def test_a_living_worker_keeps_its_claim(database: AsyncEngine, database_url: str) -> None:
    bell = Bell(database_url)
    ready = asyncio.Event()

    async def mark_ready() -> None:
        ready.set()

    listening = asyncio.create_task(bell.listen(mark_ready))
    await ready.wait()
    await accept(database, message(1))
    await claims.claim(database, bell.worker, most=1)
    assert await free_dead_claims(database) == 0
    listening.cancel()
    await asyncio.wait([listening])
    for _ in range(50):
        if await free_dead_claims(database) == 1:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the claim of a worker that is gone was never freed")


async def test_released_messages_come_back_and_remember_their_attempts(database: AsyncEngine) -> None:
    await accept(database, message(1), message(2))
    [claimed] = await claims.claim(database, worker=1, most=1)
    await claims.release(database, claimed, seconds=60, counted=True)
    assert await claims.claim(database, worker=1, most=1) == []  # the second waits for the first
    await _due_now(database)
    [again] = await claims.claim(database, worker=1, most=1)
    assert again.attempts == 2
    await claims.release(database, again, seconds=0, counted=False)
    [third] = await claims.claim(database, worker=1, most=1)
    assert third.attempts == 2


async def test_only_phone_channels_have_something_to_send(database: AsyncEngine) -> None:
    on_phone = replace(message(1, "bilal"), channel="whatsapp")
    await accept(database, message(1), on_phone)
    for claimed in await claims.claim(database, worker=1, most=2):
        await claims.finish(database, claimed, ANSWER)
        async with database.begin() as link:
            await said.append(link, claimed.conversation_id, [Reply("nog iets")], Author.ASSISTANT)
    books = await count(database)
    assert (books.outbox, books.problems) == ({"sent": 2, "open": 2}, ())
    async with database.connect() as link:
        sent = select(outbox.c.channel).where(outbox.c.outcome == "sent", outbox.c.closed_at.is_not(None))
        assert set((await link.execute(sent)).scalars()) == {"webchat"}


async def test_somebody_who_floods_is_paused(database: AsyncEngine) -> None:
    await accept(database, *(message(n) for n in range(7)))
    [first] = await claims.claim(database, worker=1, most=1)
    assert first.waiting == 6
    await claims.finish(database, first, ANSWER)
    assert await claims.claim(database, worker=1, most=1) == []


async def test_text_leaves_the_inbox_when_it_is_closed(database: AsyncEngine) -> None:
    await accept(database, message(1))
    [claimed] = await claims.claim(database, worker=1, most=1)
    await claims.finish(database, claimed, ANSWER)
    async with database.connect() as link:
        assert (await link.execute(select(rows.c.text))).scalar() is None


async def test_accepting_without_a_database_fails_aloud(database: AsyncEngine, database_url: str) -> None:
    acceptor = Acceptor(database)
    async with database.begin() as link:
        await link.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
    with pytest.raises(Exception, match="inbox") as failure:
        await acceptor.accept(message(1))
    assert "vraag" not in str(failure.value)  # nor would a log line quote the message
    async with database.begin() as link:
        await link.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))
    assert await acceptor.accept(message(1))


async def test_bells_ring_for_new_rows(database: AsyncEngine, database_url: str) -> None:
    link = await asyncpg.connect(database_url)
    heard: list[str] = []
    for bell in ("inbox", "outbox", "transcript"):
        await link.add_listener(bell, lambda _c, _p, channel, _x: heard.append(channel))
    await accept(database, message(1))
    [claimed] = await claims.claim(database, worker=1, most=1)
    await claims.finish(database, claimed, ANSWER)
    await link.execute("SELECT 1")
    await link.close()
    assert sorted(set(heard)) == ["inbox", "outbox", "transcript"]


async def _due_now(database: AsyncEngine) -> None:
    async with database.begin() as link:
        await link.execute(text("UPDATE inbox SET due_at = now()"))


async def test_one_that_cannot_be_stored_spoils_no_other(database: AsyncEngine) -> None:
    acceptor = Acceptor(database)
    broken = Incoming("webchat", "bilal:1", "bilal", Kind.TEXT, "geheim \x00")
    accepting = (acceptor.accept(m) for m in (message(1), broken, message(2)))
    first, second, third = await asyncio.gather(*accepting, return_exceptions=True)
    assert (first, third) == (True, True)
    assert isinstance(second, Exception)
    assert "geheim" not in str(second)  # nor would a log line quote the message
    assert (await count(database)).inbox == {"open": 2}
