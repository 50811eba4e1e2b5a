"""What people do beside asking: buttons, edits, blocking, groups. One bot for all of them, fetching its updates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot.phrases import say
from bot.settings import Settings
from tests.channels.telegram_bot import Bot, polling
from tests.conftest import fresh_database
from tests.fakes.telegram_faults import slow
from tests.fakes.telegram_methods import Json
from tests.fakes.telegram_person import Member, Person, titles


@pytest.fixture(scope="module")
async def shared(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Bot]:
    async with fresh_database(server) as url, polling(settings, rasa_url, url) as opened:
        yield opened


@pytest.fixture
async def bot(shared: Bot) -> AsyncIterator[Bot]:
    yield shared
    await shared.books()


async def ask(bot: Bot, query: str, **values: object) -> list[object]:
    async with bot.site.database.connect() as link:
        return list((await link.execute(text(query), values)).scalars())


async def test_the_poster_that_brought_somebody(bot: Bot) -> None:
    person = bot.person()
    await person.says("/start oba_osdorp-2")
    await person.says("/start elders")
    query = "SELECT source FROM conversation WHERE address = :address"
    assert await ask(bot, query, address=str(person.id)) == ["oba_osdorp-2"]


async def test_a_button_is_taken_politely(bot: Bot) -> None:
    person = bot.person()
    await person.says("/taal")
    await person.press("Türkçe")
    await person.press("العربية")
    ticked = [titles(message) for message in person.chat]
    assert ticked[:2] == [["Nederlands", "✓ Türkçe", "العربية"], ["Nederlands", "Türkçe", "✓ العربية"]]
    person.pushes(person.chat[1], "language:ar")  # the same once more
    await person.hears()
    await bot.books()
    assert len(bot.fake.of("editMessageReplyMarkup", person.id)) == 2
    assert not person.queries & bot.fake.queries
    assert len(bot.fake.of("sendChatAction", person.id)) == 4


async def test_a_query_that_is_too_old_to_answer(bot: Bot) -> None:
    person = bot.person()
    await person.says("/taal")
    person.presses("Türkçe")
    bot.fake.queries.clear()
    await person.hears()
    await bot.fake.until(lambda: titles(person.chat[0]) == ["Nederlands", "✓ Türkçe", "العربية"])
    await bot.fake.until(lambda: len(bot.fake.of("sendChatAction", person.id)) == 2)


def gone(person: Person, number: int) -> Json:
    """A message so old that Telegram does not show it any more."""
    return {"message_id": number, "chat": person.where, "date": 0}


OLD_BUTTONS = {
    "still known": ("/cost", "1.511", "answered"),
    "of a topic that is gone": ("/no_such_topic", "ouder bericht", "notice"),
    "forged": ('/cost{"planet":', "ouder bericht", "notice"),
    "a stand-in nobody can read": ("#ffeeddccbbaa99887766554433221100", "ouder bericht", "notice"),
    "of a language we do not speak": ("language:xx", "Kies hieronder", "notice"),
}


async def test_buttons_of_messages_that_are_gone(bot: Bot) -> None:
    people = {name: bot.person() for name in OLD_BUTTONS}
    updates = {name: people[name].pushes(gone(people[name], 5), OLD_BUTTONS[name][0]) for name in OLD_BUTTONS}
    heard = await asyncio.gather(*(people[name].hears() for name in OLD_BUTTONS))
    found = {
        name: (reply["text"], await bot.outcome(updates[name])) for name, [reply] in zip(updates, heard, strict=True)
    }
    assert {name: outcome for name, (_, outcome) in found.items()} == {n: row[2] for n, row in OLD_BUTTONS.items()}
    assert [name for name, (said, _) in found.items() if OLD_BUTTONS[name][1] not in said] == []


async def test_a_stand_in_is_read_by_its_title(bot: Bot) -> None:
    person = bot.person()
    button = {"text": "wat kost de programmeerschool", "callback_data": "#0f1e2d3c4b5a69788796a5b4c3d2e1f0"}
    message = person.message(text="Bedoel je dit?", reply_markup={"inline_keyboard": [[button]]})
    person.pushes(message, button["callback_data"])
    [reply] = await person.hears()
    assert "1.511" in reply["text"]


async def test_an_edit_is_no_new_question(bot: Bot) -> None:
    person = bot.person()
    await person.says("wat kost de programmeerschool")
    edited = bot.fake.push({"edited_message": person.message(text="wat kost het?", edit_date=1)})
    [reply] = await person.says("/taal")  # answered after it, in order
    assert titles(reply)[0] == "Nederlands"
    assert await bot.outcome(edited) == "ignored:edited"


async def test_what_only_the_system_says(bot: Bot) -> None:
    person = bot.person()
    pinned = person.sends(pinned_message=person.message(text="vast"))
    channel = bot.fake.push({"channel_post": {"chat": {"id": -1001, "type": "channel"}, "text": "x"}})
    [reply] = await person.says("/start")
    assert reply["text"] == say("welcome", "nl")
    assert await bot.outcome(pinned) == "ignored:service"
    assert await bot.outcome(channel) is None  # not asked for, not sent


async def test_who_blocks_us_hears_nothing_more(bot: Bot) -> None:
    person = bot.person()
    on_its_way = asyncio.Event()
    bot.fake.faults[person.id] = [slow(on_its_way)]
    for words in ("/help", "/privacy", "/taal"):
        person.writes(words)
    await person.hears()
    assert await bot.closed(person.blocks()) == "ignored:blocked"
    on_its_way.set()
    assert await bot.sendings(person) == ["sent", "failed:blocked", "failed:blocked"]
    assert len(bot.fake.of("sendMessage", person.id)) == 1
    person.unblocks()
    await person.says("/start")
    assert await bot.sendings(person) == ["sent", "failed:blocked", "failed:blocked", "sent"]


@pytest.mark.parametrize("where", ["blocked", "deleted"])
async def test_who_turns_out_to_be_gone(bot: Bot, where: str) -> None:
    person = bot.person()
    await person.says("/start")
    if where == "blocked":
        bot.fake.blocked.add(person.id)  # and Telegram did not tell
    updates = [person.writes(f"/help {number}") for number in range(3)]
    if where == "deleted":
        del bot.fake.known[person.id]
    await bot.books()
    assert [await bot.outcome(update) for update in updates] == ["command"] * 3
    assert await bot.sendings(person) == ["sent"] + ["failed:blocked"] * 3
    bot.fake.blocked.discard(person.id)
    await person.says("/start")


async def test_a_group_is_answered_once_a_minute_and_not_kept(bot: Bot) -> None:
    group = Member(bot.fake)
    await group.says("@tekkie_test_bot mijn zoon heeft schulden")
    assert say("group", "nl") in group.texts[0]
    updates = [
        group.writes("en een uitkering"),
        group.sends(voice={"duration": 1, "file_id": "a", "file_unique_id": "b"}),
    ]
    await bot.books()
    assert [await bot.outcome(update) for update in updates] == ["ignored:group", "ignored:service"]
    async with bot.site.database.begin() as link:
        await link.execute(text("UPDATE conversation SET slowed_at = now() - interval '61 seconds'"))
    [reply] = await group.says("hallo?")
    assert reply["text"] == say("group", "nl")
    said = await ask(bot, "SELECT text FROM transcript WHERE author = 'person'")
    assert not [words for words in said if "schulden" in str(words) or "uitkering" in str(words)]


async def test_into_a_group_and_out_again(bot: Bot) -> None:
    group = Member(bot.fake)
    group.is_member("left", "member")
    group.sends(new_chat_members=[{"id": 123456789, "is_bot": True, "first_name": "Tekkie"}])
    [reply] = await group.hears()
    assert say("group", "nl") in reply["text"]
    out = group.is_member("member", "left")
    await bot.books()
    assert await bot.outcome(out) == "ignored:membership"
    assert len(group.chat) == 1


async def test_a_group_that_moves_while_we_answer(bot: Bot) -> None:
    group = Member(bot.fake)
    group.moves()
    await group.says("hallo allemaal")
    assert say("group", "nl") in group.texts[0]
    assert await bot.sendings(group) == ["sent"]
    query = "SELECT alias FROM conversation WHERE address = :address"
    assert await ask(bot, query, address=str(group.id)) == [str(group.before)]


async def test_a_group_that_tells_it_moves(bot: Bot) -> None:
    group = Member(bot.fake)
    await group.says("hallo allemaal")
    new = group.moves()
    group.sends(migrate_to_chat_id=new)  # in the old one
    group.where = bot.fake.known[new]
    group.sends(migrate_from_chat_id=group.before)
    await bot.books()
    query = "SELECT id FROM conversation WHERE address IN (:old, :new)"
    assert len(await ask(bot, query, old=str(group.before), new=str(new))) == 1


async def test_a_group_that_moves_to_where_we_are_already(bot: Bot) -> None:
    """The reply for the old place is given up instead of being sent for ever."""
    old, new = Member(bot.fake), Member(bot.fake)
    await new.says("hallo")
    bot.fake.moved[old.id] = new.id
    old.writes("hallo")
    await bot.books()
    assert await bot.sendings(old) == ["failed:moved"]
    assert len(bot.fake.of("sendMessage", old.id)) == 3


async def test_several_at_once_are_answered_in_context(bot: Bot) -> None:
    person = bot.person()
    sent = [person.message(text=words) for words in ("/help", "/privacy", "/taal")]
    for message in sent:
        bot.fake.push({"message": message})
    await person.hears(3)
    quoted = [
        call.values.get("reply_parameters", {}).get("message_id") for call in bot.fake.of("sendMessage", person.id)
    ]
    assert quoted == [sent[0]["message_id"], sent[1]["message_id"], None]  # the last one stands right above
