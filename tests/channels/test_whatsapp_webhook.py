"""The door WhatsApp knocks on: only signed calls come in, and no call, however odd, breaks anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.whatsapp_updates import parse_call
from bot.commands.accounts import count
from bot.settings import Settings
from tests.channels.whatsapp_recorded import cases
from tests.channels.whatsapp_site import Chat, chatting
from tests.conftest import fresh_database
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import SECRET, VERIFY
from tests.fakes.whatsapp_rules import Person

ANNA = Person("Anna", "31699999999", "NL.9")
SIGNATURE = "X-Hub-Signature-256"
_STORED = "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM receipt)"
Json = dict[str, Any]


@pytest.fixture(scope="module")
async def chat(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Chat]:
    async with fresh_database(server) as url, chatting(settings, rasa_url, url) as opened:
        yield opened
        await opened.settled()
        assert (await count(opened.site.database)).problems == ()
        assert set(opened.fake.violations) <= {"a message id nobody sent"}  # read marks: calls here are made by hand


def body_of(text: str = "hoi") -> bytes:
    messages, statuses = [calls.message(ANNA, calls.text(text))], [calls.status("wamid.unknown", "read", ANNA)]
    return calls.raw(calls.call(calls.value([ANNA], messages=messages), calls.value(statuses=statuses)))


def signed(body: bytes) -> dict[str, str]:
    return {SIGNATURE: calls.signature(body, SECRET)}


BODY = body_of()
SPOOFED = {
    "no signature": {},
    "empty signature": {SIGNATURE: ""},
    "another secret": {SIGNATURE: calls.signature(BODY, "guess")},
    "no prefix": {SIGNATURE: calls.signature(BODY, SECRET).removeprefix("sha256=")},
    "capitals": {SIGNATURE: calls.signature(BODY, SECRET).upper()},
    "sha1": {"X-Hub-Signature": "sha1=" + "0" * 40},
    "of another call": signed(body_of("iets anders")),
    "of the same call in other bytes": signed(calls.raw(json.loads(BODY), random.Random(1))),
    "not ASCII": {SIGNATURE: "sha256=ğ"},
    "endless": {SIGNATURE: "sha256=" + "0" * 5000},
}


@pytest.mark.parametrize("name", SPOOFED)
async def test_unsigned_calls_are_401_and_leave_nothing(chat: Chat, name: str) -> None:
    before = await chat.ask(_STORED)
    assert await chat.fake.post(BODY, SPOOFED[name]) == 401
    assert await chat.ask(_STORED) == before


async def test_a_signature_of_bytes_that_are_no_text(chat: Chat) -> None:
    status = await raw_request(chat, b"X-Hub-Signature-256: sha256=\xff\xfe\r\n", BODY)
    assert status == 401


async def test_a_signed_call_comes_in_once_however_often_it_is_replayed(chat: Chat) -> None:
    body = body_of("nog eens")
    before = await chat.ask(_STORED)
    assert [await chat.fake.post(body, signed(body)) for _ in range(3)] == [200] * 3
    assert await chat.ask(_STORED) - before == 2


SIGNED = {
    "half a JSON": (BODY[:-9], 400),
    "nothing": (b"", 400),
    "not UTF-8": (b'{"object": "\xff\xfe"}', 400),
    "a list": (b"[1]", 400),
    "a number": (b"7", 400),
    "deep nesting": (b"[" * 100_000, 400),
    "an endless number": (b'{"entry": ' + b"9" * 5000 + b"}", 400),
    "an empty object": (b"{}", 200),
    "no entries": (b'{"object": "whatsapp_business_account", "entry": null}', 200),
    "3 MB": (b"{}" + b" " * 2_999_998, 200),
    "3 MB and one byte": (b"{}" + b" " * 2_999_999, 413),
}


@pytest.mark.parametrize("name", SIGNED)
async def test_signed_but_odd(chat: Chat, name: str) -> None:
    body, status = SIGNED[name]
    before = await chat.ask(_STORED)
    assert await chat.fake.post(body, signed(body)) == status
    assert await chat.ask(_STORED) == before


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        ({"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}, 200, "1158201444"),
        ({"hub.mode": "subscribe", "hub.verify_token": "guess", "hub.challenge": "1"}, 403, None),
        ({"hub.mode": "unsubscribe", "hub.verify_token": VERIFY, "hub.challenge": "1"}, 403, None),
        ({"hub.verify_token": VERIFY, "hub.challenge": "1"}, 403, None),
        ({"hub.mode": "subscribe", "hub.verify_token": "ğ", "hub.challenge": "1"}, 403, None),
        ({}, 403, None),
    ],
)
async def test_meta_checks_the_address(chat: Chat, query: dict[str, str], status: int, answer: str | None) -> None:
    async with aiohttp.ClientSession() as session, session.get(chat.fake.webhook, params=query) as response:
        assert response.status == status
        assert answer is None or (await response.text(), response.content_type) == (answer, "text/plain")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_wrong_method(chat: Chat, method: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, chat.fake.webhook, data=BODY, headers=signed(BODY)) as response,
    ):
        assert response.status == 405


async def test_a_body_that_trickles_in_is_cut_off(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.webhooks._BODY_SECONDS", 0.3)
    async with trickling(chat) as (reader, writer):
        writer.write(BODY[:5])
        assert (await asyncio.wait_for(reader.readline(), 10)).split()[1] == b"408"


async def test_a_long_body_that_hides_its_length_is_cut_off(chat: Chat) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 100_000

    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(aiohttp.ClientConnectionError):  # closed on us while we were still sending
            async with session.post(chat.fake.webhook, data=endless(), headers={SIGNATURE: "sha256="}) as response:
                assert response.status == 413


async def raw_request(chat: Chat, header: bytes, body: bytes) -> int:
    async with trickling(chat, header, len(body)) as (reader, writer):
        writer.write(body)
        return int((await asyncio.wait_for(reader.readline(), 10)).split()[1])


@contextlib.asynccontextmanager
async def trickling(
    chat: Chat, header: bytes = b"", length: int = len(BODY)
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A POST whose body we write ourselves."""
    where = urlsplit(chat.fake.webhook)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {length}\r\n".encode())
    writer.write(header + b"\r\n")
    try:
        yield reader, writer
    finally:
        writer.close()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def broken_call(draw: st.DrawFn) -> Any:
    """A recorded call with up to three parts replaced by junk, or junk alone."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JUNK)
    call = json.loads(json.dumps(draw(st.sampled_from([case.call for case in cases().values()]))))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(call))
        if places:
            part, key = draw(st.sampled_from(places))
            part[key] = draw(JUNK)
    return call


def _places(part: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        found += [(part, key), *_places(value)]
    return found


QUICK = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@QUICK
@given(broken_call())
def test_whatever_meta_sends_can_be_stored(call: Any) -> None:
    """The parser never raises, and all it makes fits into the database."""
    read = json.loads(json.dumps(call))
    if not isinstance(read, dict):
        return
    messages, receipts = parse_call(read, calls.NUMBER_ID)
    for message in messages:
        for name, value in asdict(message).items():
            assert "\x00" not in str(value or "") and str(value or "").encode() is not None, name
        assert 0 < len(message.external_id) <= 512 and 0 < len(message.address) <= 512
    assert all(0 < len(receipt.platform_id) <= 512 for receipt in receipts)


@settings(QUICK, max_examples=60)
@given(call=broken_call(), number=st.integers(0, 2**32))
async def test_no_call_is_a_5xx(chat: Chat, call: Any, number: int) -> None:
    """Signed: taken or refused for its form. Unsigned: 401 and nothing stored."""
    body = json.dumps(call).encode()
    before = await chat.ask(_STORED)
    assert await chat.fake.post(body, {SIGNATURE: calls.signature(body, str(number))}) == 401
    assert await chat.ask(_STORED) == before
    assert await chat.fake.post(body, signed(body)) in (200, 400)
