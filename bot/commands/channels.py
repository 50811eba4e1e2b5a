"""./tekkie channels: checks what is connected, tells the platforms our commands and texts, makes links with QR codes.

A source tag ("bieb-osdorp") in a link says which poster brought somebody; the count is printed here too.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import segno
from sqlalchemy import text
from telegram import BotCommand
from telegram.error import InvalidToken, TelegramError

from bot.channels.telegram import Telegram
from bot.commands import opened
from bot.messages import LANGUAGES, NotSent
from bot.phrases import about, command_menu, say
from bot.settings import Settings, SettingsError
from bot.settings import WhatsApp as WhatsAppAccount

_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NONE = "-"
_QR_SCALE = 12  # pixels a module: sharp on an A4 poster


async def channels(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what is connected; exit 1 when something that is configured does not work."""
    wrong = [source for source in arguments.sources if not _SOURCE.fullmatch(source)]
    if wrong:
        raise SettingsError(f"A source tag has letters, digits, - and _ only, at most 64: {', '.join(wrong)}.")
    links, problems = {"web": f"{settings.public_url}/chat" if settings.public_url else ""}, 0
    for name, check in (("telegram", _telegram), ("whatsapp", _whatsapp)):
        link, said = await check(settings)
        problems += link is None
        print("\n".join([f"{name}:", *(f"  {line}" for line in said)]))
        links[name] = link or ""
    folder = settings.folder / "links"
    for source in arguments.sources or [_NONE]:
        for path in make_codes(folder, links, source, arguments.language):
            print(f"  {path}")
    print("\n".join(await _sources(settings)))
    return 1 if problems else 0


def link_for(channel: str, link: str, source: str, language: str) -> str:
    """The deep link of a channel for one poster; without a tag for "-"."""
    if source == _NONE:
        return link
    if channel == "telegram":
        return f"{link}?start={source}"
    if channel == "whatsapp":
        return f"{link}?text={quote(f'{say("hello_link", language)} #{source}')}"
    return f"{link}?source={source}"


def make_codes(folder: Path, links: Mapping[str, str], source: str, language: str) -> list[Path]:
    """A PNG and an SVG for every channel that has a link; the files."""
    made = []
    for channel, link in links.items():
        if link:
            code = segno.make(link_for(channel, link, source, language), error="m")
            name = channel if source == _NONE else f"{channel}-{source}"
            for ending in ("png", "svg"):
                folder.mkdir(parents=True, exist_ok=True)
                made.append(folder / f"{name}.{ending}")
                code.save(str(made[-1]), scale=_QR_SCALE, border=4)
    return made


async def _telegram(settings: Settings) -> tuple[str | None, Sequence[str]]:
    """(link, lines to print); the link is None when it is configured and does not work, "" when it is not."""
    if settings.telegram is None:
        return "", ["not configured: set TELEGRAM_BOT_TOKEN (docs/channels.md)"]
    async with Telegram(settings.telegram) as channel:
        try:
            me = await channel.bot.get_me()
            for language in (None, *LANGUAGES):
                await _introduce(channel, language)
            if settings.telegram.webhook:
                await channel.listen_by_webhook()
            else:
                await channel.listen_by_polling()
        except InvalidToken:
            return None, ["Telegram does not know this TELEGRAM_BOT_TOKEN; copy it again from @BotFather"]
        except NotSent as problem:
            return None, [f"Telegram does not take {settings.telegram.webhook} ({problem}): check PUBLIC_URL"]
        except TelegramError as error:
            return None, [f"Telegram does not answer: {type(error).__name__}"]
    mode = f"called at {settings.telegram.webhook}" if settings.telegram.webhook else "fetched by polling"
    link = f"https://t.me/{me.username}"
    return link, [f"connected as @{me.username}, {mode}", "commands and texts set in three languages", link]


async def _introduce(channel: Telegram, language: str | None) -> None:
    """Commands and texts for one language of Telegram; None is for all other languages."""
    shown = language or "nl"
    menu = [BotCommand(name, says) for name, says in command_menu(shown)]
    await channel.bot.set_my_commands(menu, language_code=language)
    await channel.bot.set_my_description(about("long", shown), language_code=language)
    await channel.bot.set_my_short_description(about("short", shown), language_code=language)


async def _whatsapp(settings: Settings) -> tuple[str | None, Sequence[str]]:
    account = settings.whatsapp
    if account is None:
        return "", ["not configured: set WHATSAPP_TOKEN and three more (docs/channels.md)"]
    try:
        number = await _number(account)
    except (aiohttp.ClientError, TimeoutError) as error:
        return None, [f"WhatsApp does not answer: {type(error).__name__}"]
    if "error" in number:
        code = number["error"].get("code")
        hint = "WHATSAPP_TOKEN is not valid (any more)" if code == 190 else "check token and phone number id"
        return None, [f"WhatsApp refuses with error {code}: {hint}"]
    shown = str(number.get("display_phone_number", ""))
    link = f"https://wa.me/{re.sub(r'[^0-9]', '', shown)}"
    templates = ", ".join(f"{language} {name}" for language, name in account.templates.items())
    return link, [
        f"connected: {number.get('verified_name')}, {shown}, quality {number.get('quality_rating', 'unknown')}",
        f"webhook to enter at Meta: {settings.public_url or 'https://YOUR-ADDRESS'}/webhooks/whatsapp",
        f"templates after 24 hours: {templates or 'none, such answers wait until the person writes again'}",
        link,
    ]


async def _number(account: WhatsAppAccount) -> dict[str, Any]:
    fields = "display_phone_number,verified_name,quality_rating"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session,
        session.get(
            f"{account.api_base}/{account.version}/{account.number_id}?fields={fields}",
            headers={"Authorization": f"Bearer {account.token}"},
        ) as response,
    ):
        answer = await response.json(content_type=None)
        return dict(answer) if isinstance(answer, dict) else {"error": {"code": response.status}}


async def _sources(settings: Settings) -> list[str]:
    """How many people each poster brought."""
    query = text(
        "SELECT channel, source, count(*) FROM conversation WHERE source IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC"
    )
    async with opened.database(settings) as database, database.connect() as link:
        rows = (await link.execute(query)).all()
    return ["came by:", *(f"  {source} ({channel}): {times}" for channel, source, times in rows)] if rows else []
