"""A small Telegram: the methods of the Bot API that the bot uses, over real HTTP.

It keeps chats as people see them, records every call, refuses what the real one refuses, and injects faults.
`refused` and `too_fast` must be empty at the end of a test that does not ask for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes import telegram_faults as faults
from tests.fakes.telegram_faults import Failed, Fault
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_methods import METHODS, Json, problems, read
from tests.fakes.telegram_queue import Queue
from tests.fakes.telegram_topics import Topics

TOKEN = "123456789:AAfakefakefakefakefakefakefakefakefak"
BOT: Json = {"id": 123456789, "is_bot": True, "first_name": "Tekkie", "username": "tekkie_test_bot"}
MESSAGES = ("sendMessage", "sendVenue")


@dataclass
class Call:
    """One call of the bot. `client` is the path before /bot<token>: which process called; `status` what it got."""

    client: str
    method: str
    values: Json
    status: int = 0

    @property
    def chat(self) -> int:
        return int(self.values.get("chat_id", 0))


@dataclass
class FakeTelegram:
    """The state of the world, and the server; open it with `telegram()`."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    strangers: bool = False  # whether chats that never wrote can be written to
    known: dict[int, Json] = field(default_factory=dict)  # chats by id
    blocked: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)
    faults: dict[int, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    queries: set[str] = field(default_factory=set)  # pressed buttons that wait for an answer
    messages: dict[int, list[Json]] = field(default_factory=lambda: defaultdict(list))  # of the bot, per chat
    topics: Topics = field(default_factory=Topics)
    settings: dict[tuple[str, str], Json] = field(default_factory=dict)  # (method, language) -> what was set
    on_taken: Callable[[Call], None] = lambda _: None  # a call has had its effect, its answer is not out yet
    changes: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.queue = Queue(self.changed)
        self._numbers = itertools.count(1001)

    def number(self) -> int:
        """A new message id."""
        return next(self._numbers)

    def push(self, update: Json) -> int:
        """Something happened in a chat; its update_id."""
        for part in update.values():
            message = part.get("message", part) if isinstance(part, dict) else {}
            chat = message.get("chat") if isinstance(message, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                self.known[chat["id"]] = chat
        if "callback_query" in update and isinstance(update["callback_query"], dict):
            self.queries.add(str(update["callback_query"].get("id")))
        return self.queue.push(update)

    def of(self, method: str, chat: int | None = None) -> list[Call]:
        """The calls of one method, in order."""
        return [call for call in self.calls if call.method == method and chat in (None, call.chat)]

    def changed(self) -> None:
        self.changes.set()
        self.changes = asyncio.Event()

    async def until[T](self, done: Callable[[], T], seconds: float = 20.0) -> T:
        """Wait for calls until `done` gives something true."""
        try:
            async with asyncio.timeout(seconds):
                while not (result := done()):
                    await self.changes.wait()
                return result
        except TimeoutError:
            last = [(call.method, call.status, call.values) for call in self.calls[-8:]]
            raise AssertionError(f"waited in vain; the last calls: {last}") from None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        call = Call(request.match_info["client"].strip("/"), method, {})
        try:
            if request.match_info["token"] != TOKEN:
                raise Failed(faults.UNAUTHORIZED)
            if method not in METHODS:
                raise Failed(faults.NO_METHOD)
            call.values = read(method, {name: str(value) for name, value in (await request.post()).items()})
            self.calls.append(call)
            if found := problems(method, call.values):
                self.refused.append(f"{method}: {'; '.join(found)}")
                raise Failed(Fault(400, f"Bad Request: {found[0]}"))
            fault = self._fault(call)
            result = await self._answer(call)
            self.on_taken(call)
            self.changed()
        except Failed as failed:
            return self._finish(call, failed.fault, None)
        if fault.answers:
            await fault.answers.wait()
        if fault.dropped and request.transport:
            request.transport.abort()
        return self._finish(call, fault, result)

    def _finish(self, call: Call, fault: Fault, result: object) -> web.Response:
        call.status = 0 if fault.dropped else fault.status
        self.changed()
        if fault.html:
            return web.Response(status=fault.status, text="<html><h1>502 Bad Gateway</h1></html>")
        if fault.status == 200:
            return web.json_response({"ok": True, "result": result})
        body: Json = {"ok": False, "error_code": fault.status, "description": fault.description}
        body |= {"parameters": fault.parameters} if fault.parameters else {}
        return web.json_response(body, status=fault.status)

    def _fault(self, call: Call) -> Fault:
        """What was ordered for this message; raises Failed when it does not get through."""
        waiting = self.faults[call.chat] if call.method in MESSAGES else []
        if not waiting:
            return Fault()
        fault = waiting.pop(0)
        if "retry_after" in fault.parameters:
            self.limits.hold(call.chat, fault.parameters["retry_after"])
        if not fault.taken:
            raise Failed(fault)
        return fault

    async def _answer(self, call: Call) -> object:
        values = call.values
        match call.method:
            case "getMe":
                return {**BOT, "can_join_groups": True, "can_read_all_group_messages": False}
            case "getUpdates":
                seconds, limit = float(values.get("timeout", 0)), int(values.get("limit", 100))
                return await self.queue.fetch(values.get("offset", 0), limit, seconds, values.get("allowed_updates"))
            case "setWebhook":
                secret, allowed = values.get("secret_token", ""), values.get("allowed_updates")
                self.queue.set_webhook(values["url"], secret, allowed)
            case "deleteWebhook":
                self.queue.delete_webhook(bool(values.get("drop_pending_updates")))
            case "getWebhookInfo":
                webhook = self.queue.webhook
                waiting = len(self.queue.pending)
                return {
                    "url": webhook.url if webhook else "",
                    "has_custom_certificate": False,
                    "pending_update_count": waiting,
                }
            case "sendMessage" | "sendVenue":
                return self._send(call)
            case "sendChatAction":
                self._reach(call.chat)
            case "answerCallbackQuery":
                self._answer_query(values["callback_query_id"])
            case "editMessageReplyMarkup":
                return self._edit(call)
            case "createForumTopic":
                self._reach(call.chat)
                return self.topics.open(call.chat, values["name"])
            case "closeForumTopic":
                self.topics.close(call.chat, values["message_thread_id"])
            case _:
                self.settings[call.method, values.get("language_code", "")] = values
        return True

    def _reach(self, chat: int) -> None:
        if chat in self.moved:
            raise Failed(faults.moved(self.moved[chat]))
        if chat in self.blocked:
            raise Failed(faults.BLOCKED if chat > 0 else faults.KICKED)
        if chat not in self.known and not self.strangers:
            raise Failed(faults.NOT_FOUND)

    def _send(self, call: Call) -> Json:
        self._reach(call.chat)
        self.topics.find(call.chat, call.values)
        if seconds := self.limits.take(call.chat):
            raise Failed(faults.slower(seconds))
        chat = self.known.get(call.chat, {"id": call.chat, "type": "private", "first_name": "?"})
        message: Json = {"message_id": self.number(), "from": BOT, "chat": chat, "date": int(time.time())}
        if call.method == "sendMessage":
            message["text"] = call.values["text"]
        else:
            point = {name: call.values[name] for name in ("latitude", "longitude")}
            venue = {"location": point, "title": call.values["title"], "address": call.values["address"]}
            message |= {"location": point, "venue": venue}
        message |= {name: call.values[name] for name in ("message_thread_id",) if name in call.values}
        if "reply_markup" in call.values:
            message["reply_markup"] = call.values["reply_markup"]
        self.messages[call.chat].append(message)
        return message

    def _answer_query(self, query: str) -> None:
        if query not in self.queries:
            raise Failed(faults.OLD_QUERY)
        self.queries.discard(query)

    def _edit(self, call: Call) -> Json:
        self._reach(call.chat)
        number, markup = call.values["message_id"], call.values.get("reply_markup")
        message = next((m for m in self.messages[call.chat] if m["message_id"] == number), None)
        if message is None:
            raise Failed(faults.NO_MESSAGE)
        if message.get("reply_markup") == markup:
            raise Failed(faults.NOT_MODIFIED)
        message["reply_markup"] = markup
        return message


@contextlib.asynccontextmanager
async def telegram(**world: Any) -> AsyncIterator[FakeTelegram]:
    """A Telegram on a free port; `world` are fields of FakeTelegram."""
    fake = FakeTelegram(**world)
    app = web.Application()
    app.router.add_post("/{client:.*?}bot{token:[0-9]+:[^/]+}/{method}", fake.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        fake.queue.close()
        await runner.cleanup()
