"""Updates on their way to the bot: each is kept until the bot confirms it, by the next offset or by a 200."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.fakes.telegram_faults import TWO_READERS, WEBHOOK_SET, Failed
from tests.fakes.telegram_methods import Json

_RETRY_SECONDS = 0.1
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True)
class Webhook:
    url: str
    secret: str


class Queue:
    """What waits for the bot. `doors` maps a public https address to where the bot really listens."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.pending: dict[int, Json] = {}
        self.handed: Counter[int] = Counter()  # how often each update was given to the bot
        self.statuses: list[int] = []  # what the webhook answered, 0 for no answer
        self.webhook: Webhook | None = None
        self.allowed: list[str] | None = None
        self.doors: dict[str, str] = {}
        self._changed = changed
        self._numbers = itertools.count(800_000_001)
        self._arrived = asyncio.Event()
        self._reader: asyncio.Future[None] | None = None
        self._lanes: dict[object, deque[int]] = {}
        self._at_work: set[asyncio.Task[None]] = set()

    def push(self, update: Json) -> int:
        """Something happened; its update_id. Kinds the bot did not ask for get lost, as in life."""
        number = next(self._numbers)
        if self.allowed and not update.keys() & set(self.allowed):
            return number
        return self._put(number, {**update, "update_id": number})

    def push_poison(self, update: Json) -> int:
        """An update that should not exist; it gets a number only when it has one."""
        number = next(self._numbers)
        return self._put(number, {**update, "update_id": number} if type(update.get("update_id")) is int else update)

    def _put(self, number: int, update: Json) -> int:
        self.pending[number] = update
        self._arrived.set()
        if self.webhook:
            self._enqueue(number)
        return number

    async def fetch(self, offset: int, limit: int, seconds: float, allowed: list[str] | None) -> list[Json]:
        """getUpdates: forgets what is below `offset`, waits for something to give."""
        if self.webhook:
            raise Failed(WEBHOOK_SET)
        self.allowed = allowed or self.allowed
        self.pending = {number: update for number, update in self.pending.items() if number >= offset}
        self._changed()
        if self._reader and not self._reader.done():
            self._reader.set_exception(Failed(TWO_READERS))
        self._reader = reader = asyncio.get_running_loop().create_future()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._until_some(reader), seconds)
        finally:
            reader.cancel()
        given = dict(itertools.islice(self.pending.items(), limit))
        self.handed.update(given.keys())
        return list(given.values())

    async def _until_some(self, reader: asyncio.Future[None]) -> None:
        """Until there is something to give. Raises Failed when somebody else wants it."""
        while not self.pending:
            self._arrived.clear()
            arrived = asyncio.create_task(self._arrived.wait())
            either: list[asyncio.Future[Any]] = [arrived, reader]
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrived.cancel()
            if reader.done():
                await reader

    def set_webhook(self, url: str, secret: str, allowed: list[str] | None) -> None:
        self.close()
        self.webhook = Webhook(url, secret)
        self.allowed = allowed or self.allowed
        if self._reader and not self._reader.done():
            self._reader.set_exception(Failed(WEBHOOK_SET))
        for number in self.pending:
            self._enqueue(number)

    def delete_webhook(self, drop: bool) -> None:
        self.close()
        if drop:
            self.pending.clear()

    def close(self) -> None:
        """Call nobody any more."""
        self.webhook = None
        self._lanes.clear()
        for task in self._at_work:
            task.cancel()

    def _enqueue(self, number: int) -> None:
        """Updates of one chat go one after the other, different chats side by side."""
        chat = _chat_of(self.pending[number])
        if chat in self._lanes:
            self._lanes[chat].append(number)
            return
        self._lanes[chat] = deque([number])
        task = asyncio.create_task(self._drive(chat, self._lanes[chat]))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _drive(self, chat: object, lane: deque[int]) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            while lane and self.webhook:
                status = await self._post(session, self.webhook, lane[0])
                self.statuses.append(status)
                self._changed()
                if 200 <= status < 300:
                    self.pending.pop(lane.popleft(), None)
                else:
                    await asyncio.sleep(_RETRY_SECONDS)
        if self._lanes.get(chat) is lane:
            del self._lanes[chat]

    async def _post(self, session: aiohttp.ClientSession, webhook: Webhook, number: int) -> int:
        url = webhook.url
        for public, local in self.doors.items():
            url = url.replace(public, local)
        headers = {"Content-Type": "application/json", SECRET_HEADER: webhook.secret}
        self.handed[number] += 1
        try:
            async with session.post(url, data=json.dumps(self.pending[number]), headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0


def _chat_of(update: Json) -> object:
    for part in update.values():
        if isinstance(part, dict):
            chat = part.get("chat") or (part.get("message") or {}).get("chat")
            return str(chat)
    return None
