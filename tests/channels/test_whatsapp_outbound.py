"""A reply -> exactly this JSON at WhatsApp, over real HTTP, each checked against Meta's schema and our own rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.channels.whatsapp import WhatsApp
from bot.messages import Button, Failure, Incoming, Kind, NotSent, Outgoing, Place, Reply
from tests.fakes.whatsapp import FakeWhatsApp, Fault, said

CASES = yaml.safe_load((Path(__file__).parent.parent / "payloads" / "whatsapp" / "outbound.yml").read_text("utf-8"))
ME = "NL.1"


@pytest.fixture
async def fake() -> AsyncIterator[FakeWhatsApp]:
    async with FakeWhatsApp(templates={"nl": "verder_nl", "ar": "verder_ar"}) as opened:
        opened.rules.heard(ME, "31612345678", "905321112233")
        opened.know("wamid.HBgLMzE2")
        yield opened


async def send(fake: FakeWhatsApp, reply: Reply, to: str = ME, **more: Any) -> str | None:
    async with WhatsApp(fake.account) as channel:
        return await channel.send(Outgoing(to, reply, **more))


@pytest.mark.parametrize("name", CASES)
async def test_reply(fake: FakeWhatsApp, name: str) -> None:
    case = CASES[name]
    wanted = case["reply"]
    buttons = tuple(Button(*button) for button in wanted.get("buttons", []))
    place = Place(**wanted["place"]) if "place" in wanted else None
    key = await send(
        fake,
        Reply(wanted["text"], buttons, place),
        case.get("to", ME),
        language=case.get("language", "nl"),
        quote=case.get("quote"),
    )
    assert [call.payload for call in fake.calls] == case["sends"]
    assert key == fake.calls[-1].key
    assert fake.violations == []


@pytest.mark.parametrize(("length", "kind"), [(1024, "interactive"), (1025, "text")])
async def test_text_above_buttons_has_1024_letters(fake: FakeWhatsApp, length: int, kind: str) -> None:
    await send(fake, Reply("é" * length, (Button("Ja", "/yes"),)))
    [sent] = fake.taken()
    assert sent["type"] == kind
    assert "é" * length in said(sent) and fake.violations == []


async def test_a_long_text_is_cut_between_sentences(fake: FakeWhatsApp) -> None:
    text = " ".join(f"Dit is zin nummer {number} van een heel lang antwoord." for number in range(120))
    await send(fake, Reply(text), quote="wamid.HBgLMzE2")
    one, two = fake.taken()
    assert said(one).endswith(".") and said(two).startswith("Dit is zin")
    assert f"{said(one)} {said(two)}" == text
    assert "context" in one and "context" not in two


async def test_a_long_text_goes_on_where_it_failed(fake: FakeWhatsApp) -> None:
    text = " ".join(f"Dit is zin nummer {number} van een heel lang antwoord." for number in range(120))
    outgoing = Outgoing(ME, Reply(text))
    async with WhatsApp(fake.account) as channel:

        async def break_down(_payload: object, _key: str) -> None:
            fake.faults.append(Fault(status=503))  # from the second piece on
            fake.before_answer = None

        fake.before_answer = break_down
        with pytest.raises(NotSent):
            await channel.send(outgoing)
        await channel.send(outgoing)
        await channel.send(outgoing)  # said once more: from the start
    assert " ".join(said(part) for part in fake.taken()) == f"{text} {text}"


async def test_a_long_text_with_choices_keeps_them_together(fake: FakeWhatsApp) -> None:
    text = "Een regel van het antwoord.\n" * 150
    await send(fake, Reply(text, (Button("Een keuze die te lang is voor een knop", "/a"), Button("Niet", "/b"))))
    assert len(fake.taken()) == 2
    assert said(fake.taken()[1]).endswith(
        "1. Een keuze die te lang is voor een knop\n2. Niet\n\nTyp het nummer van je keuze."
    )


async def test_read_mark_with_typing_sign(fake: FakeWhatsApp) -> None:
    async with WhatsApp(fake.account) as channel:
        await channel.received(
            Incoming("whatsapp", "wamid.HBgLMzE2", ME, Kind.TEXT, "hoi", message_id="wamid.HBgLMzE2")
        )
        await channel.received(Incoming("whatsapp", "wamid.x", ME, Kind.REACTION, message_id="wamid.x"))
    [call] = fake.calls
    assert call.payload == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.HBgLMzE2",
        "typing_indicator": {"type": "text"},
    }


async def test_template_in_the_language_of_the_person(fake: FakeWhatsApp) -> None:
    async with WhatsApp(fake.account) as channel:
        assert await channel.knock(Outgoing("NL.2", Reply("..."), "ar"))
        assert not await channel.knock(Outgoing("NL.2", Reply("..."), "tr"))  # none is configured
    assert fake.taken() == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "recipient": "NL.2",
            "type": "template",
            "template": {"name": "verder_ar", "language": {"code": "ar"}},
        }
    ]


async def test_131062_falls_back_to_the_phone_number(fake: FakeWhatsApp) -> None:
    fake.faults.append(Fault(code=131062, to=ME))
    assert await send(fake, Reply("hoi"), alias="31612345678")
    assert [(call.to, call.outcome) for call in fake.calls] == [(ME, "131062"), ("31612345678", "taken")]
    fake.faults.append(Fault(code=131062, to=ME))
    with pytest.raises(NotSent) as problem:
        await send(fake, Reply("hoi"))  # no number known
    assert problem.value.failure is Failure.REFUSED


FAILURES: dict[str, tuple[Fault, Failure, bool]] = {
    "too fast to one person": (Fault(code=131056), Failure.SLOWER, False),
    "too fast over all": (Fault(code=130429), Failure.SLOWER, True),
    "too many calls": (Fault(code=4), Failure.SLOWER, True),
    "429 of a proxy": (Fault(status=429), Failure.SLOWER, True),
    "window closed": (Fault(code=131047), Failure.CLOSED, False),
    "no WhatsApp there": (Fault(code=131026), Failure.BLOCKED, False),
    "spam limit": (Fault(code=131048), Failure.REFUSED, False),
    "token": (Fault(code=190), Failure.ALARM, False),
    "no permission": (Fault(code=200), Failure.ALARM, False),
    "401 of a proxy": (Fault(status=401), Failure.ALARM, False),
    "a code nobody knows with 500": (Fault(code=131000), Failure.AWAY, False),
    "500 in HTML": (Fault(status=500), Failure.AWAY, False),
    "503 in HTML": (Fault(status=503), Failure.AWAY, False),
    "400 in HTML": (Fault(status=400), Failure.AWAY, False),
    "connection lost": (Fault(lost=True), Failure.AWAY, False),
    "connection lost after it was taken": (Fault(cut=True), Failure.AWAY, False),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_failures_in_our_words(fake: FakeWhatsApp, name: str) -> None:
    fault, failure, everyone = FAILURES[name]
    fault.times = 1
    fake.faults.append(fault)
    with pytest.raises(NotSent) as problem:
        await send(fake, Reply("mijn geheim"))
    assert problem.value.failure is failure
    if failure is Failure.SLOWER:
        assert (problem.value.everyone, problem.value.seconds > 0) == (everyone, True)
    assert "geheim" not in str(problem.value) and ME not in str(problem.value)


async def test_a_wrong_number_id_is_our_own_fault(fake: FakeWhatsApp) -> None:
    async with WhatsApp(replace(fake.account, number_id="1")) as channel:
        with pytest.raises(NotSent) as problem:
            await channel.send(Outgoing(ME, Reply("hoi")))
    assert problem.value.failure is Failure.ALARM


async def test_nobody_listens() -> None:
    async with FakeWhatsApp() as fake:
        account = fake.account
    async with WhatsApp(account) as channel:
        with pytest.raises(NotSent) as problem:
            await channel.send(Outgoing(ME, Reply("hoi")))
    assert problem.value.failure is Failure.AWAY


async def test_a_file_is_fetched_with_the_token(fake: FakeWhatsApp) -> None:
    fake.files = {
        "1003383421387256": ("audio/ogg; codecs=opus", b"OggS" * 50_000),
        "7": ("video/mp4", b"x" * 17_000_000),
    }
    async with WhatsApp(fake.account) as channel:
        assert await channel.download("1003383421387256") == ("audio/ogg", b"OggS" * 50_000)
        _, content = await channel.download("7")
        assert len(content) <= 16 * 1024 * 1024 + 65_536  # what is longer is not read to its end
        with pytest.raises(LookupError):
            await channel.download("gone")
        fake.token = "EAAnew"
        with pytest.raises(NotSent) as problem:
            await channel.download("1003383421387256")
        assert problem.value.failure is Failure.AWAY
