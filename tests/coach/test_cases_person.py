"""What a case means for its person: asking, changing, hearing, rating, being forgotten, being left in peace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases
from bot.coach.case import Wish
from bot.handover import Event, NotPossible
from bot.phrases import say, spoken
from tests.coach import acts, made
from tests.coach.acts import ACTIONS, HELLO, LATER, Desk


@pytest.fixture(scope="module")
async def database(server: str) -> AsyncIterator[AsyncEngine]:
    async with made.fresh(server) as opened:
        yield opened


@pytest.fixture
async def desk(database: AsyncEngine) -> Desk:
    return await acts.desk(database)


async def test_a_request_and_a_change_while_waiting(database: AsyncEngine, desk: Desk) -> None:
    utrecht = await made.team(database, areas=("Utrecht", "Zeist"))
    key = await made.asked(database, "samira", "ar")
    row = await made.case(database, key)
    assert (row.team_id, row.first_name, row.guardian, row.urgent) == (utrecht, "Samira", "mother", False)
    assert row.due_at is not None
    told = (await made.said(database, key))[-1]
    assert told.text == spoken("referral_sent", "ar", when=say("promise_unknown", "ar")).text
    assert told.dutch == spoken("referral_sent", "nl", when=say("promise_unknown", "nl")).text

    await acts.clock(database, key, Event.OVERDUE)
    assert (await made.case(database, key)).escalated_at
    assert await made.request(database, row.conversation_id, Wish("salary", "ar", urgent=True)) == key
    changed = await made.case(database, key)
    assert (changed.id, changed.topic, changed.first_name, changed.urgent) == (row.id, "salary", None, True)
    assert changed.due_at > row.due_at
    assert changed.escalated_at is None  # a new promise, so the clock runs again
    await made.request(database, row.conversation_id, Wish("salary", "ar"))
    assert (await made.case(database, key)).urgent  # once urgent is urgent
    assert (
        len(await made.rows(database, "SELECT 1 FROM referral WHERE conversation_id = :id", id=row.conversation_id))
        == 1
    )


async def test_the_first_team_is_made_when_there_is_none(server: str) -> None:
    async with made.fresh(server) as empty:
        people = [await made.talk(empty, f"p{number}") for number in range(4)]
        await asyncio.gather(*(made.request(empty, person) for person in people))
        [team] = await made.rows(empty, "SELECT name, hours FROM team")
        assert (team.name, team.hours["mon"], "sat" in team.hours) == ("Coaches", ["09:00", "17:00"], False)
        await made.adds_up(empty)


async def test_asking_for_a_coach_while_one_talks(database: AsyncEngine, desk: Desk) -> None:
    key = await acts.prepared(database, desk, "taken", "already")
    with pytest.raises(NotPossible):
        await made.request(database, (await made.case(database, key)).conversation_id)


async def test_a_person_who_said_stop_hears_nothing_from_the_clock(database: AsyncEngine, desk: Desk) -> None:
    key = await made.asked(database, "quiet")
    await made.change(database, "UPDATE conversation SET muted_at = now() WHERE address = 'quiet'")
    lines = await made.said(database, key)
    await acts.clock(database, key, Event.OVERDUE)
    assert await made.said(database, key) == lines
    assert (await made.case(database, key)).escalated_at  # the team does
    await cases.take(database, key, desk.fatima)
    assert "Fatima" in (await made.said(database, key))[-1].text  # what they asked for themselves


async def test_what_the_next_message_is_taken_for(database: AsyncEngine, desk: Desk) -> None:
    """It survives what a clock says, and ends when somebody else talks."""
    key = await made.asked(database, "form")
    await made.change(database, "UPDATE conversation SET awaits = 'told' WHERE address = 'form'")
    await acts.clock(database, key, Event.OVERDUE)
    assert (await made.case(database, key)).awaits == "told"
    await cases.take(database, key, desk.fatima)
    assert (await made.case(database, key)).awaits is None


async def test_what_a_coach_writes(database: AsyncEngine, desk: Desk) -> None:
    key = await acts.prepared(database, desk, "taken", "written", "ar")
    await acts.clock(database, key, Event.SILENT)
    before = await made.case(database, key)
    position = await cases.write(database, key, desk.fatima, HELLO, topic="cost", language="ar")
    *_, first, second = await made.said(database, key)
    assert (second.position, first.position) == (position, position - 1)
    for line, reply in ((first, HELLO[0]), (second, HELLO[1])):
        assert (line.author, line.coach, line.topic, line.language) == ("coach", "Fatima", "cost", "ar")
        assert (line.text, line.dutch, line.sending) == (reply.text, reply.dutch, True)
    after = await made.case(database, key)
    assert after.coach_at > before.coach_at
    assert after.reminded_at is None
    assert "wrote" in dict(await made.audit(database, key))
    sent = await made.rows(database, "SELECT transcript_id FROM outbox ORDER BY id DESC LIMIT 2")
    assert [row.transcript_id for row in sent] == [second.id, first.id]


async def test_notes_are_for_colleagues_only(database: AsyncEngine, desk: Desk) -> None:
    key = await acts.prepared(database, desk, "taken", "notes")
    lines = await made.said(database, key)
    await cases.note(database, key, desk.mehmet, "belt liever 's avonds")
    query = "SELECT text, n.coach_id FROM note n JOIN referral r ON r.id = referral_id WHERE key = :key"
    [note] = await made.rows(database, query, key=key)
    assert tuple(note) == ("belt liever 's avonds", desk.mehmet.id)
    assert await made.said(database, key) == lines
    details = await made.rows(database, "SELECT detail FROM audit WHERE what = 'noted'")
    assert {row.detail for row in details} == {""}  # never a text in the log


async def test_the_person_writes_and_the_case_is_awake(database: AsyncEngine, desk: Desk) -> None:
    key = await acts.prepared(database, desk, "taken", "awake")
    await acts.clock(database, key, Event.SILENT)
    await cases.snooze(database, key, desk.fatima, LATER)
    asleep = await made.case(database, key)
    assert (asleep.snoozed_until, asleep.urgent) == (LATER, False)
    await made.writes_to_coach(database, "awake")
    row = await made.case(database, key)
    assert (row.snoozed_until, row.reminded_at, row.person_at > asleep.person_at) == (None, None, True)
    async with database.begin() as link:
        await cases.heard(link, row.conversation_id, urgent=True)
    async with database.begin() as link:
        await cases.heard(link, row.conversation_id)
    assert (await made.case(database, key)).urgent
    await made.adds_up(database)


@pytest.mark.parametrize(("language", "how"), [("nl", "close"), ("tr", "hand back"), ("ar", "cancel")])
async def test_rating(database: AsyncEngine, desk: Desk, language: str, how: str) -> None:
    key = await acts.prepared(database, desk, "taken", f"rates {how}", language)
    conversation, stranger = (await made.case(database, key)).conversation_id, await made.talk(database, f"str {how}")

    async def rate(who: int, rating: int | None, words: str | None = None, of: str = key) -> bool:
        async with database.begin() as link:
            return await cases.rate(link, who, of, rating, words)

    assert not await rate(conversation, 3)  # not before the end
    await ACTIONS[how][1](database, key, desk.fatima, desk.mehmet, desk.other_team)
    asked = (await made.said(database, key))[-1]
    assert [(button["title"], button["payload"]) for button in asked.buttons] == [
        (say(f"rating_{number}", language), f"rating:{key}:{number}") for number in (3, 2, 1)
    ]
    assert not await rate(stranger, 3)
    assert not await rate(conversation, 3, of="AAAAAAAAAAAA")
    assert not await rate(conversation, 9)  # a forged button
    assert (await made.case(database, key)).rated_at is None
    assert await rate(conversation, 2)
    assert await rate(conversation, None, "snel geholpen")
    row = await made.case(database, key)
    assert (row.rating, row.rating_text, row.state) == (2, "snel geholpen", "closed")
    assert row.rated_at


async def test_no_rating_is_asked_of_who_never_had_a_coach(database: AsyncEngine, desk: Desk) -> None:
    for action in ("cancel while waiting", "close while waiting"):
        key = await acts.prepared(database, desk, "waiting", f"unrated {action}")
        await ACTIONS[action][1](database, key, desk.fatima, desk.mehmet, desk.other_team)
        assert (await made.said(database, key))[-1].buttons == []


@pytest.mark.parametrize("state", ["waiting", "taken", "closed"])
async def test_forgetting_takes_who_they_are_out_of_every_case(database: AsyncEngine, desk: Desk, state: str) -> None:
    address = f"forget {state}"
    old = await acts.prepared(database, desk, "closed", address)
    conversation = (await made.case(database, old)).conversation_id
    async with database.begin() as link:
        await cases.rate(link, conversation, old, 3, "dank Samira")
    await cases.note(database, old, desk.fatima, "heet Samira")
    key = old if state == "closed" else await made.request(database, conversation)
    if state == "taken":
        await cases.take(database, key, desk.fatima)
    other = await made.asked(database, f"kept {state}")
    async with database.begin() as link:
        await cases.forget(link, conversation)
    for row in (await made.case(database, old), await made.case(database, key)):
        assert (row.first_name, row.contact, row.guardian, row.reach, row.area, row.rating_text) == (None,) * 6
        assert (row.state, row.mode) == ("closed", "bot")
    query = "SELECT n.text FROM note n JOIN referral r ON r.id = referral_id WHERE conversation_id = :id"
    notes = await made.rows(database, query, id=conversation)
    assert [note.text for note in notes] == [""]
    assert (await made.case(database, old)).rating == 3  # a figure, not a person
    assert (await made.case(database, other)).first_name == "Samira"
    await made.adds_up(database)
