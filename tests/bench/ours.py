"""Our side of the comparison: a person on the web chat, over the whole durable path."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator

import aiohttp
from itsdangerous import URLSafeSerializer

from bot.channels.webchat import COOKIE, NAME


class People:
    """Many visitors over one HTTP session: each posts with a cookie of their own and follows their stream."""

    def __init__(self, session: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._session = session
        self._url = url
        self._signer = URLSafeSerializer(secret, salt=NAME)
        self._talks: dict[str, _Talk] = {}

    async def turn(self, who: str, text: str) -> None:
        """Send and wait until the reply arrives on the event stream."""
        talk = self._talks.get(who) or self._new(who)
        talk.answered.clear()
        await self.accept(who, text)
        if talk.listening is None:
            talk.listening = asyncio.create_task(self._listen(talk))
        await asyncio.wait_for(talk.answered.wait(), 30)

    async def accept(self, who: str, text: str) -> None:
        """Send and wait until it is accepted (on disk)."""
        talk = self._talks.get(who) or self._new(who)
        body = json.dumps({"id": uuid.uuid4().hex, "text": text})
        headers = {"Content-Type": "application/json", "Cookie": talk.cookie}
        async with self._session.post(self._url + "/api/webchat/messages", data=body, headers=headers) as answer:
            if answer.status != 202:
                raise RuntimeError(f"not accepted: {answer.status}")

    def leave(self, who: str) -> None:
        """Close this person's page."""
        talk = self._talks.pop(who)
        if talk.listening:
            talk.listening.cancel()

    async def close(self) -> None:
        listening = [talk.listening for talk in self._talks.values() if talk.listening]
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)

    def _new(self, who: str) -> _Talk:
        self._talks[who] = _Talk(f"{COOKIE}={self._signer.dumps(who)}")
        return self._talks[who]

    async def _listen(self, talk: _Talk) -> None:
        headers = {"Cookie": talk.cookie}
        url = self._url + "/api/webchat/events"
        async with self._session.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as stream:
            async for raw in stream.content:
                if raw.startswith(b"data: {") and b'"author": "person"' not in raw:
                    talk.answered.set()


class _Talk:
    def __init__(self, cookie: str) -> None:
        self.cookie = cookie
        self.answered = asyncio.Event()
        self.listening: asyncio.Task[None] | None = None


@contextlib.asynccontextmanager
async def people(url: str, secret: str) -> AsyncIterator[People]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        crowd = People(session, url, secret)
        try:
            yield crowd
        finally:
            await crowd.close()
