"""Teams, coaches, people and cases for tests, made the way the program makes them; and what must always be true."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import claims
from bot.claims import Answer, Claim
from bot.coach import cases
from bot.coach.case import By, Wish
from bot.coach.hours import DAYS
from bot.commands.accounts import count
from bot.database import engine
from bot.handover import Mode
from bot.inbox import Acceptor, Outcome
from bot.messages import Incoming, Kind, Reply
from bot.migrations.run import migrate
from tests.conftest import fresh_database

WORKER = 1
ALWAYS: Mapping[str, Sequence[str]] = {day: ("00:00", "23:59") for day in DAYS}
NEVER: Mapping[str, Sequence[str]] = {}
WISH = Wish("cost", "ar", "40+", "Utrecht", "call in the morning", "+31 6 11", "Samira", "mother")
_numbers = itertools.count(1)


@contextlib.asynccontextmanager
async def fresh(server: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database for a whole file of tests that do not disturb each other."""
    async with fresh_database(server) as url:
        database = engine(url)
        await migrate(database)
        yield database
        await database.dispose()


async def rows(database: AsyncEngine, query: str, **values: object) -> Sequence[Row[Any]]:
    """What `query` gives."""
    async with database.connect() as link:
        return (await link.execute(text(query), values)).all()


async def change(database: AsyncEngine, statement: str, **values: object) -> None:
    """Something that only happens in tests, such as time going by."""
    async with database.begin() as link:
        await link.execute(text(statement), values)


async def team(
    database: AsyncEngine,
    hours: Mapping[str, Sequence[str]] = ALWAYS,
    areas: Sequence[str] = (),
    answer_hours: float = 4,
) -> int:
    """A team of its own name; its id."""
    insert = text(
        "INSERT INTO team (name, hours, areas, answer_hours) VALUES (:name, :hours, :areas, :answer_hours) RETURNING id"
    ).bindparams(bindparam("hours", type_=JSONB), bindparam("areas", type_=JSONB))
    values = {"name": f"team {next(_numbers)}", "hours": dict(hours), "areas": list(areas)}
    async with database.begin() as link:
        return int((await link.execute(insert, values | {"answer_hours": answer_hours})).scalar_one())


async def coach(database: AsyncEngine, name: str, team_id: int, telegram: int | None = None) -> By:
    """A coach of that team, perhaps with a Telegram account."""
    insert = text(
        "INSERT INTO coach (team_id, name, email, role, telegram_id)"
        " VALUES (:team, :name, :email, 'coach', :telegram) RETURNING id"
    )
    async with database.begin() as link:
        values = {"team": team_id, "name": name, "email": f"{name}.{next(_numbers)}@tekkie.test", "telegram": telegram}
        return By(int((await link.execute(insert, values)).scalar_one()), name)


async def says(database: AsyncEngine, address: str, words: str, channel: str = "webchat") -> Claim:
    """The person wrote, and a worker has the message."""
    number = next(_numbers)
    assert await Acceptor(database).accept(Incoming(channel, f"{address}:{number}", address, Kind.TEXT, words))
    return await claimed(database, address)


async def claimed(database: AsyncEngine, address: str) -> Claim:
    """The oldest open message of that person, as soon as nobody else holds the conversation; others are given back."""
    while True:
        taken = await claims.claim(database, WORKER, 1000)
        for other in taken:
            if other.incoming.address != address:
                await claims.release(database, other, 0.0, counted=False)
        if wanted := [claim for claim in taken if claim.incoming.address == address]:
            return wanted[0]
        await asyncio.sleep(0.01)


def answer(claim: Claim, *replies: str, language: str = "nl", outcome: str = Outcome.ANSWERED) -> Answer:
    return Answer(outcome, tuple(map(Reply, replies)), language, "detected", {"turn": claim.last_position})


async def talk(database: AsyncEngine, address: str, language: str = "nl", channel: str = "webchat") -> int:
    """A person whose first question was answered; the id of the conversation."""
    claim = await says(database, address, "vraag", channel)
    await claims.finish(database, claim, answer(claim, "antwoord", language=language))
    return claim.conversation_id


async def request(database: AsyncEngine, conversation_id: int, wish: Wish = WISH) -> str:
    """The key of the case."""
    async with database.begin() as link:
        return await cases.request(link, conversation_id, wish)


async def asked(database: AsyncEngine, address: str, language: str = "nl", channel: str = "webchat") -> str:
    """A person who waits for a coach; the key of the case."""
    return await request(database, await talk(database, address, language, channel))


async def writes_to_coach(database: AsyncEngine, address: str, words: str = "ben je daar?") -> None:
    """The person writes while a coach has the talk."""
    claim = await says(database, address, words)
    assert claim.mode == Mode.COACH

    async def within(link: AsyncConnection) -> None:
        await cases.heard(link, claim.conversation_id)

    heard = Answer(Outcome.TO_COACH, (), claim.language, claim.language_from, claim.dialogue, within=within)
    await claims.finish(database, claim, heard)


async def case(database: AsyncEngine, key: str) -> Any:
    """Every column of the case, with `mode` and `awaits` of its conversation."""
    query = (
        "SELECT r.*, c.mode, c.awaits FROM referral r JOIN conversation c ON c.id = conversation_id WHERE key = :key"
    )
    [row] = await rows(database, query, key=key)
    return row


async def said(database: AsyncEngine, key: str) -> Sequence[Row[Any]]:
    """The lines of the case's conversation, each with `sending`: whether it is in the outbox."""
    return await rows(
        database,
        """SELECT t.*, EXISTS (SELECT FROM outbox o WHERE o.transcript_id = t.id) AS sending FROM transcript t
        JOIN referral r ON r.conversation_id = t.conversation_id WHERE r.key = :key ORDER BY t.position""",
        key=key,
    )


async def audit(database: AsyncEngine, key: str) -> list[tuple[str, int | None]]:
    """(what, coach) of every line of the log about this case."""
    query = "SELECT what, coach_id FROM audit WHERE referral_id = :id ORDER BY id"
    return [(row.what, row.coach_id) for row in await rows(database, query, id=(await case(database, key)).id)]


_NEVER_TRUE = {
    "a conversation's mode is not that of its open case": """
        SELECT 1 FROM conversation c LEFT JOIN referral r ON r.conversation_id = c.id AND r.state <> 'closed'
        WHERE c.mode <> CASE r.state WHEN 'waiting' THEN 'waiting' WHEN 'taken' THEN 'coach' ELSE 'bot' END""",
    "taken without a coach, or waiting with one": """
        SELECT 1 FROM referral WHERE state <> 'closed' AND (state = 'taken') <> (coach_id IS NOT NULL)""",
    "closed without outcome or time, or open with one": """
        SELECT 1 FROM referral WHERE CASE WHEN state = 'closed' THEN num_nulls(closed_at, outcome) > 0
        ELSE num_nonnulls(closed_at, outcome) > 0 END""",
    "a coach's line without a name, or a name on another's line": """
        SELECT 1 FROM transcript WHERE (author = 'coach') <> (coach IS NOT NULL)""",
}


async def adds_up(database: AsyncEngine) -> None:
    """The accounts, and what is true of cases whatever happens."""
    assert (await count(database)).problems == ()
    for what, query in _NEVER_TRUE.items():
        assert await rows(database, query) == [], what
