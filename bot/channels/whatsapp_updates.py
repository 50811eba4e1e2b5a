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
from dataclasses import replace
from typing import Any

from bot.messages import LANGUAGES, Attachment, Failure, Incoming, Kind, Media, Receipt, Status, clean, point
from bot.phrases import say

logger = logging.getLogger(__name__)

NAME = "whatsapp"
_SOURCE = re.compile(r"\s#([\w-]{1,64})\s*$", re.ASCII)  # at the end of the text a poster's link fills in
_MEDIA = {
    "audio": Media.VOICE,
    "image": Media.PICTURE,
    "video": Media.PICTURE,
    "sticker": Media.PICTURE,
    "document": Media.FILE,
}
_IDLE = {"edit": Kind.EDITED, "reaction": Kind.REACTION, "revoke": Kind.IDLE}
_MOVED = ("user_changed_number", "user_changed_user_id", "customer_changed_number")
_CODE = re.compile(r"\d{1,9}", re.ASCII)
_MOST_KEPT = 20_000
_MOST_ID = 512  # far more than any id of Meta's; a much longer one could not be indexed
Json = Mapping[str, Any]

# By error code, never by title (docs/channels.md). What is not named here will not get better by trying again.
_FAILURES = {
    Failure.CLOSED: (131047,),
    Failure.SLOWER: (4, 80007, 130429, 131056),
    Failure.AWAY: (1, 2, 131000, 131016, 131057, 133004, 133016),
    Failure.BLOCKED: (131026,),
    Failure.ALARM: (0, 3, 10, 190, *range(200, 300), 368, 131005, 131031, 131037, 131042, 131045, 133010),
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
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        kept = _storable(message)
        key = _text(message.get("id")) or hashlib.sha256(kept.encode()).hexdigest()[:32]
        return Incoming(NAME, key, "unreadable", Kind.UNREADABLE, payload=kept[:_MOST_KEPT])


def failure_of(code: int) -> Failure:
    """What an error code means, in our words."""
    return _BY_CODE.get(code, Failure.REFUSED)


def _read(message: Json, contacts: list[dict[str, Any]]) -> Incoming:
    kind, key = str(message["type"]), _text(message["id"])
    if key is None:
        raise ValueError("a message without an id")
    if kind == "system":
        return _system(message, key)
    address, alias = _who(message, contacts)
    referral = _text(_dict(message.get("referral")).get("source_id"))

    def made(kind: Kind, text: str = "", payload: str | None = None) -> Incoming:
        return Incoming(NAME, key, address, kind, clean(text), payload, alias=alias, message_id=key, source=referral)

    if message.get("group_id"):  # a reply would go to the person alone
        return made(Kind.IDLE, payload="group")
    if kind == "text":
        text, source = _without_source(_words(message["text"]["body"]))
        told = made(Kind.TEXT, text) if clean(text) else made(Kind.MEDIA, payload=Media.OTHER)
        return replace(told, source=source or referral)
    if kind == "interactive":
        reply = _dict(message.get("interactive"))
        pressed = reply.get("button_reply") or reply.get("list_reply")
        if not pressed:  # a form, or a message Meta could not pass on: then it has errors instead
            return made(Kind.MEDIA, payload=Media.OTHER)
        return made(Kind.CHOICE, _words(pressed["title"]), clean(_words(pressed["id"])))
    if kind == "button":  # under a template: its text is what was meant
        return made(Kind.TEXT, _words(message["button"]["text"]))
    if kind in _MEDIA:
        file = _dict(message.get(kind))
        return replace(made(Kind.MEDIA, _words(file.get("caption") or ""), _MEDIA[kind]), attachment=_file(file))
    if kind == "location":
        spot = _dict(message.get("location"))
        return made(Kind.LOCATION, point(float(spot["latitude"]), float(spot["longitude"])))
    if kind == "contacts":
        return made(Kind.CONTACT)
    if kind == "request_welcome":
        return made(Kind.TEXT, "/start")
    if kind in _IDLE:
        return made(_IDLE[kind], payload=kind)
    return made(Kind.MEDIA, payload=Media.OTHER)  # unsupported, order, and what Meta will think of next


def _file(file: Json) -> Attachment | None:
    """What a coach may want to see."""
    key, name = _first(file, "id"), file.get("filename")
    if key is None or not (key.isascii() and key.isalnum()):
        return None
    mime = (_first(file, "mime_type") or "").partition(";")[0]
    return Attachment(key, clean(name) if isinstance(name, str) else "", mime)


def _system(message: Json, key: str) -> Incoming:
    """Mostly a changed number: then the new address takes over the conversation of the old one.

    There are no contacts. A new number brings a new user id; the old one is told since August 2026.
    """
    system = _dict(message.get("system"))
    old = _first(system, "previous_user_id") or _first(message, "from_user_id", "from") or _first(system, "customer")
    new = _first(system, "user_id", "new_user_id", "wa_id", "new_wa_id")
    if system.get("type") in _MOVED and old and new and new != old:
        return Incoming(NAME, key, new, Kind.IDLE, payload="moved", alias=old)
    about = _first(message, "from_user_id", "from") or old or new
    if about is None:
        raise ValueError("a message about nobody")
    return Incoming(NAME, key, about, Kind.IDLE, payload="system")


def _who(message: Json, contacts: list[dict[str, Any]]) -> tuple[str, str | None]:
    """(address, alias): the user id and the phone number, or the one of them that is there. Raises ValueError."""
    phone, user = _first(message, "from"), _first(message, "from_user_id")
    for contact in contacts:
        number, name = _first(contact, "wa_id"), _first(contact, "user_id")
        same = (phone and number == phone) or (user and name == user)
        other = (phone and number and number != phone) or (user and name and name != user)
        if same or (len(contacts) == 1 and not other):
            phone, user = phone or number, user or name
            break
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
    code = next((int(code) for e in errors if _CODE.fullmatch(code := str(e.get("code", "")))), -1)
    logger.warning("whatsapp could not deliver a message: error %d", code)
    return Receipt(NAME, key, Status.FAILED, failure_of(code), str(code))


def _without_source(text: str) -> tuple[str, str | None]:
    """Only after a greeting like the one our links fill in: anybody may end a message with "#help"."""
    found = _SOURCE.search(text)
    if found is None or not text.startswith(tuple(say("hello_link", language).split()[0] for language in LANGUAGES)):
        return text, None
    return text[: found.start()], found.group(1)


def _values(body: Json) -> Iterator[dict[str, Any]]:
    for entry in _list(body.get("entry")):
        for change in _list(_dict(entry).get("changes")):
            yield _dict(_dict(change).get("value"))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    """An id, if it is one that can be stored."""
    return value if isinstance(value, str) and 0 < len(value) <= _MOST_ID and clean(value) == value else None


def _first(value: Json, *names: str) -> str | None:
    return next((found for name in names if (found := _text(value.get(name)))), None)


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _storable(value: Json) -> str:
    """As JSON that the database can keep: without half emoji, and not nested without end."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    except RecursionError:
        return "nested too deeply"
