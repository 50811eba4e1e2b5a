"""Working at the desk in Chromium, against a desk that speaks the contract: what coaches do, alone and together."""

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
    open_case,
    opened,
    settled,
    take,
)
from tests.coach.fake_cases import ago
from tests.coach.fake_desk import FakeDesk, serving

pytestmark = needs_chromium
AMINA, EMRE, MEHMET, URGENT = "amina00000000", "emre000000000", "mehmet0000000", "urgent0000000"
CLOSED = "closed0000000"


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


async def test_two_coaches_take_one_case(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as fatima, opened(browser, desk, "deniz", SCREEN, "409") as deniz:
        deniz_errors = deniz.locator(".toast.failed")
        await open_case(fatima, URGENT)
        await open_case(deniz, URGENT)
        await expect(fatima.locator("#presence")).to_contain_text("Deniz kijkt ook mee")
        desk.silent = True  # nobody hears of the other: both press
        await fatima.get_by_role("button", name="Neem over").click()
        await expect(fatima.locator("#standing")).to_contain_text("van jou")
        await deniz.get_by_role("button", name="Neem over").click()
        await expect(deniz_errors).to_contain_text("Fatima was je voor.")
        await expect(deniz.locator("#standing")).to_contain_text("Fatima heeft dit gesprek")
        await expect(deniz.locator("#mode-message")).to_have_count(0)
        await check_access(deniz)


async def test_everything_arrives_without_reload(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as fatima, opened(browser, desk, "deniz") as deniz:
        await take(fatima, AMINA)
        await expect(deniz.locator(f'a[data-key="{AMINA}"]')).to_contain_text("Bij Fatima")
        desk.person_says(AMINA, "هل أنت إنسان؟", confidence=0.9, topic="greet")
        await expect(fatima.locator("#lines li.person").last).to_contain_text("هل أنت إنسان؟")
        await expect(fatima.locator("#announce")).to_contain_text("Nieuw bericht van")
        desk.person_says(MEHMET, "ben je er nog?")
        await expect(deniz.get_by_role("tab", name="Van mij")).to_contain_text("1 gesprekken, 1 ongelezen")
        await expect(deniz).to_have_title(re.compile(r"^\(3\) "))
        desk.ring(AMINA, "typing", who="person")
        await expect(fatima.locator("#presence")).to_contain_text("typt …")
        await open_case(deniz, AMINA)
        await expect(fatima.locator("#presence")).to_contain_text("Deniz kijkt ook mee")
        await fatima.locator("#text").press_sequentially("Dag")
        await expect(deniz.locator("#presence")).to_contain_text("Fatima typt …")
        await say(fatima, "Dag Amina, ik ben Fatima.")
        await expect(deniz.locator("#lines li.coach")).to_contain_text("Coach Fatima")
        await expect(fatima.locator("#lines li.coach .by")).to_contain_text("Coach Fatima (jij)")
        await expect(fatima.locator("#lines li.coach")).to_contain_text("verzonden")
        desk.talks[AMINA].lines[-1]["delivery"] = {"status": "read", "reason": None}
        desk.ring(AMINA)
        await expect(fatima.locator("#lines li.coach")).to_contain_text("gelezen")
        await check_access(deniz)


async def test_a_broken_line_is_told_and_caught_up(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk, "fatima", SCREEN, "503", "ERR_") as page:
        await take(page, AMINA)
        desk.down = True
        desk.hang_up()
        await expect(page.locator("#online")).to_contain_text("Geen verbinding")
        await page.locator("#text").fill("Blijft dit staan?")
        desk.person_says(AMINA, "وأنت غائب")
        desk.down = False
        await expect(page.locator("#online")).to_be_empty()
        await expect(page.locator("#lines li.person").last).to_contain_text("وأنت غائب")
        await expect(page.locator("#text")).to_have_value("Blijft dit staan?")


async def test_passing_on(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await settled(page)
        await page.get_by_role("button", name="Geef door").click()
        dialog = page.get_by_role("dialog", name="Gesprek doorgeven")
        names = await dialog.locator("label strong").all_inner_texts()
        assert names == ["Deniz", "Yusuf", "Sanne", "Zuidoost"]  # the best fitting first, who is full last
        await expect(dialog.locator("label", has_text="Sanne")).to_contain_text("zit vol")
        await dialog.get_by_label("Notitie voor wie het krijgt").fill("Zij wacht op de bank.")
        await check_access(page, "desk-pass")
        await dialog.get_by_role("radio", name="Deniz").check()
        await dialog.get_by_role("button", name="Geef door").click()
        await expect(page.locator("#standing")).to_contain_text("Deniz heeft dit gesprek")
        await expect(page.locator("#lines .note").last).to_contain_text("Zij wacht op de bank.")


async def test_closing_and_opening_again(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await settled(page)
        await page.get_by_role("button", name="Sluit af").click()
        dialog = page.get_by_role("dialog", name="Gesprek afsluiten")
        await dialog.get_by_role("button", name="Sluit af").click()
        await expect(dialog.get_by_role("alert")).to_have_text("Kies eerst hoe het afliep.")
        await check_access(page)
        await dialog.get_by_role("radio", name="Geholpen").check()
        await dialog.get_by_role("button", name="Sluit af").click()
        await expect(page.locator("#standing")).to_contain_text(re.compile("Afgerond vandaag om .*: geholpen"))
        await page.get_by_role("button", name="Heropen").click()
        await expect(page.locator("#standing")).to_contain_text("Dit gesprek is van jou")


@pytest.mark.parametrize(
    ("menu", "confirm", "standing"),
    [
        ("Terug in de wachtrij", "Zet terug", "Wacht op een coach"),
        ("Terug naar de assistent", "Geef terug", "terug naar de assistent"),
    ],
)
async def test_giving_back(browser: Browser, desk: FakeDesk, menu: str, confirm: str, standing: str) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await page.get_by_role("button", name="Meer").click()
        await page.get_by_role("button", name=menu).click()
        await page.get_by_role("dialog").get_by_role("button", name=confirm).click()
        await expect(page.locator("#standing")).to_contain_text(standing)


async def test_later(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await take(page, AMINA)
        await page.get_by_role("button", name="Later", exact=True).click()
        dialog = page.get_by_role("dialog", name="Later verder")
        await dialog.get_by_label("Dag en tijd").fill("2020-01-01T09:00")
        await expect(dialog.get_by_role("radio", name="Kies zelf")).to_be_checked()
        await dialog.get_by_role("button", name="Leg weg").click()
        await expect(dialog.get_by_role("alert")).to_have_text("Kies een moment dat nog moet komen.")
        await check_access(page)
        await dialog.get_by_role("radio", name="Morgen om 9:00").check()
        await dialog.get_by_role("button", name="Leg weg").click()
        await expect(page.locator("#groups .later")).to_contain_text("Later: morgen 09:00")


async def test_a_case_of_another_team_closes(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk, "fatima", SCREEN, "404") as page:
        await open_case(page, EMRE)
        del desk.talks[EMRE]
        desk.ring(EMRE)
        await expect(page.locator("#case")).to_be_hidden()
        await expect(page.locator("#nothing")).to_be_visible()


async def test_keyboard_alone(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await page.keyboard.press("j")
        await expect(page.locator("#case-title")).to_be_focused()
        await expect(page.locator(f'a[data-key="{URGENT}"]')).to_have_attribute("aria-current", "true")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await expect(page.locator(f'a[data-key="{AMINA}"]')).to_have_attribute("aria-current", "true")
        await expect(page.locator("#actions button").first).to_be_attached()
        await page.keyboard.press("n")
        await expect(page.locator("#mode-message")).to_be_visible()
        await expect(page.locator("#text")).to_be_focused()
        await page.keyboard.type("nj? gewone letters")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#lines li.coach")).to_contain_text("nj? gewone letters")
        await page.keyboard.press("Escape")
        await page.keyboard.press("x")
        await expect(page.get_by_role("dialog", name="Gesprek afsluiten")).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Sluit af")).to_be_focused()
        await page.keyboard.press("i")
        await expect(page.locator("#hint")).to_contain_text("Alleen voor collega’s")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.locator(f'a[data-key="{AMINA}"]')).to_be_focused()
        await page.keyboard.press("3")
        await expect(page.get_by_role("tab", name="Afgerond")).to_be_focused()
        await page.keyboard.press("ArrowLeft")
        await expect(page.get_by_role("tab", name="Van mij")).to_be_focused()
        await page.keyboard.press("?")
        await page.get_by_label("Sneltoetsen aan").uncheck()
        await check_access(page, "desk-keys")
        await page.keyboard.press("Escape")
        await page.keyboard.press("1")
        await expect(page.get_by_role("tab", name="Van mij")).to_have_attribute("aria-selected", "true")


async def test_focus_stays_while_the_list_changes(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await page.locator(f'a[data-key="{EMRE}"]').focus()
        desk.talks[AMINA].case["urgent"] = True  # moves past it
        desk.person_says(EMRE, "hallo?")
        await expect(page.locator("#groups .waiting a").nth(0)).to_have_attribute("data-key", AMINA)
        await expect(page.locator(f'a[data-key="{EMRE}"]')).to_contain_text("1 ongelezen")
        await expect(page.locator(f'a[data-key="{EMRE}"]')).to_be_focused()


async def test_a_notification_says_nothing_personal(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await page.context.grant_permissions(["notifications"])
        await page.get_by_role("button", name="Zet meldingen aan").click()
        await expect(page.get_by_role("button", name="Zet meldingen uit")).to_be_visible()
        await page.evaluate(
            """() => {
                Object.defineProperty(document, "hidden", { value: true });
                window.shown = [];
                const Real = Notification;
                window.Notification = class extends Real {
                    constructor(title, options) { super(title, options); shown.push(title + ": " + options.body); }
                };
            }"""
        )
        desk.talks[CLOSED].case.update(state="waiting", closed_at=None, urgent=True, waiting_since=ago(0))
        desk.ring(CLOSED)
        while not await page.evaluate("shown.length"):
            await page.wait_for_timeout(50)
        assert await page.evaluate("shown") == ["Tekkie voor coaches: Dringend: er wacht iemand op een coach."]
