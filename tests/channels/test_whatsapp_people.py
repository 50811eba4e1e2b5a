"""Who is who on WhatsApp, repeats and batches: each message answered once, in order, in the right conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.settings import Settings
from tests.channels.whatsapp_site import Chat, Phone, chatting
from tests.conftest import fresh_database
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import said
from tests.fakes.whatsapp_rules import Person

Json = dict[str, Any]
_CONVERSATIONS = "SELECT address, alias, last_position FROM conversation WHERE address = ANY(:all) OR alias = ANY(:all)"
_SAID = """
    SELECT t.author, t.text FROM transcript t JOIN conversation c ON c.id = t.conversation_id
    WHERE c.address = :address ORDER BY t.position
"""


@pytest.fixture(scope="module")
async def chat(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Chat]:
    async with fresh_database(server) as url, chatting(settings, rasa_url, url) as opened:
        yield opened
        await opened.checked()


async def conversations(chat: Chat, *addresses: str) -> list[tuple[Any, ...]]:
    return await chat.rows(_CONVERSATIONS, all=list(addresses))


async def test_user_without_phone_number(chat: Chat) -> None:
    phone = chat.phone("samira", user_id="NL.101")
    assert "automatische" in said((await phone.say("hoi"))[0])
    assert [call["recipient"] for call in phone.got()] == ["NL.101"]
    assert not any("to" in call for call in phone.got())
    assert await conversations(chat, "NL.101") == [("NL.101", None, 2)]


async def test_user_with_phone_number_is_written_to_by_user_id(chat: Chat) -> None:
    phone = chat.phone("Youssef", "31600000102", "NL.102")
    await phone.say("hoi")
    assert [call["recipient"] for call in phone.got()] == ["NL.102"]
    assert await conversations(chat, "NL.102") == [("NL.102", "31600000102", 2)]


async def test_first_by_phone_then_with_a_user_id_is_one_talk(chat: Chat) -> None:
    by_phone, by_both = chat.phone("Piet", "31600000103"), chat.phone("Piet", "31600000103", "NL.103")
    for number, phone in enumerate((by_phone, by_both, by_phone, by_both)):  # the third time Meta leaves the id out
        await phone.say("1" if number else "wat past bij mij?")
    assert [words.partition("Vraag ")[2][0] for words in by_both.words()] == ["1", "2", "3", "4"]
    assert [call.get("to") for call in by_both.got()] == ["31600000103", None, None, None]
    assert await conversations(chat, "NL.103", "31600000103") == [("NL.103", "31600000103", 8)]


async def test_a_changed_number_keeps_the_talk(chat: Chat) -> None:
    old = chat.phone("Fatma", "31600000104", "NL.104")
    await old.say("wat past bij mij?")
    told = {
        "type": "system",
        "system": {
            "body": "User Fatma changed from 31600000104 to 31600000999",
            "type": "user_changed_number",
            "wa_id": "31600000999",
            "user_id": "NL.999",
            "previous_user_id": "NL.104",
        },
    }
    message = calls.message(Person("Fatma", "31600000104"), told)
    await chat.fake.deliver(calls.call(calls.value(messages=[message])))
    await chat.settled()
    new = chat.phone("Fatma", "31600000999", "NL.999")
    assert "Vraag 2 van 6" in said((await new.say("1"))[0])
    assert [row[0] for row in await conversations(chat, "NL.104", "NL.999")] == ["NL.999"]


async def test_a_changed_user_id_without_any_number_keeps_the_talk(chat: Chat) -> None:
    await chat.phone("samira", user_id="NL.105").say("wat past bij mij?")
    told = {
        "type": "system",
        "system": {
            "body": "User samira changed from NL.105 to NL.995",
            "type": "user_changed_user_id",
            "user_id": "NL.995",
            "previous_user_id": "NL.105",
        },
    }
    await chat.fake.deliver(calls.call(calls.value(messages=[calls.message(Person(""), told)])))
    assert "Vraag 2 van 6" in said((await chat.phone("samira", user_id="NL.995").say("1"))[0])
    assert len(await conversations(chat, "NL.105", "NL.995")) == 1


async def test_a_changed_number_without_the_old_user_id_keeps_the_talk(chat: Chat) -> None:
    await chat.phone("Emine", "31600000127", "NL.127").say("wat past bij mij?")
    told = {
        "type": "system",
        "system": {"body": "User changed their number", "type": "user_changed_number", "wa_id": "31600000997"},
    }
    message = calls.message(Person("Emine", "31600000127"), told)
    await chat.fake.deliver(calls.call(calls.value(messages=[message])))
    await chat.settled()
    assert "Vraag 2 van 6" in said((await chat.phone("Emine", "31600000997").say("1"))[0])
    assert [row[0] for row in await conversations(chat, "NL.127", "31600000997")] == ["31600000997"]


async def test_a_number_of_somebody_else_brings_no_old_talk(chat: Chat) -> None:
    await chat.phone("Ali", "31600000108", "NL.108").say("wat past bij mij?")
    await chat.phone("Bram", "31600000108", "NL.118").say("hoi")  # the number was given to somebody new
    assert len(await conversations(chat, "NL.108", "NL.118")) == 2


async def test_another_phone_number_of_somebody_known(chat: Chat) -> None:
    await chat.phone("Noor", "31600000109", "NL.109").say("hoi")
    await chat.phone("Noor", "31600000119", "NL.109").say("hoi")
    assert [row[1] for row in await conversations(chat, "NL.109")] == ["31600000119"]


async def test_the_same_message_again_with_other_bytes(chat: Chat) -> None:
    phone = chat.phone("Hassan", "31600000106", "NL.106")
    message = calls.message(phone.person, calls.text("كم تكلفة الدراسة؟"))
    body = calls.call(calls.value([phone.person], messages=[message]))
    assert await chat.fake.deliver(body) == [200]
    for _ in range(3):
        assert await chat.fake.deliver(body, in_other_bytes=True) == [200]
    await chat.settled()
    assert await chat.fake.deliver(body, in_other_bytes=True) == [200]  # and long after it was answered
    await phone.say("ok")
    said_by_person = [text for author, text in await chat.rows(_SAID, address="NL.106") if author == "person"]
    assert said_by_person == ["كم تكلفة الدراسة؟", "ok"]
    assert len(phone.got()) == 2


async def test_50_messages_of_20_people_in_one_call(chat: Chat) -> None:
    people = [Person(f"p{n}", f"316000002{n:02}", f"NL.2{n:02}") for n in range(20)]
    messages = [calls.message(people[n % 20], calls.text(f"vraag {n}: wat kost het?")) for n in range(50)]
    first, second, third = messages[:18], messages[18:30], messages[30:]
    values = [calls.value(people, messages=part) for part in (first, second)]
    body = calls.call(*values)
    body["entry"].append(calls.call(calls.value(people, messages=third))["entry"][0])
    await asyncio.gather(chat.fake.deliver(body), chat.fake.deliver(body, in_other_bytes=True))  # and Meta repeats it
    await chat.settled()
    for number, person in enumerate(people):
        lines = await chat.rows(_SAID, address=person.user_id)
        asked = [text for author, text in lines if author == "person"]
        assert asked == [f"vraag {n}: wat kost het?" for n in range(number, 50, 20)]
        answers = [text for author, text in lines if author == "assistant"]
        assert [said(payload) for payload in chat.fake.taken(person)] == answers
        assert len(answers) == len(asked)


async def test_two_messages_at_once_are_answered_with_a_quote(chat: Chat) -> None:
    phone = Phone(chat, Person("Bilal", "31600000107", "NL.107"))
    one, two = (calls.message(phone.person, calls.text(text)) for text in ("wat kost het?", "hoe lang duurt het?"))
    await chat.fake.deliver(calls.call(calls.value([phone.person], messages=[one, two])))
    await chat.settled()
    first, second = phone.got()
    assert first["context"]["message_id"] == one["id"]  # another one waited behind it
    assert "context" not in second


async def test_read_marks_for_what_was_read(chat: Chat) -> None:
    phone = chat.phone("Elif", "31600000108", "NL.108")
    asked = await phone.write("kurs ne kadar")
    await chat.settled()
    reaction = {"type": "reaction", "reaction": {"message_id": asked, "emoji": "👍"}}
    silent = await phone.write(reaction)
    await chat.settled()
    read = [call.payload["message_id"] for call in chat.fake.calls if call.outcome == "read"]
    assert asked in read and silent not in read
