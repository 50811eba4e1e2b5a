"""./tekkie channels with WhatsApp, and the way of a poster: from its link to the source that is counted."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.channels.whatsapp_updates import parse_call
from bot.commands.channels import channels, link_for
from bot.messages import LANGUAGES
from bot.phrases import say
from bot.settings import Settings
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import FakeWhatsApp
from tests.fakes.whatsapp_rules import Person


async def run(settings: Settings, fake: FakeWhatsApp, database_url: str, folder: Path) -> int:
    ours = replace(settings, database_url=database_url, folder=folder, telegram=None, whatsapp=fake.account)
    return await channels(ours, argparse.Namespace(sources=["bieb-osdorp"], language="nl"))


async def test_what_is_connected(
    settings: Settings, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeWhatsApp(templates={"nl": "verder_nl"}) as fake:
        assert await run(settings, fake, database_url, tmp_path) == 0
        told = capsys.readouterr().out
        assert "Tekkie, +31 20 123 4567, quality GREEN" in told
        assert "nl verder_nl" in told and "https://wa.me/31201234567" in told
        assert (tmp_path / "links" / "whatsapp-bieb-osdorp.png").stat().st_size > 500
        fake.token = "EAAnew"
        assert await run(settings, fake, database_url, tmp_path) == 1
        told = capsys.readouterr().out
        assert "190" in told and "WHATSAPP_TOKEN" in told and "EAA" not in told
    assert await run(settings, fake, database_url, tmp_path) == 1
    assert "does not answer" in capsys.readouterr().out


def test_a_hash_tag_of_somebodys_own_stays() -> None:
    message = calls.message(Person("Anna", "31612345678"), calls.text("ik weet het niet meer #help"))
    [incoming], _ = parse_call(calls.call(calls.value(messages=[message])), calls.NUMBER_ID)
    assert (incoming.text, incoming.source) == ("ik weet het niet meer #help", None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("source", ["bieb-osdorp", "flyer_2026", "7", "x" * 64])
def test_a_poster_is_counted_and_its_tag_is_not_read(language: str, source: str) -> None:
    link = link_for("whatsapp", "https://wa.me/31201234567", source, language)
    [filled_in] = parse_qs(urlsplit(link).query)["text"]
    message = calls.message(Person("Anna", "31612345678"), calls.text(filled_in))
    [incoming], _ = parse_call(calls.call(calls.value(messages=[message])), calls.NUMBER_ID)
    assert (incoming.text, incoming.source) == (say("hello_link", language), source)
