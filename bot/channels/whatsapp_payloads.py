"""From a reply to the messages of WhatsApp's Cloud API. Pure functions.

1-3 buttons are reply buttons, 4-10 a list; whatever does not fit (a long title, a long text, more choices) becomes a
numbered list in plain text, which can be answered by its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.channels.fit import numbered, pieces
from bot.messages import Button, Outgoing, Place
from bot.phrases import say

_MOST_TEXT = 4096
_MOST_BODY = 1024  # of a text with buttons
_MOST_BUTTONS, _MOST_BUTTON, _MOST_BUTTON_ID = 3, 20, 256
_MOST_ROWS, _MOST_ROW, _MOST_ROW_ID = 10, 24, 200
Payload = dict[str, Any]


def recipient(address: str) -> Payload:
    """`to` for a phone number, `recipient` for a user id."""
    return {"recipient_type": "individual", "to" if address.isdecimal() else "recipient": address}


def messages(outgoing: Outgoing) -> Iterator[Payload]:
    """The messages (nearly always one) that say this reply, without recipient."""
    reply, context = outgoing.reply, {"context": {"message_id": outgoing.quote}} if outgoing.quote else {}
    if reply.place:
        yield {**_location(reply.place), **context}
    elif reply.buttons and _fits_buttons(reply.text, reply.buttons):
        yield {**_buttons(reply.text, reply.buttons), **context}
    elif reply.buttons and _fits_list(reply.text, reply.buttons):
        yield {**_list(reply.text, reply.buttons, say("choose_button", outgoing.language)), **context}
    else:
        hint = say("number_hint", outgoing.language)
        text = numbered(reply.text, reply.buttons, hint) if reply.buttons else reply.text
        for part in pieces(text, _MOST_TEXT):
            yield {"type": "text", "text": {"body": part, "preview_url": False}, **context}
            context = {}


def template(name: str, language: str) -> Payload:
    """An approved template without variables."""
    return {"type": "template", "template": {"name": name, "language": {"code": language}}}


def read_and_typing(message_id: str) -> Payload:
    return {"status": "read", "message_id": message_id, "typing_indicator": {"type": "text"}}


def _fits_buttons(text: str, buttons: tuple[Button, ...]) -> bool:
    return len(buttons) <= _MOST_BUTTONS and _fit(text, buttons, _MOST_BUTTON, _MOST_BUTTON_ID)


def _fits_list(text: str, buttons: tuple[Button, ...]) -> bool:
    return len(buttons) <= _MOST_ROWS and _fit(text, buttons, _MOST_ROW, _MOST_ROW_ID)


def _fit(text: str, buttons: tuple[Button, ...], most_title: int, most_id: int) -> bool:
    """Also refused by WhatsApp: two buttons with the same title or the same id."""
    return (
        0 < len(text) <= _MOST_BODY
        and all(0 < len(button.title) <= most_title and len(button.payload) <= most_id for button in buttons)
        and len({button.title for button in buttons}) == len({button.payload for button in buttons}) == len(buttons)
    )


def _buttons(text: str, buttons: tuple[Button, ...]) -> Payload:
    replies = [{"type": "reply", "reply": {"id": button.payload, "title": button.title}} for button in buttons]
    return _interactive("button", text, {"buttons": replies})


def _list(text: str, buttons: tuple[Button, ...], label: str) -> Payload:
    rows = [{"id": button.payload, "title": button.title} for button in buttons]
    return _interactive("list", text, {"button": label, "sections": [{"rows": rows}]})


def _interactive(kind: str, text: str, action: Payload) -> Payload:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": text}, "action": action}}


def _location(place: Place) -> Payload:
    where = {"latitude": place.latitude, "longitude": place.longitude, "name": place.name, "address": place.address}
    return {"type": "location", "location": where}
