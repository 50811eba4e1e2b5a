"""./tekkie channels against the fake: what Telegram is told, and one clear sentence when it does not work."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.channels import channels
from bot.commands.rasa_side import free_port
from bot.messages import LANGUAGES
from bot.settings import Settings
from bot.settings import Telegram as Account
from tests.channels.telegram_bot import PATH, PUBLIC, SECRET
from tests.fakes.telegram import TOKEN, FakeTelegram, telegram


async def run(settings: Settings, account: Account, database_url: str, folder: Path) -> int:
    own = replace(settings, telegram=account, database_url=database_url, folder=folder)
    return await channels(own, argparse.Namespace(sources=["oba"], language="nl"))


async def test_everything_is_told_in_three_languages(
    settings: Settings, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with telegram() as fake:
        account = Account(TOKEN, SECRET, webhook=PUBLIC + PATH, api_base=fake.url)
        assert await run(settings, account, database_url, tmp_path) == 0
        assert fake.refused == []
        assert fake.queue.webhook and fake.queue.webhook.secret == SECRET
        assert await run(settings, replace(account, webhook=None), database_url, tmp_path) == 0
        assert fake.queue.webhook is None
        told = names(fake)
    assert told == {
        "": ["taal", "coach", "help", "privacy", "wis", "stop"],
        "nl": ["taal", "coach", "help", "privacy", "wis", "stop"],
        "tr": ["dil", "danisman", "yardim", "gizlilik", "sil", "dur"],
        "ar": ["language", "coach", "help", "privacy", "delete", "stop"],
    }
    assert {method for method, language in fake.settings if language in LANGUAGES} == {
        "setMyCommands",
        "setMyDescription",
        "setMyShortDescription",
    }
    printed = capsys.readouterr().out
    assert "connected as @tekkie_test_bot" in printed and "https://t.me/tekkie_test_bot" in printed
    assert (tmp_path / "links" / "telegram-oba.png").stat().st_size > 100
    assert TOKEN not in printed


def names(fake: FakeTelegram) -> dict[str, list[str]]:
    menus = {language: values for (method, language), values in fake.settings.items() if method == "setMyCommands"}
    return {language: [command["command"] for command in menu["commands"]] for language, menu in menus.items()}


WRONG: dict[str, tuple[Callable[[Account], Account], str]] = {
    "a token that is not known": (
        lambda account: replace(account, token=TOKEN[:-1] + "x"),
        "does not know this TELEGRAM_BOT_TOKEN",
    ),
    "a webhook it cannot call": (
        lambda account: replace(account, webhook="http://tekkie.example" + PATH),
        "check PUBLIC_URL",
    ),
    "nobody there": (
        lambda account: replace(account, api_base=f"http://127.0.0.1:{free_port()}"),
        "Telegram does not answer",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_said(
    settings: Settings, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    change, sentence = WRONG[name]
    async with telegram() as fake:
        assert await run(settings, change(Account(TOKEN, SECRET, api_base=fake.url)), database_url, tmp_path) == 1
    printed = capsys.readouterr().out
    assert sentence in printed and TOKEN not in printed
