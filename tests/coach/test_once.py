"""A browser that lost its connection sends the same request again by itself: it is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases
from bot.messages import Reply
from tests.coach import made


@pytest.fixture(scope="module")
async def desk(server: str) -> AsyncIterator[AsyncEngine]:
    async with made.fresh(server) as database:
        yield database


async def test_the_same_words_with_the_same_key_are_said_once(desk: AsyncEngine) -> None:
    key = await made.asked(desk, "samira")
    by = await made.coach(desk, "Fatima", await made.team(desk))
    await cases.take(desk, key, by)
    writing = (cases.write(desk, key, by, [Reply("Ik ben er.")], once="a") for _ in range(5))
    positions = set(await asyncio.gather(*writing))
    assert len(positions) == 1
    again = await cases.write(desk, key, by, [Reply("Ik ben er.")], once="b")  # said twice on purpose
    said = await made.rows(desk, "SELECT position FROM transcript WHERE author = 'coach' ORDER BY position")
    assert [row.position for row in said] == [*positions, again]
    await made.adds_up(desk)


async def test_a_note_is_kept_once(desk: AsyncEngine) -> None:
    key = await made.asked(desk, "bilal")
    by = await made.coach(desk, "Murat", await made.team(desk))
    for once in ("c", "c", "d", None, None):
        await cases.note(desk, key, by, "belde terug", once)
    assert len(await made.rows(desk, "SELECT 1 FROM note WHERE coach_id = :id", id=by.id)) == 4
