"""The pages of the desk in Chromium, against a desk that speaks the contract: what a coach sees."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.coach.browsing import (
    ARGUMENTS,
    CHROMIUM,
    PHONE,
    SCREEN,
    check_access,
    log_in,
    needs_chromium,
    open_case,
    opened,
    take,
)
from tests.coach.fake_cases import ago
from tests.coach.fake_desk import FakeDesk, serving

pytestmark = needs_chromium
AMINA, EMRE, MEHMET, URGENT = "amina00000000", "emre000000000", "mehmet0000000", "urgent0000000"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@pytest.fixture
async def desk() -> AsyncIterator[FakeDesk]:
    async with serving() as found:
        yield found


async def test_logging_in(browser: Browser, desk: FakeDesk) -> None:
    page = await browser.new_page(locale="nl-NL", viewport=SCREEN)
    await page.goto(desk.url + "/desk")
    await expect(page).to_have_url(desk.url + "/desk/login")
    await check_access(page, "desk-login")
    await page.get_by_label("E-mailadres").fill("fatima@example.nl")
    await page.get_by_label("Wachtwoord", exact=True).fill("geraden")
    await page.get_by_role("button", name="Toon wachtwoord").click()
    assert await page.get_by_label("Wachtwoord", exact=True).get_attribute("type") == "text"
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("E-mailadres of wachtwoord klopt niet.")
    await expect(page.get_by_label("E-mailadres")).to_have_value("fatima@example.nl")
    await check_access(page)
    await log_in(page, desk, "fatima")
    await expect(page.locator("#me")).to_have_text("Fatima, Nieuw-West")
    await page.get_by_role("button", name="Log uit").click()
    await expect(page).to_have_url(desk.url + "/desk/login")
    await page.close()


async def test_an_invitation(browser: Browser, desk: FakeDesk) -> None:
    page = await browser.new_page(locale="nl-NL", viewport=PHONE)
    await page.goto(desk.url + "/desk/welcome/good")
    await expect(page.get_by_role("heading")).to_have_text("Welkom, Fatima")
    await check_access(page, "desk-welcome")
    await page.get_by_label("Nieuw wachtwoord").fill("vier gewone woorden achter elkaar")
    await page.get_by_role("button", name="Bewaar en begin").click()
    await expect(page).to_have_url(desk.url + "/desk/login")
    await page.goto(desk.url + "/desk/welcome/used")
    await expect(page.get_by_role("heading")).to_have_text("Deze uitnodiging werkt niet meer")
    await page.close()


async def test_the_queue(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        rows = page.locator("#groups section:not([hidden]) a")
        keys = [await row.get_attribute("data-key") for row in await rows.all()]
        assert keys == [URGENT, EMRE, AMINA, MEHMET, "later00000000"]
        urgent = rows.first
        for said in (
            "Dringend",
            "6 min",
            "Turks",
            "Nieuw-West",
            "18 tot 26",
            "Telegram",
            "Past bij jou",
            "1 ongelezen",
        ):
            await expect(urgent).to_contain_text(said)
        await expect(rows.nth(1)).to_contain_text("Te laat")
        await expect(rows.nth(1)).to_contain_text("Past bij Deniz")
        await expect(rows.nth(3)).to_contain_text("Bij Deniz")
        await expect(rows.nth(4)).to_contain_text("Later: ")
        await expect(page).to_have_title("(3) Gesprekken · Tekkie voor coaches")
        await check_access(page, "desk-queue")
        await page.get_by_label("Zoek in deze lijst").fill("turks zaandam")
        await expect(rows).to_have_count(1)
        await page.get_by_label("Zoek in deze lijst").fill("zebra")
        await expect(page.locator("#empty")).to_contain_text("Niets gevonden")
        await page.get_by_label("Zoek in deze lijst").fill("")
        await page.get_by_role("tab", name="Afgerond").click()
        await expect(rows.first).to_contain_text("geholpen · hielp het? Ja, goed")
        await expect(rows.first).to_contain_text("Schreef opnieuw")
        await check_access(page)


async def test_an_empty_queue(browser: Browser, desk: FakeDesk) -> None:
    page = await browser.new_page(locale="nl-NL", viewport=SCREEN)
    desk.talks.clear()
    desk.opened = False
    await log_in(page, desk, "fatima")
    await expect(page.locator("#empty")).to_have_text("Niemand wacht nu. Je krijgt een seintje als er iemand bij komt.")
    await expect(page.locator("#hours")).to_have_text("Het team is nu dicht")
    await check_access(page)
    await page.close()


async def test_waiting_times_count_up(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        row = page.locator(f'a[data-key="{URGENT}"] time')
        await expect(row).to_have_text("6 min")
        await page.clock.install()
        await page.reload()
        await page.clock.fast_forward("10:00")
        await expect(row).to_have_text(re.compile("16 min|17 min"))


async def test_a_talk_in_arabic(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await open_case(page, AMINA)
        await expect(page.locator("#case-title")).to_be_focused()
        first = page.locator("#lines li.person").first
        said = first.locator(".said")
        assert await said.evaluate("e => getComputedStyle(e).direction") == "rtl"
        await expect(said).to_have_attribute("lang", "ar")
        await expect(first.locator(".by")).to_contain_text("Persoon: ")
        await expect(first).to_contain_text("begrepen als: Ik heb schulden, 91 %")
        answer = page.locator("#lines li.assistant").first
        await expect(answer.locator(".by")).to_contain_text("Assistent")
        await expect(answer.locator(".dutch")).to_contain_text("Schulden zijn geen schande")
        assert await answer.locator(".dutch .said").evaluate("e => getComputedStyle(e).direction") == "ltr"
        await expect(answer.locator(".pressable li")).to_have_count(2)
        await expect(page.locator("#lines")).to_contain_text("niet begrepen, 31 % zeker")
        await expect(page.locator("#lines .note")).to_contain_text("Notitie van Deniz, alleen voor collega’s")
        await expect(page.locator("#lines .fresh-mark")).to_have_text("2 nieuwe berichten")
        details = page.get_by_role("complementary", name="Gegevens")
        await expect(details.get_by_role("link", name="06 12 34 56 78")).to_have_attribute("href", "tel:0612345678")
        await expect(details).to_contain_text("bellen, ’s ochtends")
        await expect(details).to_contain_text("goed dat coaches dit lezen")
        places = [
            await page.locator(f"#lines li.{kind} > :nth-child(2)").first.bounding_box()
            for kind in ("person", "assistant")
        ]
        assert places[0] and places[1] and places[0]["x"] < places[1]["x"]
        await check_access(page, "desk-case")


async def test_files_are_only_fetched_when_asked(browser: Browser, desk: FakeDesk) -> None:
    photo = {"name": "<b>foto</b>.png", "mime": "image/png", "size": 1_200_000}
    desk.talks[MEHMET].say("person", "", attachment=photo)
    async with opened(browser, desk) as page:
        asked: list[str] = []
        page.on("request", lambda r: asked.append(r.url) if "attachments" in r.url else None)
        await open_case(page, MEHMET)
        link = page.get_by_role("link", name="Download <b>foto</b>.png (1,2 MB)")
        await expect(link).to_have_attribute("href", f"/desk/api/cases/{MEHMET}/attachments/4")
        assert asked == []
        await page.get_by_role("button", name="Toon foto").click()
        await expect(page.locator("img.photo")).to_be_attached()
        await expect(page.locator(".toast.failed")).to_contain_text("kan hier niet open")  # the fake sends no picture
        assert len(asked) == 1


async def test_what_people_write_is_only_text(browser: Browser, desk: FakeDesk) -> None:
    evil = '<img src=x onerror=alert(1)><b class="evil">dik</b>'
    case = desk.talks[MEHMET].case
    case.update(first_name=evil, topic_title=evil, area=evil, contact=evil)
    desk.talks[MEHMET].say("person", evil, topic_title=evil, confidence=0.5)
    desk.talks[MEHMET].notes.append({"coach": "Deniz", "text": evil, "at": ago(1)})
    async with opened(browser, desk) as page:
        await open_case(page, MEHMET)
        await expect(page.locator("#lines li.person").last.locator(".said")).to_have_text(evil)
        assert await page.locator(".evil, #case img, #queue img").count() == 0


async def test_on_a_phone(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk, "deniz", PHONE) as page:
        await check_access(page, "desk-phone-queue")
        await open_case(page, URGENT)
        await expect(page.locator("#queue")).to_be_hidden()
        await page.get_by_role("button", name="Neem over").click()
        await expect(page.locator("#mode-message")).to_be_visible()
        await page.get_by_role("button", name="Sluit melding").click()
        await check_access(page, "desk-phone-case")
        for button in await page.locator("#actions > button, #composer button, #back").all():
            box = await button.bounding_box()
            assert box and box["height"] >= 24 and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
        await page.get_by_role("button", name="Gegevens").click()
        await expect(page.get_by_role("complementary", name="Gegevens")).to_be_visible()
        await check_access(page)
        await page.go_back()
        await expect(page.locator("#case")).to_be_hidden()
        await expect(page.locator(f'a[data-key="{URGENT}"]')).to_be_focused()


async def test_dark_colours(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk) as page:
        await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        await take(page, AMINA)
        await page.get_by_role("button", name="Sluit melding").click()
        await check_access(page, "desk-dark")


async def test_the_overview(browser: Browser, desk: FakeDesk) -> None:
    async with opened(browser, desk, "sanne") as page:
        await page.get_by_role("link", name="Overzicht").click()
        await expect(page.locator(".tile").nth(3)).to_contain_text("3 u 07")
        await expect(page.get_by_role("img", name="Drukste dag")).to_be_visible()
        await expect(page.locator(".bars rect")).to_have_count(30 + 19)
        await page.get_by_text("Toon als tabel").click()
        await expect(page.locator("figure").first.locator("tbody tr")).to_have_count(30)
        await check_access(page)
        await page.get_by_text("Toon als tabel").click()
        await check_access(page, "desk-overview")
        await page.get_by_label("Periode").select_option("7")
        await expect(page.locator("figure").first.locator("tbody tr")).to_have_count(7)
        await expect(page.get_by_role("link", name="Download als CSV")).to_have_attribute(
            "href", "/desk/overview.csv?days=7"
        )
        await page.set_viewport_size(PHONE)
        await check_access(page)
