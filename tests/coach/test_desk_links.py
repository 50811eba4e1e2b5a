"""A link to a case from another program: the coach who is logged in is there at once, one who is not after that."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.coach.group_text import link_to
from tests.coach.browsing import ARGUMENTS, CHROMIUM, needs_chromium
from tests.coach.test_desk_together import at_the_desk, with_static
from tests.coach.world import PASSWORD, World, a_case

pytestmark = needs_chromium


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


async def follow(page: Page, link: str) -> None:
    """Press a link on a page of somebody else: the browser then keeps strict cookies to itself."""
    await page.goto(f"data:text/html,<a href='{link}'>naar Tekkie</a>")
    await page.get_by_text("naar Tekkie").click()


async def test_somebody_who_is_logged_in(browser: Browser, world: World) -> None:
    _, key = await a_case(world)
    page = await at_the_desk(browser, world, "Fatima")
    await follow(page, link_to(world.url, key))
    await expect(page.locator(f'a[data-key="{key}"]')).to_have_attribute("aria-current", "true")
    await page.context.close()


async def test_somebody_who_logs_in_first(browser: Browser, world: World) -> None:
    _, key = await a_case(world)
    page = await with_static(await browser.new_page(locale="nl-NL"))
    await follow(page, link_to(world.url, key))
    await page.get_by_label("E-mailadres").fill(world.coaches["Fatima"].email)
    await page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(f'a[data-key="{key}"]')).to_have_attribute("aria-current", "true")
    await page.close()


async def test_a_key_that_can_be_none(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        for path, status in (("/desk/case/abc", 200), ("/desk/case/%22%3E", 404)):
            async with fatima.session.get(world.url + path) as answer:
                assert answer.status == status
