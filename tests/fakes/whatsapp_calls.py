"""Calls of the webhook as Meta makes them: complete objects, signed over the raw bytes, batched on every level."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.fakes.whatsapp_rules import Person

NUMBER_ID = "106540352242922"
ACCOUNT_ID = "102290129340398"
Json = dict[str, Any]
_serial = itertools.count(1)


def wamid() -> str:
    """A new message id, in Meta's looks."""
    return f"wamid.HBgLMzE2MTIzNDU2NzgVAgASGBQzQ{next(_serial):024X}A="


def message(person: Person, content: Json, key: str | None = None) -> Json:
    """One message; `content` is {"type": ..., ...}."""
    whose = {"from": person.phone, "from_user_id": person.user_id}
    return {
        **{name: value for name, value in whose.items() if value},
        "id": key or wamid(),
        "timestamp": "1795726800",
        **content,
    }


def text(body: str) -> Json:
    return {"type": "text", "text": {"body": body}}


def pressed(kind: str, key: str, title: str, quoted: str) -> Json:
    """A pressed reply button (`kind` button_reply) or a chosen row of a list (list_reply)."""
    reply = {"id": key, "title": title}
    context = {"from": "31201234567", "id": quoted}
    return {"context": context, "type": "interactive", "interactive": {"type": kind, kind: reply}}


def media(kind: str, **more: Any) -> Json:
    mime = {"image": "image/jpeg", "audio": "audio/ogg; codecs=opus", "video": "video/mp4", "sticker": "image/webp"}
    file = {
        "mime_type": mime.get(kind, "application/pdf"),
        "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
        "id": "1003383421387256",
        **more,
    }
    return {"type": kind, kind: file}


def status(key: str, told: str, person: Person, code: int | None = None) -> Json:
    """What became of message `key`; `code` is why it failed."""
    whose = {"recipient_id": person.phone, "recipient_user_id": person.user_id}
    found: Json = {"id": key, "status": told, "timestamp": "1795726812"}
    found |= {name: value for name, value in whose.items() if value}
    if code:
        found["errors"] = [
            {
                "code": code,
                "title": "Message failed to send",
                "message": "Message failed to send",
                "error_data": {"details": "Message failed to send because of the reason in the code."},
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }
        ]
    else:
        found["pricing"] = {"billable": False, "pricing_model": "PMP", "type": "regular", "category": "service"}
    return found


def contact(person: Person) -> Json:
    whose = {"wa_id": person.phone, "user_id": person.user_id}
    return {"profile": {"name": person.name}, **{name: value for name, value in whose.items() if value}}


def value(people: Sequence[Person] = (), *, number_id: str = NUMBER_ID, **lists: list[Json]) -> Json:
    """The inside of one change: contacts of `people` and messages=, statuses= or errors=."""
    contacts = {"contacts": [contact(person) for person in people]} if people else {}
    metadata = {"display_phone_number": "31201234567", "phone_number_id": number_id}
    return {"messaging_product": "whatsapp", "metadata": metadata, **contacts, **lists}


def call(*values: Json) -> Json:
    """One call with a change for each value."""
    changes = [{"value": inside, "field": "messages"} for inside in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT_ID, "changes": changes}]}


def raw(body: Json, dice: random.Random | None = None) -> bytes:
    """The bytes Meta sends: \\uXXXX and \\/ escapes. With `dice` the same call in other bytes, as a retry may be."""
    if dice is None:
        return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()
    return json.dumps(_shuffled(body, dice), indent=dice.choice([None, 1, 2])).encode()


def signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _shuffled(part: Any, dice: random.Random) -> Any:
    """The keys in another order; lists stay as they are."""
    if isinstance(part, list):
        return [_shuffled(inner, dice) for inner in part]
    if not isinstance(part, dict):
        return part
    keys = list(part)
    dice.shuffle(keys)
    return {key: _shuffled(part[key], dice) for key in keys}
