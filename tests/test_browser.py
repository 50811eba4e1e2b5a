"""The chat page in a real browser: typing, buttons, reload, Arabic, keyboard, and no accessibility faults."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from bot.settings import ROOT, Settings
from tests.conftest import Site, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
PICTURES = ROOT / "var" / "pictures"
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        yield await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


@pytest.fixture
async def page(browser: Browser, shared_site: Site) -> AsyncIterator[Page]:
    """A phone with the chat page open; fails the test on any script error or third-party request."""
    context = await browser.new_context(viewport=PHONE, locale="nl-NL")
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    opened.on("request", lambda r: None if r.url.startswith(shared_site.url) else faults.append(r.url))
    await opened.goto(shared_site.url + "/chat")
    yield opened
    await context.close()
    assert faults == []


async def say(page: Page, text: str) -> None:
    before = await page.locator("li.assistant").count()
    await page.get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("li.assistant")).to_have_count(before + 1)


async def check_access(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png")
    found = await Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()


async def test_type_press_and_reload(page: Page) -> None:
    await check_access(page, "start")
    await say(page, "wat kost de programmeerschool")
    await expect(page.locator("li.person .bubble")).to_have_text("wat kost de programmeerschool")
    await page.locator("li.assistant .buttons button").first.click()
    await expect(page.locator("li.assistant")).to_have_count(2)
    await expect(page.locator("#typing")).to_be_hidden()
    await check_access(page, "answered")
    said = await page.locator(".bubble").all_inner_texts()
    await page.reload()
    await expect(page.locator("li.assistant")).to_have_count(2)
    assert await page.locator(".bubble").all_inner_texts() == said


async def test_arabic_page_reads_from_the_right(page: Page) -> None:
    await page.get_by_role("button", name="العربية").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await say(page, "كم تكلفة الدراسة؟")
    box = await page.locator("li.person .bubble").bounding_box()
    assert box and box["x"] < 60  # own messages on the left, as the script asks
    await check_access(page, "arabic")


async def test_writing_turkish_turns_the_page_turkish(page: Page) -> None:
    await say(page, "Merhaba, yazılımcı olmak istiyorum, diplomam yok, olur mu?")
    await expect(page.locator("html")).to_have_attribute("lang", "tr")
    await check_access(page, "turkish")


async def test_keyboard_alone(page: Page) -> None:
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "text":
            break
    await page.keyboard.type("ben je een robot?")
    await page.keyboard.press("Enter")
    await expect(page.locator("li.assistant")).to_have_count(1)
    assert await page.evaluate("document.activeElement.id") == "text"
    await page.keyboard.press("Shift+Tab")
    assert await page.evaluate("document.activeElement.tagName") == "BUTTON"
    await page.keyboard.press("Enter")
    await expect(page.locator("li.assistant")).to_have_count(2)


async def test_a_script_is_only_text(page: Page) -> None:
    await say(page, "<img src=x onerror=alert(1)><b>dik</b>")
    await expect(page.locator("li.person .bubble")).to_have_text("<img src=x onerror=alert(1)><b>dik</b>")
    assert await page.locator(".bubble img, .bubble b").count() == 0


async def test_too_long_is_said_before_sending(page: Page) -> None:
    await page.get_by_role("textbox").fill("a" * 4100)
    await expect(page.locator("#count")).to_contain_text("4 tekens te veel")
    await expect(page.locator("#send")).to_be_disabled()


async def test_the_page_survives_a_restart(
    browser: Browser, settings: Settings, rasa_url: str, database_url: str
) -> None:
    context = await browser.new_context(viewport=PHONE, locale="nl-NL")
    page = await context.new_page()
    chosen = replace(settings, nlu_url=rasa_url)
    async with serving(chosen, database_url) as site:
        await page.goto(site.url + "/chat")
        await say(page, "hallo")
    await page.get_by_role("textbox").fill("wat kost het")
    await page.keyboard.press("Enter")
    await expect(page.locator("#status")).to_contain_text("Geen verbinding")
    async with serving(chosen, database_url, port=int(site.url.rpartition(":")[2])):
        await expect(page.locator("li.assistant")).to_have_count(2, timeout=20_000)
        await expect(page.locator("li.person")).to_have_count(2)
    await context.close()
