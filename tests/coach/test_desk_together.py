"""The real desk in Chromium: two coaches and one person at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from bot.coach import sessions
from bot.coach.sessions import COOKIE
from bot.settings import ROOT
from tests.coach.browsing import ARGUMENTS, CHROMIUM, SCREEN, check_access, needs_chromium
from tests.coach.world import World, a_case

pytestmark = needs_chromium
STATIC = ROOT / "bot" / "pages" / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


async def with_static(page: Page) -> Page:
    """The page, given the static files: bot/web.py does that, which is not here."""

    async def give(route: Route) -> None:
        path = STATIC / route.request.url.rsplit("/", 1)[1]
        await route.fulfill(path=path, content_type=KINDS[path.suffix])

    await page.route("**/static/*", give)
    return page


async def at_the_desk(browser: Browser, world: World, name: str) -> Page:
    """This coach's browser, logged in, with the desk open."""
    context = await browser.new_context(viewport=SCREEN, locale="nl-NL", reduced_motion="reduce")
    token = await sessions.start(world.database, world.coaches[name].id, None)
    await context.add_cookies([{"name": COOKIE, "value": token, "url": world.url + "/desk"}])
    page = await with_static(await context.new_page())
    await page.goto(world.url + "/desk")
    await expect(page.locator("#me")).to_contain_text(name)
    return page


async def test_two_coaches_and_one_person(browser: Browser, world: World) -> None:
    fatima, kees = await at_the_desk(browser, world, "Fatima"), await at_the_desk(browser, world, "Kees")
    person, key = await a_case(world, "ar", first_name="أمينة", reach="call_morning", contact="06 1234 5678")
    for page in (fatima, kees):
        await page.locator(f'a[data-key="{key}"]').click()  # appeared by itself
        await expect(page.locator("#lines li.person")).to_have_count(1)
    await expect(fatima.locator("#presence")).to_contain_text("Kees kijkt ook mee")
    await fatima.get_by_role("button", name="Neem over").click()
    await expect(fatima.locator("#standing")).to_contain_text("van jou")
    await expect(kees.locator("#standing")).to_contain_text("Fatima heeft dit gesprek")
    await person.says("هل أنت هنا؟")
    for page in (fatima, kees):
        await expect(page.locator("#lines li.person").last).to_contain_text("هل أنت هنا؟")
    await fatima.locator("#text").press_sequentially("Ja, ik ben er")
    await expect(kees.locator("#presence")).to_contain_text("Fatima typt")
    await fatima.keyboard.press("Control+Enter")
    await expect(kees.locator("#lines li.coach")).to_contain_text("Ja, ik ben er")
    await kees.locator("#text").fill("Ik ken haar van het Buurtteam.")
    await kees.get_by_role("button", name="Bewaar notitie").click()
    await expect(fatima.locator("#lines .note")).to_contain_text("Notitie van Kees, alleen voor collega’s")
    await check_access(fatima)
    await fatima.get_by_role("button", name="Antwoordkaart").click()
    await fatima.locator(".found button").first.click()
    await expect(fatima.locator(".preview .tongue-column")).to_have_count(2)
    await fatima.get_by_role("button", name="Stuur kaart").click()
    await expect(kees.locator("#lines li.coach .dutch")).to_be_visible()
    await fatima.get_by_role("button", name="Geef door").click()
    await fatima.get_by_role("radio", name="Kees").check()
    await fatima.get_by_role("dialog").get_by_role("button", name="Geef door").click()
    await expect(kees.locator("#standing")).to_contain_text("van jou")
    await kees.get_by_role("button", name="Sluit af").click()
    await kees.get_by_role("radio", name="Geholpen").check()
    await kees.get_by_role("dialog").get_by_role("button", name="Sluit af").click()
    await expect(fatima.locator("#standing")).to_contain_text("Afgerond vandaag")
    for page in (fatima, kees):
        await page.context.close()


async def test_another_team_has_nothing_to_see(browser: Browser, world: World) -> None:
    _, key = await a_case(world)
    dilek = await at_the_desk(browser, world, "Dilek")
    await dilek.goto(f"{world.url}/desk#/{key}")
    await expect(dilek.locator(".toast.failed")).to_contain_text("Dit gesprek is er niet")
    await expect(dilek.locator("#case-title")).to_contain_text("Dit gesprek kan nu niet open")
    await check_access(dilek)
    await dilek.context.close()


async def test_a_page_of_somebody_logged_out_leads_to_the_door(browser: Browser, world: World) -> None:
    kees = await at_the_desk(browser, world, "Kees")
    await world.rows("UPDATE desk_session SET revoked_at = now() WHERE coach_id = :id", id=world.coaches["Kees"].id)
    await kees.get_by_role("tab", name="Afgerond").click()
    await expect(kees).to_have_url(world.url + "/desk/login")
    await kees.context.close()
