"""Typing signs, both ways, between the chat page and the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import async_playwright, expect

from bot.coach import sessions
from tests.coach import made
from tests.coach.browsing import ARGUMENTS, CHROMIUM, PHONE, check_access, needs_chromium
from tests.coach.world import Browser, told
from tests.conftest import Site
from tests.visitor import Visitor


@dataclass(frozen=True)
class Talk:
    """Somebody on the web page, their case, and a coach at the desk who is not theirs yet."""

    site: Site
    visitor: Visitor
    key: str
    desk: Browser

    async def take(self) -> None:
        assert (await self.desk.act(self.key, "take")) is not None

    async def types(self) -> int:
        async with self.visitor.session.post(f"{self.site.url}/api/webchat/typing") as answer:
            return answer.status


@pytest.fixture
async def talk(site: Site) -> AsyncIterator[Talk]:
    by = await made.coach(site.database, "Fatima", await made.team(site.database))
    async with Visitor(site.url) as visitor, Browser(site.url, "fatima") as desk:
        desk.keep(await sessions.start(site.database, by.id, None))
        await visitor.say("hallo")
        [row] = await made.rows(site.database, "SELECT id FROM conversation")
        yield Talk(site, visitor, await made.request(site.database, row.id), desk)


async def test_the_coach_sees_the_person_type(talk: Talk) -> None:
    async with talk.desk.events() as heard:
        assert await talk.types() == 204
        await talk.take()
        await told(heard, "case", key=talk.key)
        await asyncio.sleep(0.3)
        assert not [kind for kind, _ in [heard.get_nowait() for _ in range(heard.qsize())] if kind == "typing"]
        assert await talk.types() == 204
        assert (await told(heard, "typing", key=talk.key))["who"] == "person"


async def test_the_person_sees_the_coach_type(talk: Talk) -> None:
    await talk.take()
    await asyncio.sleep(0.3)  # what the assistant says of it is there
    last = (await talk.visitor.history())["lines"][-1]["position"]
    url = f"{talk.site.url}/api/webchat/events?after={last}"
    async with talk.visitor.session.get(url) as stream, asyncio.timeout(10):
        await stream.content.readuntil(b": still here\n\n")
        await talk.desk.act(talk.key, "typing")
        assert await stream.content.readuntil(b"\n\n") == b"event: typing\ndata: {}\n\n"
        await talk.desk.act(talk.key, "write", text="Daar ben ik")
        assert b"event: line" in await stream.content.readuntil(b"\n\n")


async def test_nobody_else_can_make_signs(talk: Talk) -> None:
    async with talk.visitor.session.post(
        f"{talk.site.url}/api/webchat/typing", headers={"Origin": "https://elsewhere.example"}
    ) as answer:
        assert answer.status == 403
    url = f"{talk.site.url}/api/webchat/typing"
    async with Visitor(talk.site.url) as stranger, stranger.session.post(url) as answer:
        assert answer.status == 204  # no conversation yet: nothing happens


@needs_chromium
async def test_on_the_page_itself(site: Site) -> None:
    by = await made.coach(site.database, "Fatima", await made.team(site.database))
    async with async_playwright() as playwright, Browser(site.url, "fatima") as desk:
        desk.keep(await sessions.start(site.database, by.id, None))
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await chromium.new_page(viewport=PHONE, locale="ar")
        await page.goto(site.url + "/chat")
        await page.get_by_role("textbox").fill("مرحبا")
        await page.keyboard.press("Enter")
        await expect(page.locator("li.assistant")).to_have_count(1)
        [row] = await made.rows(site.database, "SELECT id FROM conversation")
        key = await made.request(site.database, row.id)
        await desk.act(key, "take")
        await desk.act(key, "write", text="مرحباً، أنا فاطمة")
        await expect(page.locator("li.coach")).to_have_count(1)
        await desk.act(key, "typing")
        await expect(page.locator("#typing")).to_be_visible()
        await expect(page.locator("#typing-text")).to_have_text("Fatima يكتب الآن")
        await check_access(page, "chat-coach-types")
        await expect(page.locator("#typing")).to_be_hidden(timeout=10_000)  # goes by itself
        async with desk.events() as heard:
            await page.get_by_role("textbox").press_sequentially("أريد أن أسأل")
            assert (await told(heard, "typing", key=key))["who"] == "person"
        await chromium.close()
