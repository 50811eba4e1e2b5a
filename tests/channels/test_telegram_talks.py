"""Whole talks on Telegram, fetched and called: all people at the same time, with the real bot behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings
from tests.channels.telegram_bot import Bot, by_webhook, polling
from tests.conftest import fresh_database
from tests.fakes.telegram_methods import Json
from tests.fakes.telegram_person import Person, titles

Turn = dict[str, Any]
TALKS: dict[str, list[Turn]] = yaml.safe_load(Path(__file__).with_name("telegram_talks.yml").read_text("utf-8"))
WAYS: dict[str, Callable[[Settings, str, str], contextlib.AbstractAsyncContextManager[Bot]]] = {
    "polling": polling,
    "webhook": by_webhook,
}


@pytest.fixture(scope="module")
async def talks(settings: Settings, rasa_url: str, server: str) -> dict[tuple[str, str], list[str]]:
    """Everybody's talk is over, both ways at the same time: what was wrong in each."""
    async with contextlib.AsyncExitStack() as stack:
        urls = {way: await stack.enter_async_context(fresh_database(server)) for way in WAYS}
        bots = {way: await stack.enter_async_context(WAYS[way](settings, rasa_url, urls[way])) for way in WAYS}
        found = await asyncio.gather(*(everybody(bot) for bot in bots.values()))
    return {(way, name): wrong for way, talks in zip(WAYS, found, strict=True) for name, wrong in talks.items()}


async def everybody(bot: Bot) -> dict[str, list[str]]:
    found = await asyncio.gather(*(talk(bot, turns) for turns in TALKS.values()))
    books = await bot.books()
    assert not [outcome for outcome in books.inbox if outcome.startswith("dead")]
    assert set(books.outbox) <= {"sent", "failed:forgotten"}  # wiped in the moment between arriving and being marked
    return dict(zip(TALKS, found, strict=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TALKS)
def test_talk(talks: dict[tuple[str, str], list[str]], way: str, name: str) -> None:
    assert talks[way, name] == []


async def talk(bot: Bot, turns: list[Turn]) -> list[str]:
    """One person's turns; what was not as the table says."""
    person, wrong = bot.person(turns[0].get("phone")), []
    for turn in turns:
        if "phone" in turn:
            continue
        try:
            wrong += [f"{turn}: {problem}" for problem in await take(bot, person, turn)]
        except AssertionError as error:
            return [*wrong, f"{turn}: {error}"]
    return wrong


async def take(bot: Bot, person: Person, turn: Turn) -> list[str]:
    update = act(person, turn)
    wrong = compare(turn, await person.hears(turn.get("replies", 1)))
    if turn.get("outcome") not in (None, outcome := await bot.outcome(update)):
        wrong.append(f"ended {outcome}")
    if "press" in turn:
        await pressed(bot, person, turn["press"])
    return wrong


def act(person: Person, turn: Turn) -> int:
    if "press" in turn:
        return person.presses(turn["press"])
    return person.sends(**turn["sends"]) if "sends" in turn else person.writes(turn["person"])


def compare(turn: Turn, replies: list[Json]) -> list[str]:
    text = "\n".join(reply.get("text") or reply["venue"]["title"] for reply in replies)
    missing = [f"no {words!r} in {text!r}" for words in turn.get("says", ()) if words not in text]
    offered = [title for reply in replies for title in titles(reply)]
    if turn.get("buttons", offered) != offered:
        missing.append(f"buttons {offered}")
    return missing


async def pressed(bot: Bot, person: Person, title: str) -> None:
    """A button that was pressed gets its tick, and its clock is stopped."""
    await bot.fake.until(lambda: any(f"✓ {title}" in titles(message) for message in person.chat))
    await bot.fake.until(lambda: not bot.fake.queries & person.queries)
