"""A reply -> the exact calls of the Bot API; and what each failure means in our words."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.channels.telegram import Telegram
from bot.commands.rasa_side import free_port
from bot.messages import Button, Failure, Limits, NotSent, Outgoing, Place, Reply
from bot.settings import Telegram as Account
from tests.channels.telegram_bot import SECRET
from tests.fakes import telegram_faults as faults
from tests.fakes.telegram import TOKEN, FakeTelegram, telegram
from tests.fakes.telegram_faults import Fault
from tests.fakes.telegram_limits import Limits as Judge
from tests.fakes.telegram_methods import Json, units

CHAT = 5011223344
LANGUAGES = (Button("Nederlands", "language:nl"), Button("Türkçe", "language:tr"), Button("العربية", "language:ar"))
CODAM = Place("Codam", "Marineterrein, Amsterdam", 52.3745, 4.9155)
LONG = '/test_answer{"choice":"' + "z" * 60 + '"}'
ARABIC = '/place{"place":"' + "ش" * 25 + '"}'  # 43 letters, 68 bytes


def message(text: str, rows: list[list[tuple[str, str]]] | None = None, quote: int | None = None) -> tuple[str, Json]:
    """An expected sendMessage."""
    values: Json = {"chat_id": CHAT, "text": text, "link_preview_options": {"is_disabled": True}}
    if rows:
        keyboard = [[{"text": title, "callback_data": data} for title, data in row] for row in rows]
        values["reply_markup"] = {"inline_keyboard": keyboard}
    return "sendMessage", values | quoting(quote)


def venue(**more: object) -> tuple[str, Json]:
    where: Json = {"latitude": 52.3745, "longitude": 4.9155, "title": "Codam", "address": "Marineterrein, Amsterdam"}
    return "sendVenue", {"chat_id": CHAT, **where, **more}


def quoting(quote: int | None) -> Json:
    return {"reply_parameters": {"message_id": quote, "allow_sending_without_reply": True}} if quote else {}


def stand_in(payload: str) -> str:
    return "#" + hashlib.sha256(payload.encode()).hexdigest()[:32]


def say(text: str, *buttons: Button, quote: str | None = None, place: Place | None = None) -> Outgoing:
    return Outgoing(str(CHAT), Reply(text, buttons, place), quote=quote)


A, B, C = "a" * 4000, "b" * 4000, "c" * 4000
KEYBOARD = [[("Nederlands", "language:nl"), ("Türkçe", "language:tr"), ("العربية", "language:ar")]]
SENDING = {
    "words": (say("Dag."), [message("Dag.")]),
    "what looks like markup is no markup": (say("<b>*a*_b_</b> & [x](y)"), [message("<b>*a*_b_</b> & [x](y)")]),
    "a link without its picture": (say("Zie https://example.org"), [message("Zie https://example.org")]),
    "Arabic": (say("مرحباً، أنا Tekkie."), [message("مرحباً، أنا Tekkie.")]),
    "a reply in context": (say("Ja.", quote="2101"), [message("Ja.", quote=2101)]),
    "short buttons side by side": (say("Welke taal?", *LANGUAGES), [message("Welke taal?", KEYBOARD)]),
    "a long button alone": (
        say("En nu?", Button("Kan ik ook zonder diploma beginnen?", "/no_diploma"), Button("Nee", "/deny")),
        [message("En nu?", [[("Kan ik ook zonder diploma beginnen?", "/no_diploma")], [("Nee", "/deny")]])],
    ),
    "a button that does not fit beside another": (
        say("Kies", Button("Wat kost het per jaar?", "/cost"), Button("Salaris", "/salary"), Button("Ja", "/affirm")),
        [message("Kies", [[("Wat kost het per jaar?", "/cost")], [("Salaris", "/salary"), ("Ja", "/affirm")]])],
    ),
    "eight buttons": (
        say("Kies", *(Button(f"Keuze nummer {n}", f"/choice_{n}") for n in range(8))),
        [message("Kies", [[(f"Keuze nummer {n}", f"/choice_{n}")] for n in range(8)])],
    ),
    "a quote and buttons": (
        say("Kies", LANGUAGES[1], quote="7"),
        [message("Kies", [[("Türkçe", "language:tr")]], quote=7)],
    ),
    "data of 64 bytes": (
        say("Kies", Button("A", "/" + "x" * 63)),
        [message("Kies", [[("A", "/" + "x" * 63)]])],
    ),
    "data of 65 bytes": (
        say("Kies", Button("A", "/" + "x" * 64)),
        [message("Kies", [[("A", stand_in("/" + "x" * 64))]])],
    ),
    "data too long": (say("Kies", Button("A", LONG)), [message("Kies", [[("A", stand_in(LONG))]])]),
    "letters of two bytes count double": (
        say("اختر", Button("شيء", ARABIC)),
        [message("اختر", [[("شيء", stand_in(ARABIC))]])],
    ),
    "a spot on the map": (say("", place=CODAM), [venue()]),
    "a spot on the map in context": (say("Codam", place=CODAM, quote="9"), [venue(**quoting(9))]),
    "a spot on the map with a button": (
        say("", LANGUAGES[0], place=CODAM),
        [venue(reply_markup={"inline_keyboard": [[{"text": "Nederlands", "callback_data": "language:nl"}]]})],
    ),
    "4,096 characters": (say("a" * 4096), [message("a" * 4096)]),
    "two paragraphs": (say(f"{A}\n\n{B}"), [message(A), message(B)]),
    "two sentences": (say(f"{A}. {B}?"), [message(A + "."), message(B + "?")]),
    "two Arabic sentences": (say("س" * 3000 + "؟ " + "ش" * 3000), [message("س" * 3000 + "؟"), message("ش" * 3000)]),
    "one endless word": (say("a" * 5000), [message("a" * 4096), message("a" * 904)]),
    "emoji count double": (say("😀" * 2049), [message("😀" * 2048), message("😀")]),
    "long, in context, with buttons": (
        say(f"{A}\n\n{B}", *LANGUAGES, quote="7"),
        [message(A, quote=7), message(B, KEYBOARD)],
    ),
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with telegram(strangers=True, limits=Judge(chat_seconds=0.0)) as opened:
        yield opened


@pytest.fixture
async def channel(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    """Without the pause between pieces: pacing has its own tests."""
    async with Telegram(Account(TOKEN, SECRET, api_base=fake.url)) as opened:
        opened.limits = replace(opened.limits, person_seconds=0.0)
        yield opened


@pytest.mark.parametrize("name", SENDING)
async def test_sending(fake: FakeTelegram, channel: Telegram, name: str) -> None:
    outgoing, expected = SENDING[name]
    sent = await channel.send(outgoing)
    assert [(call.method, call.values) for call in fake.calls] == expected
    assert fake.refused == []
    assert sent == str(fake.messages[CHAT][-1]["message_id"])
    assert all(units(call.values.get("text", "")) <= 4096 for call in fake.calls)


async def test_a_group_has_a_negative_number(fake: FakeTelegram, channel: Telegram) -> None:
    await channel.send(replace(say("Dag."), address="-1004112233445"))
    assert [call.chat for call in fake.calls] == [-1004112233445]


FAILURES = {
    "too fast": (faults.slower(7), Failure.SLOWER, 7.0, None),
    "moved": (faults.moved(-1004112233445), Failure.MOVED, 0.0, "-1004112233445"),
    "blocked": (faults.BLOCKED, Failure.BLOCKED, 0.0, None),
    "thrown out of the group": (faults.KICKED, Failure.BLOCKED, 0.0, None),
    "account deleted": (faults.DEACTIVATED, Failure.BLOCKED, 0.0, None),
    "no such chat": (faults.NOT_FOUND, Failure.BLOCKED, 0.0, None),
    "a message it will never take": (faults.REFUSED, Failure.REFUSED, 0.0, None),
    "broken": (faults.BROKEN, Failure.AWAY, 0.0, None),
    "a proxy in between": (faults.BAD_GATEWAY, Failure.AWAY, 0.0, None),
    "connection lost": (faults.DROPPED, Failure.AWAY, 0.0, None),
    "token taken back": (faults.UNAUTHORIZED, Failure.ALARM, 0.0, None),
    "token unknown": (faults.NO_METHOD, Failure.ALARM, 0.0, None),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_failure(fake: FakeTelegram, channel: Telegram, name: str) -> None:
    fault, failure, seconds, address = FAILURES[name]
    fake.faults[CHAT] = [fault]
    with pytest.raises(NotSent) as raised:
        await channel.send(say("Mijn geheim."))
    problem = raised.value
    assert (problem.failure, problem.seconds, problem.address) == (failure, seconds, address)
    assert "geheim" not in str(problem) and str(CHAT) not in str(problem) and TOKEN not in str(problem)


async def test_nobody_there() -> None:
    async with Telegram(Account(TOKEN, SECRET, api_base=f"http://127.0.0.1:{free_port()}")) as channel:
        with pytest.raises(NotSent) as raised:
            await channel.send(say("Dag."))
        assert raised.value.failure is Failure.AWAY


THREE = say(f"{A}\n\n{B}\n\n{C}", LANGUAGES[0], quote="7")


@pytest.mark.parametrize("fault", [faults.slower(1), faults.BROKEN], ids=["too fast", "broken"])
async def test_a_long_reply_goes_on_where_it_stopped(fake: FakeTelegram, channel: Telegram, fault: Fault) -> None:
    fake.faults[CHAT] = [Fault(taken=True), fault]
    with pytest.raises(NotSent):
        await channel.send(THREE)
    fake.limits = Judge(chat_seconds=0.0)
    await channel.send(THREE)
    assert [m["text"] for m in fake.messages[CHAT]] == [A, B, C]
    await channel.send(THREE)  # and the next time it is whole again
    assert [m["text"] for m in fake.messages[CHAT]] == [A, B, C] * 2


async def test_a_long_reply_that_failed_for_good_is_forgotten(fake: FakeTelegram, channel: Telegram) -> None:
    fake.faults[CHAT] = [Fault(taken=True), faults.BLOCKED]
    with pytest.raises(NotSent):
        await channel.send(THREE)
    await channel.send(THREE)
    assert [m["text"] for m in fake.messages[CHAT]] == [A, A, B, C]


def test_what_it_tells_the_deliverer() -> None:
    assert Telegram.limits == Limits(per_second=30.0, person_seconds=1.0)
