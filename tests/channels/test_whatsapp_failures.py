"""What WhatsApp refuses or drops on the way out: held or tried again, in order, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.settings import Settings
from tests.channels.whatsapp_site import Chat, Phone, chatting
from tests.conftest import fresh_database
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import TOKEN, Fault, said
from tests.fakes.whatsapp_rules import Person

_QUESTIONS = ("ben je een robot of een mens?", "kan ik ook zonder diploma beginnen?", "wat kost de programmeerschool")
_numbers = iter(range(1, 100))


@pytest.fixture(scope="module")
async def chat(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Chat]:
    async with fresh_database(server) as url, chatting(settings, rasa_url, url) as opened:
        yield opened


@pytest.fixture
async def two(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Phone, Phone]]:
    """Two people who said hello; pauses are short. Afterwards all is answered and adds up."""
    monkeypatch.setattr("bot.channels.whatsapp._PAIR_SECONDS", 1.5)
    monkeypatch.setattr("bot.channels.whatsapp._PAUSE_SECONDS", 0.5)
    monkeypatch.setattr("bot.deliver._ALARM_PAUSE", 0.5)
    number = next(_numbers)
    phones = [Phone(chat, Person(name, f"3165000{number:02}{k}", f"NL.5{number:02}{k}")) for k, name in enumerate("ab")]
    for phone in phones:
        await phone.say("hoi")
        phone.new()
    chat.fake.calls.clear()
    chat.fake.faults.clear()
    yield phones[0], phones[1]
    books = await chat.checked()
    assert not [outcome for outcome in books if outcome.startswith(("dead", "open"))]
    assert await chat.ask("SELECT count(*) FROM outbox WHERE outcome <> 'sent' OR outcome IS NULL") == 0


async def in_order(chat: Chat, phone: Phone) -> None:
    """Every answer of the transcript came, once, in the order of the transcript."""
    answers = await chat.rows(
        "SELECT text FROM transcript t JOIN conversation c ON c.id = t.conversation_id"
        " WHERE c.address = :address AND author = 'assistant' ORDER BY position OFFSET 1",
        address=phone.person.address,
    )
    assert phone.words() == [text for (text,) in answers]
    assert len(answers) >= len(_QUESTIONS)


async def ask_everything(*phones: Phone) -> None:
    for phone in phones:
        for question in _QUESTIONS:
            await phone.write(question)


async def test_the_pair_limit_holds_one_person(chat: Chat, two: tuple[Phone, Phone]) -> None:
    slow, other = two
    chat.fake.faults.append(Fault(code=131056, to=slow.person.user_id))
    await ask_everything(slow)
    await chat.fake.until(lambda: "131056" in chat.fake.outcomes())
    await ask_everything(other)
    await chat.settled()
    ended = [(call.to, call.outcome) for call in chat.fake.calls if call.outcome != "read"]
    mine, theirs = slow.person.address, other.person.address
    assert ended == [(mine, "131056"), *[(theirs, "taken")] * 3, *[(mine, "taken")] * 3]
    await in_order(chat, slow)
    await in_order(chat, other)


async def test_the_rate_limit_holds_everybody(chat: Chat, two: tuple[Phone, Phone]) -> None:
    chat.fake.faults.append(Fault(code=130429))
    await two[0].write(_QUESTIONS[0])
    await chat.fake.until(lambda: "130429" in chat.fake.outcomes())
    await ask_everything(two[1], two[0])
    await chat.settled()
    refused, *rest = [call for call in chat.fake.calls if call.outcome != "read"]
    assert [call.outcome for call in rest] == ["taken"] * 7
    assert rest[0].at - refused.at >= 0.45
    await in_order(chat, two[1])


async def test_broken_answers_and_lost_connections_are_tried_again_in_order(
    chat: Chat, two: tuple[Phone, Phone]
) -> None:
    broken, cut = two
    chat.fake.faults += [Fault(status=500, to=broken.person.user_id), Fault(lost=True, to=broken.person.user_id)]
    chat.fake.faults.append(Fault(cut=True, to=cut.person.user_id))
    await ask_everything(broken, cut)
    await chat.settled()
    outcomes = [call.outcome for call in chat.fake.calls if call.to == broken.person.address]
    assert outcomes == ["500", "lost", "taken", "taken", "taken"]
    await in_order(chat, broken)
    once, again, *others = cut.words()  # WhatsApp had it, we could not know: at least once
    assert once == again and len(others) == 2


async def test_a_late_answer_holds_up_only_its_own_person(chat: Chat, two: tuple[Phone, Phone]) -> None:
    until = asyncio.Event()
    chat.fake.faults.append(Fault(until=until, to=two[0].person.user_id))
    await two[0].write(_QUESTIONS[0])
    await two[1].write(_QUESTIONS[1])
    await chat.fake.until(lambda: len(two[1].got()) == 1)
    assert two[0].got() == []
    until.set()
    await chat.settled()
    assert len(two[0].got()) == 1


async def test_nothing_is_lost_while_the_token_is_wrong(
    chat: Chat, two: tuple[Phone, Phone], caplog: pytest.LogCaptureFixture
) -> None:
    chat.fake.token = "EAAnew"
    await ask_everything(*two)
    with caplog.at_level(logging.ERROR):
        await chat.alarmed()
    assert two[0].got() == two[1].got() == []
    chat.fake.token = TOKEN
    await chat.settled()
    await in_order(chat, two[0])
    await in_order(chat, two[1])
    said_aloud = [record.getMessage() for record in caplog.records if record.name == "bot.deliver"]
    assert any("account" in line and "190" in line for line in said_aloud)
    assert not [line for line in said_aloud if "31" in line.split("outbox")[0] or "NL." in line]


async def test_what_will_never_be_taken_is_given_up_and_the_rest_goes_on(chat: Chat, two: tuple[Phone, Phone]) -> None:
    chat.fake.faults.append(Fault(code=131049, to=two[0].person.user_id))
    await ask_everything(two[0])
    await chat.settled()
    assert chat.fake.outcomes() == ["131049", "taken", "taken"]
    assert await chat.ask("SELECT count(*) FROM outbox WHERE outcome = 'failed:refused'") == 1
    await chat.change("UPDATE outbox SET outcome = 'sent' WHERE outcome = 'failed:refused'")


async def test_200_answers_go_out_under_the_limits(chat: Chat, two: tuple[Phone, Phone]) -> None:
    people = [Person(f"m{n}", f"316700000{n:02}", f"NL.7{n:02}") for n in range(100)]
    messages = [calls.message(person, calls.text(text)) for text in ("/taal", "/stop") for person in people]
    await chat.fake.deliver(
        calls.call(*(calls.value(people, messages=messages[n : n + 50]) for n in range(0, 200, 50)))
    )
    await chat.settled(40)
    assert [len(chat.fake.taken(person)) for person in people] == [2] * 100
    assert all("automatische" in said(chat.fake.taken(person)[0]) for person in people)
