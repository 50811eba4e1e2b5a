"""What was kept long enough goes, what is younger stays, and the counts do not change."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims, receipts
from bot.coach import cases
from bot.coach.retention import sweep
from bot.commands.accounts import count
from bot.inbox import Acceptor
from bot.messages import Attachment, Failure, Incoming, Kind, Receipt, Reply, Status
from tests.coach import made

NOTHING = dict.fromkeys(
    ("lines", "files", "dialogues", "cases", "notes", "receipts", "invitations", "sessions", "requests", "unreadable"),
    0,
)


async def _ago(database: AsyncEngine, address: str, days: float) -> None:
    """Everything of that person happened so many days earlier."""
    mine = "(SELECT id FROM conversation WHERE address = :address)"
    for table, columns, whose in (
        ("transcript", ("at",), f"conversation_id = {mine}"),
        ("inbox", ("received_at", "closed_at"), f"conversation_id = {mine}"),
        ("outbox", ("created_at", "closed_at"), f"conversation_id = {mine}"),
        (
            "referral",
            ("created_at", "closed_at", "taken_at", "rated_at", "person_at", "coach_at"),
            f"conversation_id = {mine}",
        ),
        ("conversation", ("created_at", "heard_at"), f"id = {mine}"),
    ):
        sets = ", ".join(f"{column} = {column} - :days * interval '1 day'" for column in columns)
        await made.change(database, f"UPDATE {table} SET {sets} WHERE {whose}", address=address, days=days)


async def _sent(database: AsyncEngine) -> None:
    await made.change(database, "UPDATE outbox SET outcome = 'sent', closed_at = now() WHERE outcome IS NULL")


async def _life(database: AsyncEngine, address: str) -> str:
    """A talk with a file, a case with a note, a rating in words, and a dialogue that goes on; the key of the case."""
    by = await made.coach(database, "Fatima", await made.team(database))
    key = await made.asked(database, address, "ar")
    conversation = (await made.case(database, key)).conversation_id
    await cases.take(database, key, by)
    await cases.write(database, key, by, [Reply("مرحبا Samira", dutch="hallo Samira")])
    await cases.note(database, key, by, "Samira belt")
    photo = Attachment("media1", "cv Samira.pdf", "application/pdf", 10)
    incoming = Incoming("webchat", f"{address}:file", address, Kind.MEDIA, "mijn cv", "file", attachment=photo)
    assert await Acceptor(database).accept(incoming)
    claim = await made.claimed(database, address)
    await claims.finish(database, claim, made.answer(claim, outcome="to_coach"))
    await cases.close(database, key, by, "helped")
    async with database.begin() as link:
        await cases.rate(link, conversation, key, 3, "dank, Samira")
    await made.change(database, "UPDATE conversation SET awaits = 'rating:x' WHERE id = :id", id=conversation)
    place = '{"name": "thuis", "address": "straat", "latitude": 1, "longitude": 2}'
    set_place = f"UPDATE transcript SET place = '{place}' WHERE conversation_id = :id AND position = 1"
    await made.change(database, set_place, id=conversation)
    await _sent(database)
    return key


async def _words_of(database: AsyncEngine, address: str) -> str:
    """All that is kept about that person, written out."""
    mine = "(SELECT id FROM conversation WHERE address = :address)"
    found = []
    for query in (
        f"SELECT text, dutch, attachment, buttons, place FROM transcript WHERE conversation_id = {mine}",
        f"SELECT text, payload, attachment FROM inbox WHERE conversation_id = {mine}",
        "SELECT dialogue, awaits FROM conversation WHERE address = :address",
    ):
        found += [str(value) for row in await made.rows(database, query, address=address) for value in row if value]
    return " ".join(found)


async def test_a_talk_is_emptied_when_everybody_was_silent_long_enough(database: AsyncEngine) -> None:
    old, young = await _life(database, "old"), await _life(database, "young")
    await _ago(database, "old", 181)
    await _ago(database, "young", 179)
    before, kept = await count(database), await _words_of(database, "young")
    shape = [(line.position, line.author, line.topic, line.at) for line in await made.said(database, old)]
    gone = await sweep(database, 180)
    assert gone["lines"] == len(shape)
    assert (gone["files"], gone["dialogues"]) == (1, 1)
    assert await _words_of(database, "old") == ""
    assert await _words_of(database, "young") == kept
    assert [(line.position, line.author, line.topic, line.at) for line in await made.said(database, old)] == shape
    row = await made.case(database, old)  # older than ninety days, as the young one is
    assert (row.contact, row.first_name, row.guardian, row.reach, row.rating_text) == (None,) * 5
    assert (row.topic, row.language, row.age_group, row.outcome, row.rating) == ("cost", "ar", "40+", "helped", 3)
    assert (await made.case(database, young)).contact is None
    assert await count(database) == before
    await made.adds_up(database)
    assert await sweep(database, 180) == NOTHING  # and nothing more


async def test_one_word_of_anybody_keeps_it(database: AsyncEngine) -> None:
    """Also when the person's own last message is old, or a receipt has moved `heard_at`."""
    for address in ("coach writes", "person writes", "only a receipt"):
        await made.talk(database, address)
        await _sent(database)
        await _ago(database, address, 400)
    key = await made.asked(database, "coach writes")
    by = await made.coach(database, "Fatima", await made.team(database))
    await cases.take(database, key, by)
    claim = await made.says(database, "person writes", "daar ben ik weer")
    await claims.finish(database, claim, made.answer(claim, "welkom terug"))
    await made.change(database, "UPDATE conversation SET heard_at = now() WHERE address = 'only a receipt'")
    await _sent(database)
    await sweep(database, 180)
    assert "vraag" in await _words_of(database, "coach writes")
    assert "vraag" in await _words_of(database, "person writes")
    assert await _words_of(database, "only a receipt") == ""
    await made.adds_up(database)


async def test_what_is_still_to_be_sent_keeps_its_words(database: AsyncEngine) -> None:
    """A short setting must not send an empty bubble: the outbox gives up after a week, then it goes."""
    await made.talk(database, "parked", channel="whatsapp")
    await _ago(database, "parked", 3)
    assert (await sweep(database, 1))["lines"] == 1  # the question
    assert await _words_of(database, "parked") == "antwoord"
    await _sent(database)
    assert (await sweep(database, 1))["lines"] == 1
    assert await _words_of(database, "parked") == ""


async def test_somebody_who_is_being_answered_keeps_the_dialogue(database: AsyncEngine) -> None:
    await made.talk(database, "back")
    await _sent(database)
    await _ago(database, "back", 200)
    claim = await made.says(database, "back", "na een half jaar")
    assert (await sweep(database, 180))["dialogues"] == 0
    await claims.finish(database, claim, made.answer(claim, "welkom terug"))
    assert (await sweep(database, 180))["dialogues"] == 0
    await made.adds_up(database)


@pytest.mark.parametrize(("days", "emptied"), [(181, True), (179, False)])
async def test_who_it_was_leaves_a_case_that_nobody_closed(database: AsyncEngine, days: int, emptied: bool) -> None:
    key = await made.asked(database, "left open")
    await _ago(database, "left open", days)
    assert (await sweep(database, 400))["cases"] == emptied
    assert ((await made.case(database, key)).first_name is None) == emptied


@pytest.mark.parametrize(("days", "emptied"), [(91, True), (89, False)])
async def test_who_it_was_leaves_a_closed_case_after_ninety_days(
    database: AsyncEngine, days: int, emptied: bool
) -> None:
    key = await _life(database, "anna")
    await _ago(database, "anna", days)
    other = await made.asked(database, "waits")
    await _ago(database, "waits", days)
    gone = await sweep(database, 180)
    assert (gone["cases"], gone["notes"], gone["lines"]) == (emptied, emptied, 0)
    row = await made.case(database, key)
    personal = (row.contact, row.first_name, row.guardian, row.reach, row.rating_text)
    assert personal == (
        (None,) * 5 if emptied else ("+31 6 11", "Samira", "mother", "call in the morning", "dank, Samira")
    )
    [note] = await made.rows(database, "SELECT text FROM note")
    assert note.text == ("" if emptied else "Samira belt")
    assert (await made.case(database, other)).first_name == "Samira"  # somebody still waits


async def test_a_desk_only_hears_of_cases_where_something_went(database: AsyncEngine) -> None:
    key = await _life(database, "anna")
    await _ago(database, "anna", 100)
    rung: list[str] = []
    async with database.connect() as link:
        raw = (await link.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.add_listener("desk", lambda _link, _pid, _channel, payload: rung.append(payload))
        for _ in range(3):
            await sweep(database, 180)
        await raw.fetchval("SELECT 1")
    assert rung == [key]


async def test_small_things(database: AsyncEngine) -> None:
    """Receipts and unreadable updates after thirty days; invitations and sessions when they are of no use."""
    await receipts.keep(database, [Receipt("whatsapp", name, Status.READ) for name in ("old", "young")])
    await receipts.keep(database, [Receipt("whatsapp", "old", Status.FAILED, Failure.REFUSED)])
    await made.change(database, "UPDATE receipt SET at = now() - interval '31 days' WHERE platform_id = 'old'")
    await made.change(database, "UPDATE receipt SET at = now() - interval '29 days' WHERE platform_id = 'young'")
    for address in ("31", "29"):
        raw = Incoming("telegram", f"{address}:1", address, Kind.UNREADABLE, payload='{"odd": "Samira"}')
        assert await Acceptor(database).accept(raw)
        claim = await made.claimed(database, address)
        await claims.finish(database, claim, made.answer(claim, outcome=claims.UNREADABLE))
        await _ago(database, address, float(address))
    still_open = Incoming("telegram", "open:1", "open", Kind.CHOICE, "Ja", payload="/cost")
    assert await Acceptor(database).accept(still_open)
    await _ago(database, "open", 40)
    by = await made.coach(database, "Fatima", await made.team(database))
    times: Mapping[str, str] = {
        "past": "now() - interval '1 minute'",
        "future": "now() + interval '1 day'",
        "never": "NULL",
    }
    for name, expires, ended in (("good", "future", "never"), ("used", "future", "past"), ("over", "past", "never")):
        for table, column in (("invitation", "used_at"), ("desk_session", "revoked_at")):
            await made.change(
                database,
                f"INSERT INTO {table} (digest, coach_id, expires_at, {column}) "
                f"VALUES (:digest, :coach, {times[expires]}, {times[ended]})",
                digest=name, coach=by.id,
            )  # fmt: skip
    gone = await sweep(database, 180)
    assert gone == {**NOTHING, "receipts": 2, "unreadable": 1, "invitations": 2, "sessions": 2}
    for query, left in (
        ("SELECT platform_id FROM receipt", {"young"}),
        ("SELECT external_id FROM inbox WHERE payload IS NOT NULL", {"29:1", "open:1"}),
        ("SELECT digest FROM invitation", {"good"}),
        ("SELECT digest FROM desk_session", {"good"}),
    ):
        assert {row[0] for row in await made.rows(database, query)} == left
    assert (await count(database)).inbox == {"dead:unreadable": 2, "open": 1}
    await made.adds_up(database)


@pytest.mark.parametrize("days", [0, -5])
async def test_nobody_empties_everything_by_mistake(database: AsyncEngine, days: int) -> None:
    with pytest.raises(ValueError, match=str(days)):
        await sweep(database, days)
