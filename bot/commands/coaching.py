"""Puts the coaches' side together: desk, timers, group and pings, with what they need of the channels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels.telegram_updates import NAME as TELEGRAM
from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp_updates import NAME as WHATSAPP
from bot.coach import timers
from bot.coach.cards import Cards
from bot.coach.desk import Desk, opened
from bot.coach.group import Group
from bot.coach.outside import Outside
from bot.coach.pings import Pings
from bot.coach.typing import coach_types
from bot.database import Bell
from bot.messages import WEBCHAT, Outgoing, Reply
from bot.settings import Settings
from bot.understanding import Understanding

if TYPE_CHECKING:  # its library takes a second to load; who has no Telegram need not wait
    from bot.channels.telegram import Telegram

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Coaching:
    """`desk` is mounted by bot/web.py and needs `live` beside it; `works` run until the bot stops."""

    desk: Desk
    live: Work
    works: tuple[Work, ...]


def coaching(
    settings: Settings,
    url: str,
    database: AsyncEngine,
    bell: Bell,
    understanding: Understanding,
    telegram: Telegram | None,
    whatsapp: WhatsApp | None,
) -> Coaching:
    """Everything of the coaches, with the channels that are configured."""
    desk = opened(url, database, understanding, _outside(database, telegram, whatsapp), settings.secure_cookies)
    cards = desk.cards
    works: list[Work] = []
    pings = (
        Pings(database, bell, _to_coach(telegram), _subjects(cards), settings.public_url or "") if telegram else None
    )
    if pings:
        works.append(pings.run)
    works.append(lambda: timers.run(database, bell, pings.overdue if pings else None, keep_days=settings.keep_days))
    if telegram and (forum := telegram.group()):
        works.append(Group(database, bell, forum, settings.public_url or "", _titles(cards)).run)
    return Coaching(desk, desk.live.run, tuple(works))


def _outside(database: AsyncEngine, telegram: Telegram | None, whatsapp: WhatsApp | None) -> Outside:
    files = {TELEGRAM: telegram.download} if telegram else {}
    files |= {WHATSAPP: whatsapp.download} if whatsapp else {}

    async def template(channel: str, outgoing: Outgoing) -> bool:
        return bool(whatsapp and channel == WHATSAPP and await whatsapp.knock(outgoing))

    async def typing(channel: str, outgoing: Outgoing) -> None:
        if telegram and channel == TELEGRAM:
            await telegram.typing(outgoing)
        elif whatsapp and channel == WHATSAPP:
            await whatsapp.typing(outgoing)
        elif channel == WEBCHAT:
            await coach_types(database, outgoing.address)

    async def fetch(channel: str, media_id: str) -> tuple[str, bytes]:
        return await files[channel](media_id)

    return Outside({WHATSAPP: WhatsApp.limits.window_hours or 0.0}, template, typing, fetch)


def _to_coach(telegram: Telegram | None) -> Callable[[int, str], Awaitable[None]]:
    async def send(account: int, words: str) -> None:
        if telegram:
            await telegram.send(Outgoing(str(account), Reply(words)))

    return send


def _titles(cards: Cards) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def titles() -> Mapping[str, str]:
        return {name: topic.title for name, topic in (await cards.topics()).items()}

    return titles


def _subjects(cards: Cards) -> Callable[[], Awaitable[Mapping[str, tuple[str, str]]]]:
    async def subjects() -> Mapping[str, tuple[str, str]]:
        return {name: (topic.title, topic.group) for name, topic in (await cards.topics()).items()}

    return subjects
