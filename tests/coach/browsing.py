"""The desk in a real browser: opening it as a coach, and what every page must satisfy."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, expect

from bot.settings import ROOT
from tests.coach.fake_desk import PASSWORD, FakeDesk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_PICTURES = ROOT / "var" / "pictures"
_DOCS = ROOT / "docs"
_RENEW = "RENEW_PICTURES" in os.environ  # also those in docs/images that docs/*.md show
SCREEN = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass
class Faults:
    """What went wrong in a page; `expected` are parts of console lines that a test provokes."""

    seen: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if not any(part in text for part in self.expected):
            self.seen.append(text)


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, desk: FakeDesk, name: str = "fatima", size: ViewportSize = SCREEN, *expected: str
) -> AsyncIterator[Page]:
    """A coach at the desk; fails the test on any script error or request to somebody else."""
    context = await browser.new_context(
        viewport=size, locale="nl-NL", timezone_id="Europe/Amsterdam", reduced_motion="reduce"
    )
    page = await context.new_page()
    faults = Faults(expected=list(expected))
    page.on("pageerror", lambda error: faults.add(str(error)))
    page.on("console", lambda line: faults.add(line.text) if line.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(desk.url) else faults.add(r.url))
    await log_in(page, desk, name)
    await expect(page.locator("#groups a").first).to_be_visible()
    try:
        yield page
    finally:
        await context.close()
    assert not faults.seen, faults.seen


async def log_in(page: Page, desk: FakeDesk, name: str) -> None:
    await page.goto(desk.url + "/desk/login")
    await page.get_by_label("E-mailadres").fill(f"{name}@example.nl")
    await page.get_by_label("Wachtwoord", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")


async def open_case(page: Page, key: str) -> None:
    await page.locator(f'#groups a[data-key="{key}"]').click()
    await expect(page.locator("#actions button").first).to_be_attached()


async def take(page: Page, key: str) -> None:
    await open_case(page, key)
    await page.get_by_role("button", name="Neem over").click()
    await expect(page.locator("#mode-message")).to_be_visible()


async def settled(page: Page) -> None:
    """Without the short messages of a moment ago."""
    for close in await page.get_by_role("button", name="Sluit melding").all():
        await close.click()


async def check_access(page: Page, picture: str | None = None) -> None:
    """No accessibility faults; nothing to scroll sideways; and a picture for people to look at."""
    if picture:
        await _take_picture(page, f"{picture}.png")
    found = await Axe().run(page, options=_RULES)
    assert found.violations_count == 0, found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def _take_picture(page: Page, name: str) -> None:
    shown = any(f"images/{name}" in document.read_text("utf-8") for document in _DOCS.glob("*.md"))
    path = (_DOCS / "images" if _RENEW and shown else _PICTURES) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=path)
    with Image.open(path) as taken:  # a third of the size, and the same to the eye
        taken.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
