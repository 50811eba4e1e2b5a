"""Whole talks in three languages, over real HTTP, with the real Rasa side and a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from bot.tables import inbox, transcript
from tests.conftest import Site
from tests.visitor import Visitor

TALKS = [
    pytest.param(turns, id=f"{path.stem}: {name}")
    for path in sorted((Path(__file__).parent / "dialogues").glob("*.yml"))
    for name, turns in yaml.safe_load(path.read_text("utf-8")).items()
]


@pytest.mark.parametrize("turns", TALKS)
async def test_talk(shared_site: Site, turns: list[dict[str, Any]]) -> None:
    async with Visitor(shared_site.url) as visitor:
        for turn in turns:
            text = turn.get("person", "knop")
            replies = await visitor.say(text, turn.get("press"))
            came = await _what_came_of_it(shared_site, replies[0])
            for key in ("outcome", "topic", "language"):
                if key in turn:
                    assert (text, came[key]) == (text, turn[key])
            said = " ".join(reply["text"] for reply in replies)
            assert turn.get("says", "") in said
            offered = [button["payload"] for reply in replies for button in reply["buttons"]]
            assert turn.get("button") in [None, *offered]


async def _what_came_of_it(site: Site, reply: dict[str, Any]) -> dict[str, Any]:
    query = (
        select(inbox.c.outcome, transcript.c.topic, transcript.c.language)
        .join(inbox, inbox.c.id == transcript.c.inbox_id)
        .where(transcript.c.author == "assistant", transcript.c.text == reply["text"])
        .order_by(transcript.c.id.desc())
        .limit(1)
    )
    async with site.database.connect() as link:
        return dict((await link.execute(query)).one()._mapping)
