"""WhatsApp's 24 hours: what may not be sent any more waits for the person, who is asked once to write again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.settings import Settings
from tests.channels.whatsapp_site import TEMPLATES, Chat, Phone, chatting
from tests.conftest import fresh_database
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import Fault, key_of, said
from tests.fakes.whatsapp_rules import Person

Json = dict[str, Any]
QUESTIONS = {"nl": "ben je een robot of een mens?", "tr": "Kurs ücretli mi?", "ar": "كم تستغرق الدراسة؟"}
_numbers = iter(range(100, 999))
_SILENT = "UPDATE conversation SET heard_at = heard_at - interval '25 hours' WHERE address = :address"
_PARKED = "SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL AND outcome IS NULL"


@pytest.fixture(scope="module")
async def chat(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Chat]:
    async with fresh_database(server) as url, chatting(settings, rasa_url, url) as opened:
        yield opened
        await opened.checked()


@pytest.fixture
async def phone(chat: Chat) -> Phone:
    number = next(_numbers)
    return Phone(chat, Person("Meryem", f"31680000{number}", f"NL.8{number}"))


def templates(phone: Phone) -> list[str]:
    return [payload["template"]["name"] for payload in phone.got() if payload["type"] == "template"]


async def writes_again(chat: Chat, phone: Phone, parked: list[str]) -> None:
    """What waited goes first, and then the answer to what they write."""
    before = len(phone.got())
    await phone.write("/taal")
    await chat.settled()
    words = [said(payload) for payload in phone.got()[before:]]
    assert words[:-1] == parked
    assert "Hollandaca" in words[-1]
    assert await chat.ask(_PARKED) == 0


@pytest.mark.parametrize("language", QUESTIONS)
async def test_too_late_to_send(chat: Chat, phone: Phone, language: str) -> None:
    """An answer that could not go out for a day: parked, and the template in the person's language, if there is one."""
    await phone.say(QUESTIONS[language])
    chat.fake.faults.append(Fault(status=503, to=phone.person.user_id))
    await phone.write(QUESTIONS[language])
    await chat.fake.until(lambda: chat.fake.calls[-1].outcome == "503")
    chat.fake.rules.clock.skip(hours=25)
    await chat.change(_SILENT, address=phone.person.user_id)
    await chat.settled()
    assert await chat.ask(_PARKED) == 1
    assert templates(phone) == ([TEMPLATES[language]] if language in TEMPLATES else [])
    assert [call.outcome for call in chat.fake.calls if call.to == phone.person.address][1] == "503"
    await writes_again(chat, phone, [await last_answer(chat, phone)])
    assert "131047" not in chat.fake.outcomes()


async def test_refused_at_once(chat: Chat, phone: Phone) -> None:
    """131047 in the answer: our clock and Meta's did not agree."""
    await phone.say("hoi")
    chat.fake.faults.append(Fault(code=131047, to=phone.person.user_id))
    await phone.say(QUESTIONS["nl"])
    assert templates(phone) == ["verder_nl"]
    await writes_again(chat, phone, [await last_answer(chat, phone)])


async def test_refused_later_as_a_status(chat: Chat, phone: Phone) -> None:
    """Both bubbles of an answer were taken and failed afterwards, told in the wrong order: one template, then both."""
    await phone.say("hoi")
    bubbles = await phone.say("waar is de programmeerschool in centrum")
    assert len(bubbles) == 2
    pin, text = bubbles
    await failed(chat, phone, text)
    await chat.settled()
    await failed(chat, phone, pin)
    await failed(chat, phone, pin)  # and told twice
    await chat.settled()
    assert await chat.ask(_PARKED) == 2
    assert templates(phone) == ["verder_nl"]
    before = len(phone.got())
    await phone.write("/taal")
    await chat.settled()
    assert [payload["type"] for payload in phone.got()[before:]] == ["location", "interactive", "interactive"]
    assert [said(payload) for payload in phone.got()[before:]][1] == said(text)


async def test_failed_but_the_person_wrote_meanwhile(chat: Chat, phone: Phone) -> None:
    """Then the window is open: it goes out again, without a template."""
    await phone.say("hoi")
    [first] = await phone.say(QUESTIONS["nl"])
    await phone.say("/taal")
    await failed(chat, phone, first)
    await chat.settled()
    assert said(phone.got()[-1]) == said(first)
    assert templates(phone) == []


async def test_the_platform_keeps_saying_no(chat: Chat, phone: Phone) -> None:
    """However often Meta refuses, nobody is asked more often than they wrote."""
    await phone.say("hoi")
    for words in (QUESTIONS["nl"], "/taal"):
        chat.fake.faults.append(Fault(code=131047, to=phone.person.user_id))
        await phone.say(words)
    assert templates(phone) == ["verder_nl"] * 2
    await phone.say("/help")
    assert len([1 for call in chat.fake.calls if call.to == phone.person.address and call.outcome == "131047"]) == 2
    assert await chat.ask(_PARKED) == 0


async def test_a_template_that_is_refused_is_no_trouble(chat: Chat, phone: Phone) -> None:
    await phone.say("hoi")
    chat.fake.faults += [Fault(code=131047, to=phone.person.user_id), Fault(code=132001, to=phone.person.user_id)]
    await phone.say(QUESTIONS["nl"])
    assert await chat.ask(_PARKED) == 1 and templates(phone) == []
    await writes_again(chat, phone, [await last_answer(chat, phone)])


async def last_answer(chat: Chat, phone: Phone) -> str:
    query = "SELECT text FROM transcript t JOIN conversation c ON c.id = t.conversation_id WHERE c.address = :address"
    rows = await chat.rows(query + " AND author = 'assistant' ORDER BY position", address=phone.person.address)
    return str(rows[-1][0])


async def failed(chat: Chat, phone: Phone, payload: Json) -> None:
    status = calls.status(key_of(chat.fake, payload), "failed", phone.person, 131047)
    await chat.fake.deliver(calls.call(calls.value(statuses=[status])))
