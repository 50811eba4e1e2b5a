"""A person with a browser: posts to the web chat API and reads its event stream, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

Json = dict[str, Any]


class Visitor:
    """`async with Visitor(url) as visitor`; every visitor has a conversation of their own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen = 0

    async def __aenter__(self) -> Visitor:
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def post(self, text: str, payload: str | None = None, key: str | None = None) -> int:
        """Send one message; the HTTP status."""
        body = {"id": key or uuid.uuid4().hex, "text": text} | ({"payload": payload} if payload else {})
        async with self.session.post(self.url + "/api/webchat/messages", json=body) as response:
            await response.read()
            return response.status

    async def history(self, after: int = 0) -> Json:
        async with self.session.get(f"{self.url}/api/webchat/history?after={after}") as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    async def events(self, after: int = 0) -> AsyncIterator[Json]:
        """Lines as the event stream tells them, for ever."""
        async with self.session.get(f"{self.url}/api/webchat/events?after={after}") as response:
            kind = ""
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "line":
                    yield json.loads(line.removeprefix("data: "))

    async def say(self, text: str, payload: str | None = None, seconds: float = 20) -> list[Json]:
        """Send and wait for the replies to it: all lines up to the first moment nothing is open."""
        key = uuid.uuid4().hex
        assert await self.post(text, payload, key) == 202
        async with asyncio.timeout(seconds):
            async for line in self.events(self.seen):
                self.seen = line["position"]
                if line["author"] != "person":
                    break
        rest = (await self.history(self.seen))["lines"]
        self.seen = rest[-1]["position"] if rest else self.seen
        return [line, *rest]
