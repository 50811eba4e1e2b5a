"""Writing at the desk in Chromium: drafts, notes, cards, quick replies, what fails, and WhatsApp's 24 hours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.coach.browsing import (
    ARGUMENTS,
    CHROMIUM,
    SCREEN,
    check_access,
    needs_chromium,
    opened,
    settled,
    take,
)
from tests.coach.fake_cases import ago
from tests.coach.fake_desk import FakeDesk, serving

pytestmark = needs_chromium
AMINA = "amina00000000"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@pytest.fixture
async def desk() -> AsyncIterator[FakeDesk]:
    async with serving() as found:
        yield found


async def say(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#text")).to_have_value("")


async def test_a_message_that_arrived_is_not_sent_twice(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk, "fatima", SCREEN, "ERR_") as page:
        await take(page, AMINA)
        desk.cut = True
        await say(page, "Kom je morgen?")
        await expect(page.locator("#lines li.coach")).to_have_count(1)
        assert await page.locator(".toast.failed").count() == 0


async def test_drafts(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await page.locator("#text").fill("Half af")
        await page.locator("#mode-note").click()
        await page.locator("#text").fill("Bel haar man niet.")
        await page.reload()
        await expect(page.locator("#text")).to_have_value("Half af")
        await page.locator("#mode-note").click()
        await expect(page.locator("#text")).to_have_value("Bel haar man niet.")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#lines .note").last).to_contain_text("Bel haar man niet.")
        await page.locator("#mode-message").click()
        await expect(page.locator("#text")).to_have_value("Half af")
        await page.locator("#text").fill("a" * 4097)
        await expect(page.locator("#count")).to_have_text("1 tekens te veel")
        await expect(page.locator("#send")).to_be_disabled()
        await page.locator("#text").fill("Nu wel af")
        await page.get_by_role("button", name="Verstuur").click()
        await expect(page.locator("#lines li.coach")).to_contain_text("Nu wel af")
        await page.get_by_role("button", name="Log uit").click()
        await expect(page.get_by_role("heading", name="Tekkie voor coaches")).to_be_visible()
        assert await page.evaluate("Object.keys(localStorage).filter((k) => k.startsWith('desk-draft'))") == []


async def test_a_note_looks_different(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        before = await page.locator("#composer").evaluate("e => getComputedStyle(e).backgroundColor")
        await page.locator("#mode-note").click()
        assert await page.locator("#composer").evaluate("e => getComputedStyle(e).backgroundColor") != before
        await expect(page.locator("#hint")).to_have_text("Alleen voor collega’s. De persoon ziet dit nooit.")
        await settled(page)
        await check_access(page, "desk-note")


async def test_cards(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await settled(page)
        await page.get_by_role("button", name="Antwoordkaart").click()
        dialog = page.get_by_role("dialog", name="Antwoordkaart")
        await expect(dialog.get_by_label("Onderwerp")).to_be_focused()
        await page.keyboard.type("rente")
        await expect(dialog.locator(".found button")).to_have_count(1)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(dialog.locator(".preview")).to_contain_text("Bij DUO betaal je rente")
        await expect(dialog.locator(".preview [lang=ar]")).to_contain_text("قرض DUO عليه فائدة")
        await check_access(page, "desk-card")
        await dialog.get_by_role("button", name="Stuur kaart").click()
        sent = page.locator("#lines li.coach")
        await expect(sent.locator(".dutch")).to_contain_text("Bij DUO betaal je rente")
        await expect(page.get_by_role("button", name="Antwoordkaart")).to_be_focused()


async def test_quick_replies(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await settled(page)
        await page.get_by_role("button", name="Snel antwoord").click()
        dialog = page.get_by_role("dialog", name="Snel antwoord")
        await dialog.get_by_role("button", name="Afspraak maken").click()
        await dialog.get_by_role("button", name="Verstuur").click()
        await expect(dialog.get_by_role("alert")).to_have_text("Vul nog in: Plaats.")
        await dialog.get_by_label("Plaats").fill("OBA Osdorp")
        await expect(dialog.get_by_role("alert")).to_be_hidden()
        await dialog.get_by_label("Tijd").fill("dinsdag 14:00")
        await expect(dialog.locator(".texts")).to_contain_text("Ik kan op dinsdag 14:00, bij OBA Osdorp.")
        await check_access(page, "desk-quick")
        await dialog.get_by_role("button", name="Verstuur").click()
        await expect(page.locator("#lines li.coach .dutch")).to_contain_text("dinsdag 14:00")


async def test_a_failed_message_goes_again(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await say(page, "Lukt dit?")
        desk.talks[AMINA].lines[-1]["delivery"] = {"status": "failed", "reason": "Het kanaal was niet te bereiken."}
        desk.ring(AMINA)
        line = page.locator("#lines li.coach")
        await expect(line).to_contain_text("mislukt: Het kanaal was niet te bereiken.")
        await line.get_by_role("button", name="Probeer opnieuw").click()
        await expect(line).to_contain_text("verzonden")


async def test_whatsapp_closes(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await expect(page.locator(".window")).to_contain_text(re.compile("je kunt nog 21 u 4[56] min vrij schrijven"))
        desk.talks[AMINA].case["window_closes_at"] = ago(1)
        desk.ring(AMINA)
        await expect(page.locator(".window.shut")).to_contain_text("WhatsApp is dicht")
        await expect(page.locator("#text")).to_be_disabled()
        await settled(page)
        await check_access(page, "desk-window")
        await page.get_by_role("button", name="Stuur sjabloon").click()
        await expect(page.locator(".window.shut")).to_contain_text("Het sjabloon is verstuurd")
        await expect(page.locator("#lines")).to_contain_text("Er staat een antwoord voor je klaar.")
        desk.talks[AMINA].case["window_closes_at"] = ago(-1440)
        desk.person_says(AMINA, "نعم")
        await expect(page.locator("#text")).to_be_enabled()
