"""The fake itself: what the real Bot API would refuse must not pass, what it takes must."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.telegram import TOKEN, FakeTelegram, telegram
from tests.fakes.telegram_faults import slower
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_methods import Json

CHAT = 5011223344
TEXT: Json = {"chat_id": CHAT, "text": "Dag."}
UPDATE: Json = {"message": {"message_id": 1, "date": 1, "chat": {"id": CHAT, "type": "private"}, "text": "hoi"}}


def keyboard(**button: object) -> Json:
    return {**TEXT, "reply_markup": {"inline_keyboard": [[{"text": "Ja", "callback_data": "/ja", **button}]]}}


REFUSED = {
    "no text": ("sendMessage", {"chat_id": CHAT}),
    "empty text": ("sendMessage", {**TEXT, "text": " \n"}),
    "4,097 units": ("sendMessage", {**TEXT, "text": "😀" * 2048 + "a"}),
    "an unknown key": ("sendMessage", {**TEXT, "reply_to": 5}),
    "an unknown key inside": ("sendMessage", keyboard(colour="red")),
    "a key of the wrong kind": ("sendMessage", {**TEXT, "reply_parameters": {"message_id": "laatste"}}),
    "a button without text": ("sendMessage", keyboard(text=" ")),
    "no data": ("sendMessage", keyboard(callback_data="")),
    "65 bytes of data": ("sendMessage", keyboard(callback_data="é" * 32 + "x")),
    "an empty row": ("sendMessage", {**TEXT, "reply_markup": {"inline_keyboard": [[]]}}),
    "a venue without an address": (
        "sendVenue",
        {"chat_id": CHAT, "latitude": 1.0, "longitude": 2.0, "title": "x", "address": ""},
    ),
    "a latitude in words": (
        "sendVenue",
        {"chat_id": CHAT, "latitude": "[1]", "longitude": 2.0, "title": "x", "address": "y"},
    ),
    "no such action": ("sendChatAction", {"chat_id": CHAT, "action": "thinking"}),
    "a command with a capital": ("setMyCommands", {"commands": [{"command": "Taal", "description": "Kies"}]}),
    "a description of 513": ("setMyDescription", {"description": "x" * 513, "language_code": "nl"}),
    "a webhook over http": ("setWebhook", {"url": "http://tekkie.example/webhooks/telegram"}),
    "a secret with a space": ("setWebhook", {"url": "https://tekkie.example", "secret_token": "a b"}),
}
TAKEN = {
    "text": ("sendMessage", TEXT),
    "4,096 units": ("sendMessage", {**TEXT, "text": "😀" * 2048}),
    "64 bytes of data": ("sendMessage", keyboard(callback_data="é" * 32)),
    "commands": (
        "setMyCommands",
        {"commands": [{"command": "dil", "description": "Dil seçin"}], "language_code": "tr"},
    ),
    "a name": ("setMyName", {"name": "Tekkie", "language_code": "ar"}),
    "a description": ("setMyDescription", {"description": "x" * 512, "language_code": "nl"}),
    "a short one": ("setMyShortDescription", {"short_description": "x" * 120}),
    "who am I": ("getMe", {}),
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with telegram(strangers=True) as opened:
        yield opened


async def call(fake: FakeTelegram, method: str, values: Json, token: str = TOKEN) -> tuple[int, Json]:
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fake.url}/bot{token}/{method}", data=form) as response,
    ):
        return response.status, await response.json()


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(fake: FakeTelegram, name: str) -> None:
    status, answer = await call(fake, *REFUSED[name])
    assert (status, answer["ok"], len(fake.refused)) == (400, False, 1)


@pytest.mark.parametrize("name", TAKEN)
async def test_taken(fake: FakeTelegram, name: str) -> None:
    status, answer = await call(fake, *TAKEN[name])
    assert (status, answer["ok"], fake.refused) == (200, True, [])


async def test_strangers_old_queries_and_wrong_tokens(fake: FakeTelegram) -> None:
    fake.strangers = False
    assert (await call(fake, "sendMessage", TEXT))[1]["description"] == "Bad Request: chat not found"
    assert (await call(fake, "answerCallbackQuery", {"callback_query_id": "1"}))[0] == 400
    assert (await call(fake, "getMe", {}, token="1:x"))[0] == 401
    assert (await call(fake, "inventedMethod", {}))[0] == 404
    assert fake.refused == []  # not the bot's fault


async def test_limits(fake: FakeTelegram) -> None:
    assert [(await call(fake, "sendMessage", TEXT))[0] for _ in range(2)] == [200, 429]
    fake.limits = Limits(per_second=3, chat_seconds=0.0)
    assert [(await call(fake, "sendMessage", TEXT))[0] for _ in range(4)] == [200, 200, 200, 429]
    assert len(fake.limits.too_fast) == 1
    fake.limits = Limits()
    fake.faults[CHAT] = [slower(3)]
    answers = [await call(fake, "sendMessage", TEXT) for _ in range(2)]
    assert [answer["parameters"]["retry_after"] for _, answer in answers] == [3, 1]
    assert len(fake.limits.too_fast) == 1  # the second did not wait


async def test_updates_stay_until_confirmed(fake: FakeTelegram) -> None:
    first, second, third = (fake.push(UPDATE) for _ in range(3))

    async def fetched(**values: object) -> list[int]:
        return [update["update_id"] for update in (await call(fake, "getUpdates", values))[1]["result"]]

    assert await fetched(limit=2) == [first, second]
    assert await fetched() == [first, second, third]
    assert await fetched(offset=second, allowed_updates=["message"]) == [second, third]
    assert await fetched(offset=third + 1) == []
    fake.push({"channel_post": UPDATE["message"]})  # not asked for
    assert await fetched() == []


async def test_one_way_in_at_a_time(fake: FakeTelegram) -> None:
    assert (await call(fake, "setWebhook", {"url": "https://tekkie.example"}))[0] == 200
    assert (await call(fake, "getUpdates", {}))[0] == 409
    assert (await call(fake, "getWebhookInfo", {}))[1]["result"]["url"] == "https://tekkie.example"
    assert (await call(fake, "deleteWebhook", {}))[0] == 200
    assert (await call(fake, "getUpdates", {}))[0] == 200
