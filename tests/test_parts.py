"""Front and worker as two processes would run them: what comes in while nobody answers waits, and is answered later."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import aiohttp

from bot.commands.serve import running
from bot.settings import Role, Settings
from tests.conftest import serving
from tests.visitor import Visitor


async def test_messages_wait_for_a_worker(settings: Settings, rasa_url: str, database_url: str) -> None:
    ours = replace(settings, nlu_url=rasa_url)
    async with serving(ours, database_url, role=Role.FRONT) as front, Visitor(front.url) as anna:
        assert await health(front.url) == (
            503,
            {"ready": False, "database": True, "worker": False, "understanding": True},
        )
        assert await anna.post("wat kost de programmeerschool?") == 202
        await asyncio.sleep(1)
        assert (await anna.history())["lines"] == []
        async with running(ours, database_url, Role.WORK):
            async with asyncio.timeout(20):
                while len((await anna.history())["lines"]) < 2:
                    await asyncio.sleep(0.05)
            assert (await health(front.url))[0] == 200
        await asyncio.sleep(0.5)
        assert (await health(front.url))[0] == 503
        assert await anna.post("en hoe lang duurt het?") == 202  # taken in, whether or not anybody answers


async def health(url: str) -> tuple[int, object]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/health") as answer:
        return answer.status, await answer.json()
