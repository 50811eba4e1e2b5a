"""The webhook as a stranger meets it: wrong secrets, sizes, methods, slow senders, and whatever a fuzzer makes up."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import text

from bot import webhooks
from bot.commands import serve
from bot.commands.rasa_side import free_port
from bot.settings import Settings
from tests.channels.mutations import ANYTHING, mutated
from tests.channels.telegram_bot import PATH, SECRET, Bot, by_webhook
from tests.channels.telegram_payloads import PAYLOADS, READABLE
from tests.conftest import fresh_database
from tests.fakes.telegram_methods import Json
from tests.fakes.telegram_queue import SECRET_HEADER

_numbers = itertools.count(600_000_001)
GOOD = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
MOST = 3_000_000


@pytest.fixture(scope="module")
async def bot(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Bot]:
    async with fresh_database(server) as url, by_webhook(settings, rasa_url, url) as opened:
        opened.fake.strangers = True
        yield opened


def update(name: str = "a poll") -> Json:
    """A recorded update under a number of its own."""
    return {**READABLE[name], "update_id": next(_numbers)}


def padded(length: int) -> bytes:
    body = json.dumps(update()).encode()
    return body + b" " * (length - len(body))


async def stored(bot: Bot) -> int:
    async with bot.site.database.connect() as link:
        return int((await link.execute(text("SELECT count(*) FROM inbox"))).scalar_one())


async def post(bot: Bot, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, bot.site.url + PATH, data=body, headers=GOOD if headers is None else headers) as answer,
    ):
        return answer.status


BODY = json.dumps(update()).encode()
REFUSED = {
    "no secret": ("POST", {}, BODY, 401),
    "an empty secret": ("POST", {SECRET_HEADER: ""}, BODY, 401),
    "a wrong secret": ("POST", {SECRET_HEADER: SECRET + "x"}, BODY, 401),
    "half a secret": ("POST", {SECRET_HEADER: SECRET[:-1]}, BODY, 401),
    "a secret that is not ASCII": ("POST", {SECRET_HEADER: "şifre"}, BODY, 401),
    "the secret somewhere else": ("POST", {"Authorization": SECRET}, BODY, 401),
    "no secret and 3 MB": ("POST", {}, b"x" * MOST, 401),
    "GET": ("GET", GOOD, b"", 405),
    "PUT": ("PUT", GOOD, BODY, 405),
    "DELETE": ("DELETE", GOOD, b"", 405),
    "nothing at all": ("POST", GOOD, b"", 400),
    "half a JSON": ("POST", GOOD, BODY[:-2], 400),
    "not UTF-8": ("POST", GOOD, b'{"update_id": 1, "x": "\xff\xfe"}', 400),
    "a list": ("POST", GOOD, b"[" + BODY + b"]", 400),
    "a number": ("POST", GOOD, b"7", 400),
    "deep nesting": ("POST", GOOD, b"[" * 60_000, 400),
    "an endless number": ("POST", GOOD, b'{"update_id": ' + b"9" * 5000 + b"}", 400),
    "a form": ("POST", GOOD, b"update_id=1&message=hoi", 400),
    "3 MB and one byte": ("POST", GOOD, padded(MOST + 1), 413),
    "what claims to be packed": ("POST", {**GOOD, "Content-Encoding": "gzip"}, BODY, 400),
    "a bomb": ("POST", {**GOOD, "Content-Encoding": "gzip"}, gzip.compress(padded(MOST * 4)), 413),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(bot: Bot, name: str) -> None:
    method, headers, body, status = REFUSED[name]
    before = await stored(bot)
    assert await post(bot, body, headers, method) == status
    assert await stored(bot) == before


async def test_a_secret_of_raw_bytes(bot: Bot) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: ".encode() + b"\xff\xfe\r\nContent-Length: 0\r\n\r\n"
    async with connection(bot.site.url) as (reader, writer):
        writer.write(head)
        assert b" 401 " in await reader.readline()


async def test_a_body_without_a_length_is_cut_off(bot: Bot) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 100_000

    before = await stored(bot)
    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(aiohttp.ClientConnectionError):  # closed on us while we were still sending
            async with session.post(bot.site.url + PATH, data=endless(), headers=GOOD) as answer:
                assert answer.status == 413
    assert await stored(bot) == before


async def test_as_much_as_is_allowed(bot: Bot) -> None:
    before = await stored(bot)
    assert await post(bot, padded(MOST)) == 200
    assert await stored(bot) == before + 1


async def test_a_replay_is_acknowledged_and_ignored(bot: Bot) -> None:
    before, first = await stored(bot), update()
    other_bytes = json.dumps(dict(reversed(first.items())), indent=3, ensure_ascii=False).encode()
    statuses = [await post(bot, body) for body in (json.dumps(first).encode(), other_bytes, other_bytes)]
    at_once = await asyncio.gather(*(post(bot, other_bytes) for _ in range(5)))
    assert {*statuses, *at_once} == {200}
    assert await stored(bot) == before + 1


@contextlib.asynccontextmanager
async def connection(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_a_body_that_trickles(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_BODY_SECONDS", 0.3)
    before = await stored(bot)
    async with connection(bot.site.url) as (reader, writer):
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        writer.write(head.encode())
        answer = asyncio.create_task(reader.readline())
        for byte in BODY[:-1]:
            writer.write(bytes([byte]))
            if (await asyncio.wait([answer], timeout=0.02))[0]:
                break
        assert b" 408 " in await answer
    assert await stored(bot) == before


async def test_headers_that_never_end(
    settings: Settings, rasa_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program as it is started: a connection that does not come to the point is closed."""
    monkeypatch.setattr(serve, "_IDLE", 0.3)
    port, loop = free_port(), asyncio.get_running_loop()
    program = asyncio.create_task(serve.serve(replace(settings, nlu_url=rasa_url), database_url, "127.0.0.1", port))
    try:
        while True:
            with contextlib.suppress(OSError):
                async with connection(f":{port}") as (reader, writer):
                    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Slow: ".encode())
                    assert await asyncio.wait_for(reader.read(), 20) == b""
                    break
            await asyncio.sleep(0.05)
    finally:
        program.cancel()
        await asyncio.wait([program])
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


_SIGNS = st.characters(min_codepoint=33, max_codepoint=0x17F, exclude_categories=["Cc"])  # what a client can send
fuzz = effort(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
BODIES = (ANYTHING | mutated(list(PAYLOADS.values()))).map(lambda value: json.dumps(value).encode()) | st.binary(
    max_size=200
)


@fuzz
@given(body=BODIES, secret=st.none() | st.text(_SIGNS, max_size=40))
async def test_fuzz_without_the_secret(bot: Bot, body: bytes, secret: str | None) -> None:
    before = await stored(bot)
    assert await post(bot, body, {SECRET_HEADER: secret} if secret else {}) == 401
    assert await stored(bot) == before


@fuzz
@given(body=BODIES)
async def test_fuzz_with_the_secret(bot: Bot, body: bytes) -> None:
    assert await post(bot, body) in (200, 400)


async def test_afterwards_everything_adds_up(bot: Bot) -> None:
    """Whatever the fuzzer sent: it is closed, nothing of it failed us, and a person is answered as ever."""
    async with asyncio.timeout(60):
        while await waiting(bot):
            await asyncio.sleep(0.1)
    person = bot.person()
    [reply] = await person.says("/start")
    assert "Tekkie" in reply["text"]
    books = await bot.books()
    assert not [outcome for outcome in books.inbox if outcome.startswith("dead") and outcome != "dead:unreadable"]


async def waiting(bot: Bot) -> int:
    async with bot.site.database.connect() as link:
        return int((await link.execute(text("SELECT count(*) FROM inbox WHERE outcome IS NULL"))).scalar_one())
