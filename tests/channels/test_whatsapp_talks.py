"""Whole talks on WhatsApp in three languages, with the real bot and over real HTTP; every kind of message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings
from tests.channels.whatsapp_site import Chat, Phone, chatting
from tests.conftest import fresh_database
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import choices, said
from tests.fakes.whatsapp_rules import Person

TALKS = yaml.safe_load((Path(__file__).parent.parent / "payloads" / "whatsapp" / "talks.yml").read_text("utf-8"))
Json = dict[str, Any]
_CAME = """
    SELECT i.outcome, t.topic, t.language, c.source FROM inbox i JOIN conversation c ON c.id = i.conversation_id
    LEFT JOIN transcript t ON t.inbox_id = i.id AND t.author = 'person'
    WHERE c.address = :address ORDER BY i.id DESC LIMIT 1
"""
_OURS = "wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI3MEM2RUJFNkI0RENGQTVDRjUA"
_UNSUPPORTED = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
SENT: dict[str, Json] = {
    "audio": calls.media("audio", voice=True),
    "image": calls.media("image"),
    "image_with_words": calls.media("image", caption="wat kost de programmeerschool"),
    "video": calls.media("video"),
    "sticker": calls.media("sticker", animated=False),
    "document": calls.media("document", filename="cv.pdf"),
    "location": {"type": "location", "location": {"latitude": 52.36, "longitude": 4.79}},
    "contacts": {"type": "contacts", "contacts": [{"name": {"formatted_name": "Oom"}, "phones": [{"phone": "+31 6"}]}]},
    "order": {"type": "order", "order": {"catalog_id": "1", "text": "", "product_items": []}},
    "unsupported": {"type": "unsupported", "errors": [_UNSUPPORTED]},
    "nfm_reply": {
        "type": "interactive",
        "interactive": {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}},
    },
    "hologram": {"type": "hologram", "hologram": {"id": "990011"}},
    "button": {"type": "button", "button": {"payload": "x", "text": "wat kost de programmeerschool"}},
    "reaction": {"type": "reaction", "reaction": {"message_id": _OURS, "emoji": "❤️"}},
    "edit": {
        "type": "edit",
        "edit": {"original_message_id": _OURS, "message": {"type": "text", "text": {"body": "wat kost de school"}}},
    },
    "revoke": {"type": "revoke", "revoke": {"original_message_id": _OURS}},
}


@pytest.fixture(scope="module")
async def chat(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Chat]:
    """One bot for all talks; what was said must add up at the end."""
    async with fresh_database(server) as url, chatting(settings, rasa_url, url) as opened:
        yield opened
        assert not [outcome for outcome in await opened.checked() if outcome.startswith("dead")]


@pytest.mark.parametrize("name", TALKS)
async def test_talk(chat: Chat, name: str) -> None:
    number = list(TALKS).index(name)
    phone = Phone(chat, Person(name, f"3161234000{number}", f"NL.1000{number}"))
    for turn in TALKS[name]:
        bubbles = await phone.press(turn["presses"]) if "presses" in turn else await phone.say(_content(turn))
        await _saw(chat, phone, turn, bubbles)
    read = [call.payload["message_id"] for call in chat.fake.calls if call.outcome == "read"]
    assert len(read) == len(set(read))


async def _saw(chat: Chat, phone: Phone, turn: Json, bubbles: list[Json]) -> None:
    assert len(bubbles) == turn.get("bubbles", len(bubbles) or 1), turn
    words = " ".join(said(bubble) for bubble in bubbles)
    for part in turn.get("hears", []):
        assert part in words
    if "as" in turn:
        assert bubbles[-1].get("interactive", bubbles[-1])["type"] == turn["as"]
    assert set(turn.get("offers", [])) <= {title for title, _ in choices(bubbles[-1] if bubbles else {})}
    [came] = await chat.rows(_CAME, address=phone.person.address)
    for key, value in zip(("outcome", "topic", "language", "source"), came, strict=True):
        assert (turn, value) == (turn, turn.get(key, value))


def _content(turn: Json) -> Json | str:
    return SENT[turn["sends"]] if "sends" in turn else str(turn["says"])


async def test_first_answers_say_that_no_human_wrote_them(chat: Chat) -> None:
    """Once per person, whatever they begin with; a greeting says it by itself."""
    for number, begin in enumerate(("hoi", "wat kost het", "/help", "😀", "/start")):
        phone = chat.phone("Bram", f"3161234111{number}", f"NL.2000{number}")
        assert "automatische assistent" in said((await phone.say(begin))[0])
        assert "automatische assistent" not in " ".join(map(said, await phone.say("hoe lang duurt het?")))


async def test_a_place_comes_as_a_pin(chat: Chat) -> None:
    phone = chat.phone("Chantal", "31612342222", "NL.3000")
    pin, text = await phone.say("waar is de programmeerschool in centrum")
    assert (pin["type"], pin["location"]["name"]) == ("location", "Codam")
    assert "automatische assistent" in said(text)


async def test_choices_that_do_not_fit_are_answered_by_number(chat: Chat) -> None:
    """What no answer has today: titles too long for a list. The number and the title both work."""
    phone = chat.phone("Dirk", "31612343333", "NL.4000")
    await phone.say("hoi")
    await chat.change(_ASKS, address="NL.4000", buttons=_LONG)
    await chat.settled()
    [question] = phone.new()
    assert said(question).endswith(
        "1. Hoe lang duurt de hele opleiding?\n2. Wat kost de hele opleiding?\n\nTyp het nummer van je keuze."
    )
    assert "1.511" in " ".join(map(said, await phone.say("2")))


_LONG = """[{"title": "Hoe lang duurt de hele opleiding?", "payload": "/how_long"},
    {"title": "Wat kost de hele opleiding?", "payload": "/cost"}]"""
_ASKS = """
    WITH asked AS (
        INSERT INTO transcript (conversation_id, position, author, text, buttons, language)
        SELECT id, last_position + 1, 'assistant', 'Wat wil je weten?', CAST(:buttons AS jsonb), 'nl'
        FROM conversation WHERE address = :address RETURNING id, conversation_id
    ), counted AS (
        UPDATE conversation SET last_position = last_position + 1 WHERE address = :address
    )
    INSERT INTO outbox (conversation_id, transcript_id, channel)
    SELECT conversation_id, id, 'whatsapp' FROM asked
"""
