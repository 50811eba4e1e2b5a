"""./tekkie chat: talk in the terminal over the real path, with a database that is gone afterwards."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import transcript
from bot.commands import postgres, rasa_side
from bot.commands.serve import running
from bot.commands.train import ensure_trained
from bot.database import wait
from bot.messages import LANGUAGES, MOST_CHARACTERS, WEBCHAT, Author, Button, Incoming, Kind, Line, clean
from bot.phrases import LANGUAGE_PAYLOAD
from bot.settings import Settings
from bot.tables import conversation, inbox
from bot.tables import transcript as said
from bot.web import Web

_ADDRESS = "terminal"


@dataclass(frozen=True)
class Exchange:
    """One message and everything that came of it."""

    outcome: str
    topic: str | None
    language: str | None
    replies: tuple[Line, ...]


async def chat(settings: Settings, arguments: argparse.Namespace) -> None:
    """Read lines until end of file; with --json one JSON object a line comes out."""
    logging.getLogger().setLevel(logging.ERROR)
    await asyncio.to_thread(rasa_side.make_environment)
    await ensure_trained(settings)
    with postgres.temporary() as url:
        async with (
            rasa_side.reachable(settings, LANGUAGES) as nlu_url,
            running(replace(settings, nlu_url=nlu_url), url) as site,
        ):
            talk = Talk(site)
            if arguments.language:
                await talk.say("", LANGUAGE_PAYLOAD + arguments.language)
            await (_json(talk) if arguments.json else _terminal(talk))


class Talk:
    """One conversation over the real path: say something, get what came of it."""

    def __init__(self, site: Web, address: str = _ADDRESS) -> None:
        self._site = site
        self._address = address
        self._said = 0
        self._seen = 0

    async def say(self, words: str, payload: str | None = None) -> Exchange:
        """Send a message (or press a button) and wait for its answer."""
        self._said += 1
        key = f"{self._address}:{self._said}"
        kind = Kind.TEXT if payload is None else Kind.CHOICE
        await self._site.acceptor.accept(Incoming(WEBCHAT, key, self._address, kind, words, payload))
        talk = await transcript.open_talk(self._site.database, WEBCHAT, self._address)
        assert talk is not None
        number, _ = talk
        with self._site.bell.waiting_for(f"transcript:{number}") as rung:
            while (outcome := await _outcome(self._site.database, key)) is None:
                await wait(rung, 0.5)
        lines = await transcript.lines(self._site.database, number, self._seen)
        self._seen = lines[-1].position if lines else self._seen
        mine = [line for line in lines if line.author is Author.PERSON]
        replies = tuple(line for line in lines if line.author is not Author.PERSON)
        topic, language = await _understood(self._site.database, number, mine[-1].position if mine else 0)
        return Exchange(outcome, topic, language, replies)


async def _outcome(database: AsyncEngine, key: str) -> str | None:
    query = select(inbox.c.outcome).where(inbox.c.channel == WEBCHAT, inbox.c.external_id == key)
    async with database.connect() as link:
        return (await link.execute(query)).scalar()


async def _understood(database: AsyncEngine, number: int, position: int) -> tuple[str | None, str | None]:
    query = (
        select(said.c.topic, conversation.c.language)
        .join(conversation, conversation.c.id == said.c.conversation_id)
        .where(said.c.conversation_id == number, said.c.position == position)
    )
    async with database.connect() as link:
        row = (await link.execute(query)).one_or_none()
    return (row.topic, row.language) if row else (None, None)


async def _json(talk: Talk) -> None:
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        exchange = await talk.say(clean(text)[:MOST_CHARACTERS])
        replies = [
            {
                "text": reply.text,
                "buttons": [asdict(button) for button in reply.buttons],
                "from": str(reply.author),
            }
            for reply in exchange.replies
        ]
        result = {
            "text": text,
            "language": exchange.language,
            "outcome": exchange.outcome,
            "topic": exchange.topic,
            "replies": replies,
        }
        print(json.dumps(result, ensure_ascii=False), flush=True)


async def _terminal(talk: Talk) -> None:
    print("An automatic assistant. Write in Dutch, Turkish or Arabic; a number presses a button; Ctrl-D ends.")
    buttons: list[Button] = []
    while True:
        line = await asyncio.to_thread(_ask)
        if line is None:
            return
        chosen = buttons[int(line) - 1] if line.isdigit() and 0 < int(line) <= len(buttons) else None
        text = clean(line)[:MOST_CHARACTERS]
        if not text:
            continue
        exchange = await (talk.say(chosen.title, chosen.payload) if chosen else talk.say(text))
        buttons = [button for reply in exchange.replies for button in reply.buttons]
        for reply in exchange.replies:
            print(f"\n{reply.text}\n")
        print("\n".join(f"  [{number}] {button.title}" for number, button in enumerate(buttons, start=1)))


def _ask() -> str | None:
    try:
        return input("> ").strip()
    except EOFError:
        return None
