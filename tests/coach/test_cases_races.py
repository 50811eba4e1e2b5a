"""Coaches, a person, the assistant and the clock at the same moment: one owner, every line in a place of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims
from bot.claims import LostClaim
from bot.coach import cases
from bot.coach.case import By, NotYours
from bot.handover import Mode, NotPossible
from bot.inbox import Outcome
from bot.messages import Author, Reply
from bot.phrases import say
from bot.transcript import append
from tests.coach import acts, made
from tests.coach.acts import ACTIONS, Desk


@pytest.fixture(scope="module")
async def database(server: str) -> AsyncIterator[AsyncEngine]:
    async with made.fresh(server) as opened:
        yield opened


@pytest.fixture
async def desk(database: AsyncEngine) -> Desk:
    return await acts.desk(database)


async def test_ten_coaches_want_one_case(database: AsyncEngine, desk: Desk) -> None:
    key = await made.asked(database, "wanted", "tr")
    coaches = [await made.coach(database, f"Coach {number}", desk.team) for number in range(10)]
    ends = await asyncio.gather(*(cases.take(database, key, by) for by in coaches), return_exceptions=True)
    [winner] = [by for by, end in zip(coaches, ends, strict=True) if end is None]
    assert sum(isinstance(end, NotPossible) for end in ends) == 9
    row = await made.case(database, key)
    assert (row.coach_id, row.state, row.mode) == (winner.id, "taken", "coach")
    assert await made.audit(database, key) == [("requested", None), ("taken", winner.id)]
    joined = [line.text for line in await made.said(database, key) if "sohbete katıldı" in line.text]
    assert joined == [say("coach_joins", "tr").format(coach=winner.name)]
    await made.adds_up(database)


async def test_many_hands_on_one_case_leave_exactly_one_owner(database: AsyncEngine, desk: Desk) -> None:
    """Taking, giving back, closing, cancelling and asking again, all at once and again and again."""
    key = await made.asked(database, "popular")
    conversation = (await made.case(database, key)).conversation_id

    async def hands(by: By, other: By) -> None:
        for _ in range(4):
            for act in (
                cases.take(database, key, by),
                cases.pass_on(database, key, by, other),
                cases.give_back(database, key, by),
                cases.close(database, key, by, "helped"),
                cases.reopen(database, key, by),
            ):
                try:
                    await act
                except (NotPossible, NotYours):
                    continue

    async def person() -> None:
        for _ in range(4):
            try:
                async with database.begin() as link:
                    await cases.cancel(link, conversation)
                await made.request(database, conversation)
            except NotPossible:
                continue

    await asyncio.gather(hands(desk.fatima, desk.mehmet), hands(desk.mehmet, desk.fatima), person(), person())
    await made.adds_up(database)


async def test_two_requests_at_once_are_one_case(database: AsyncEngine, desk: Desk) -> None:
    conversation = await made.talk(database, "twice")
    keys = await asyncio.gather(*(made.request(database, conversation) for _ in range(5)))
    assert len(set(keys)) == 1
    await made.adds_up(database)


async def test_a_coach_comes_while_a_message_is_being_answered(database: AsyncEngine, desk: Desk) -> None:
    key = await made.asked(database, "between")
    claim = await made.says(database, "between", "nog een vraag")
    lines = await made.said(database, key)
    await cases.take(database, key, desk.fatima)
    with pytest.raises(LostClaim):
        await claims.finish(database, claim, made.answer(claim, "het antwoord van de assistent"))
    await claims.release(database, claim, 0.0, counted=False)
    again = await made.claimed(database, "between")
    assert (again.inbox_id, again.attempts, again.mode) == (claim.inbox_id, claim.attempts, Mode.COACH)
    await claims.finish(database, again, made.answer(again, outcome=Outcome.TO_COACH))
    fresh = (await made.said(database, key))[len(lines) :]
    assert [(line.author, line.text) for line in fresh] == [
        ("assistant", say("coach_joins", "nl").format(coach="Fatima")),
        ("person", "nog een vraag"),
    ]
    [row] = await made.rows(database, "SELECT outcome FROM inbox WHERE id = :id", id=claim.inbox_id)
    assert row.outcome == Outcome.TO_COACH
    await made.adds_up(database)


@pytest.mark.parametrize("how", ["close", "give back", "cancel"])
async def test_a_coach_leaves_while_a_message_is_on_its_way(database: AsyncEngine, desk: Desk, how: str) -> None:
    """It is given back too, and the assistant answers it: nobody writes into the void."""
    key = await acts.prepared(database, desk, "taken", f"void {how}")
    claim = await made.says(database, f"void {how}", "ben je er nog?")
    await ACTIONS[how][1](database, key, desk.fatima, desk.mehmet, desk.other_team)
    with pytest.raises(LostClaim):
        await claims.finish(database, claim, made.answer(claim, outcome=Outcome.TO_COACH))
    await claims.release(database, claim, 0.0, counted=False)
    again = await made.claimed(database, f"void {how}")
    assert again.mode in (Mode.BOT, Mode.WAITING)
    await claims.finish(database, again, made.answer(again, "ja"))
    await made.adds_up(database)


async def test_a_request_that_loses_its_claim_opens_no_case(database: AsyncEngine, desk: Desk) -> None:
    conversation = await made.talk(database, "lost")
    claim = await made.says(database, "lost", "ik wil een coach")
    await made.change(database, "UPDATE conversation SET claimed_by = 2 WHERE id = :id", id=conversation)
    wanting = made.answer(claim, "goed")

    async def within(link: object) -> None:
        raise AssertionError("must not run")

    with pytest.raises(LostClaim):
        await claims.finish(database, claim, claims.Answer(**{**vars(wanting), "within": within}))
    assert await made.rows(database, "SELECT 1 FROM referral WHERE conversation_id = :id", id=conversation) == []


async def test_twenty_writers_at_once(database: AsyncEngine, desk: Desk) -> None:
    """The coach, the assistant, the clock and the person in one conversation: every line has a place of its own."""
    key = await acts.prepared(database, desk, "taken", "crowd")
    conversation = (await made.case(database, key)).conversation_id
    before = len(await made.said(database, key))

    async def assistant(number: int) -> None:
        async with database.begin() as link:
            await append(link, conversation, [Reply(f"a{number}.{part}") for part in range(3)], Author.ASSISTANT)

    async def coach(number: int) -> None:
        await cases.write(database, key, desk.fatima, [Reply(f"c{number}.{part}") for part in range(3)])

    async def person() -> None:
        for turn in range(5):
            await made.writes_to_coach(database, "crowd", f"p{turn}")

    await asyncio.gather(person(), *(write(number) for number in range(10) for write in (assistant, coach)))
    lines = await made.said(database, key)
    assert [line.position for line in lines] == list(range(1, len(lines) + 1))
    texts = [line.text for line in lines[before:]]
    assert [words for words in texts if words[0] == "p"] == [f"p{turn}" for turn in range(5)]
    starts = [texts.index(f"{name}{number}.0") for name in "ac" for number in range(10)]
    for at in starts:  # what was said in one breath stays together
        name = texts[at].partition(".")[0]
        assert texts[at : at + 3] == [f"{name}.{part}" for part in range(3)]
    assert len(texts) == 5 + 20 * 3
    await made.adds_up(database)
