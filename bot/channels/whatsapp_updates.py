"""From a call of WhatsApp's webhook to our own values. Pure: no requests, nothing kept.

Meta batches: entry[] x changes[] x (messages[] | statuses[] | errors[]), and every level is read. Who somebody is, is
their user id; the phone number is an older alias and may be missing (since 2026).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.messages import Failure, Incoming, Kind, Media, Receipt, Status, clean

logger = logging.getLogger(__name__)

NAME = "whatsapp"
_SOURCE = re.compile(r"\s*#([\w-]{1,64})\s*$", re.ASCII)  # at the end of the text a poster's link fills in
_MEDIA = {
    "audio": Media.VOICE,
    "image": Media.PICTURE,
    "video": Media.PICTURE,
    "sticker": Media.PICTURE,
    "document": Media.FILE,
}
_IDLE = {"edit": Kind.EDITED, "reaction": Kind.REACTION, "revoke": Kind.IDLE, "system": Kind.IDLE}
_MOST_KEPT = 20_000
Json = Mapping[str, Any]

# By error code, never by title (docs/channels.md). What is not named here will not get better by trying again.
_FAILURES = {
    Failure.CLOSED: (131047,),
    Failure.SLOWER: (4, 80007, 130429, 131056),
    Failure.AWAY: (1, 2, 131000, 131016, 133004, 133016),
    Failure.BLOCKED: (131026,),
    Failure.ALARM: (0, 3, 10, 190, 200, 368, 131005, 131031, 131042, 133010),
}
_BY_CODE = {code: failure for failure, codes in _FAILURES.items() for code in codes}


def parse_call(body: Json, number_id: str) -> tuple[list[Incoming], list[Receipt]]:
    """Everything in one call that concerns our number; never raises, and logs codes only."""
    messages: list[Incoming] = []
    receipts: list[Receipt] = []
    for value in _values(body):
        if str(_dict(value.get("metadata")).get("phone_number_id", number_id)) != number_id:
            logger.warning("a call for another number was left out")
            continue
        contacts = [_dict(contact) for contact in _list(value.get("contacts"))]
        messages += [parse_message(_dict(message), contacts) for message in _list(value.get("messages"))]
        receipts += filter(None, (_receipt(_dict(status)) for status in _list(value.get("statuses"))))
        for error in _list(value.get("errors")):
            logger.error("whatsapp tells of error %s", _dict(error).get("code"))
    return messages, receipts


def parse_message(message: Json, contacts: list[dict[str, Any]]) -> Incoming:
    """One message; UNREADABLE when it is not in a shape we know."""
    try:
        return _read(message, contacts)
    except (KeyError, TypeError, ValueError, AttributeError):
        kept = json.dumps(message, ensure_ascii=False, default=str)
        key = str(message.get("id") or hashlib.sha256(kept.encode()).hexdigest()[:32])
        return Incoming(NAME, key, "unreadable", Kind.UNREADABLE, payload=kept[:_MOST_KEPT])


def failure_of(code: int) -> Failure:
    """What an error code means, in our words."""
    return _BY_CODE.get(code, Failure.REFUSED)


def _read(message: Json, contacts: list[dict[str, Any]]) -> Incoming:
    kind, key = str(message["type"]), str(message["id"])
    address, alias = _who(message, contacts)

    def made(kind: Kind, text: str = "", payload: str | None = None, source: str | None = None) -> Incoming:
        return Incoming(
            NAME, key, address, kind, clean(text), payload, alias=alias, message_id=key, source=source or referral
        )

    referral = _text(_dict(message.get("referral")).get("source_id"))
    if kind == "text":
        text, source = _without_source(str(message["text"]["body"]))
        return made(Kind.TEXT, text, source=source) if clean(text) else made(Kind.MEDIA, payload=Media.OTHER)
    if kind == "interactive":
        pressed = message["interactive"].get("button_reply") or message["interactive"].get("list_reply")
        return made(Kind.CHOICE, pressed["title"], pressed["id"]) if pressed else made(Kind.MEDIA, payload=Media.OTHER)
    if kind == "button":  # under a template: its text is what was meant
        return made(Kind.TEXT, message["button"]["text"])
    if kind in _MEDIA:
        return made(Kind.MEDIA, str(message[kind].get("caption") or ""), _MEDIA[kind])
    if kind == "location":
        return made(Kind.LOCATION)
    if kind == "contacts":
        return made(Kind.CONTACT)
    if kind == "request_welcome":
        return made(Kind.TEXT, "/start")
    if kind == "system":
        return _system(message, key, address, alias)
    if kind in _IDLE:
        return made(_IDLE[kind], payload=kind)
    return made(Kind.MEDIA, payload=Media.OTHER)  # unsupported, order, and what Meta will think of next


def _system(message: Json, key: str, address: str, alias: str | None) -> Incoming:
    """Mostly a changed number: then the new address takes over the conversation of the old one."""
    system = _dict(message.get("system"))
    names = ("user_id", "new_user_id", "wa_id", "new_wa_id")
    new = next((found for name in names if (found := _text(system.get(name)))), None)
    if "changed" in str(system.get("type", "")) and new and new != address:
        return Incoming(NAME, key, new, Kind.IDLE, payload="moved", alias=address)
    return Incoming(NAME, key, address, Kind.IDLE, payload="system", alias=alias)


def _who(message: Json, contacts: list[dict[str, Any]]) -> tuple[str, str | None]:
    """(address, alias): the user id and the phone number, or the one of them that is there. Raises ValueError."""
    phone, user = _text(message.get("from")), _text(message.get("from_user_id"))
    same = (c for c in contacts if (phone and c.get("wa_id") == phone) or (user and c.get("user_id") == user))
    own = next(same, None)
    if own is None and len(contacts) == 1:
        own = contacts[0]
    if own:
        phone, user = phone or _text(own.get("wa_id")), user or _text(own.get("user_id"))
    if not phone and not user:
        raise ValueError("a message from nobody")
    return (user, phone) if user else (str(phone), None)


def _receipt(status: Json) -> Receipt | None:
    key, told = _text(status.get("id")), str(status.get("status", ""))
    if not key or told not in set(Status):
        return None
    errors = [_dict(error) for error in _list(status.get("errors"))]
    if told != Status.FAILED:
        return Receipt(NAME, key, Status(told))
    code = next((int(e["code"]) for e in errors if str(e.get("code", "")).isdigit()), -1)
    logger.warning("whatsapp could not deliver a message: error %d", code)
    return Receipt(NAME, key, Status.FAILED, failure_of(code), str(code))


def _without_source(text: str) -> tuple[str, str | None]:
    found = _SOURCE.search(text)
    return (text[: found.start()], found.group(1)) if found and found.start() else (text, None)


def _values(body: Json) -> Iterator[dict[str, Any]]:
    for entry in _list(body.get("entry")):
        for change in _list(_dict(entry).get("changes")):
            yield _dict(_dict(change).get("value"))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
