"""Second opinion on what we send to WhatsApp: Meta's own OpenAPI file, repaired, and what it does not catch.

As shipped the file rejects its own examples (docs: ../shared/channels.md). `problems` lists everything wrong with one
payload; without ../shared only our own rules speak.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import dropwhile
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from bot.settings import ROOT

FILE = ROOT.parent / "shared" / "specs" / "whatsapp-business-messaging-v23.yaml"
MISSING = not FILE.exists()
_MOST_TEXT, _MOST_ROWS = 4096, 10
_INBOUND = {  # the webhook's schemas point at the outbound twins of the same name
    "TextMessage": "TextMessage_2",
    **{name: f"{name}_1" for name in ("ReactionMessage", "AudioMessage", "DocumentMessage", "ImageMessage")},
    **{name: f"{name}_1" for name in ("StickerMessage", "VideoMessage", "LocationMessage", "ContactObject")},
    "BaseMessageProperties": "BaseMessageProperties_1",
    "ErrorObject": "ErrorObject_2",
}
Json = dict[str, Any]


def problems(payload: Json) -> list[str]:
    """What Meta would not take, or takes and shows wrongly; empty when all is well."""
    return [*by_schema(payload), *_by_our_rules(payload)]


def inbound_problems(call: Json) -> list[str]:
    """How a call of the webhook differs from what Meta describes."""
    return [error.message for error in _validator("WebhookPayload").iter_errors(call)]


def by_schema(payload: Json) -> list[str]:
    if MISSING:
        return []
    name = "MarkMessageRequestPayload" if "status" in payload else "Message"
    errors = list(_validator(name).iter_errors(payload))
    if name == "MarkMessageRequestPayload" or not errors:
        return [error.message for error in errors]
    kind = str(payload.get("type", "")).capitalize()  # of eleven kinds that do not fit, show the one that was meant
    if f"{kind}Message" not in _schemas():
        return [f"no such type: {kind!r}"]
    return [error.message for error in _validator(f"{kind}Message").iter_errors(payload)] or ["fits two kinds"]


def _by_our_rules(payload: Json) -> Iterator[str]:
    if "status" in payload:
        return
    if ("to" in payload) == ("recipient" in payload):
        yield "exactly one of to and recipient"
    if payload.get("type") == "text" and not 0 < len(payload.get("text", {}).get("body", "")) <= _MOST_TEXT:
        yield "a text has 1 to 4,096 characters"
    if payload.get("type") == "interactive":
        yield from _interactive(payload.get("interactive", {}))
    if payload.get("type") == "location" and not all(payload["location"].get(key) for key in ("name", "address")):
        yield "a place has a name and an address"


def _interactive(interactive: Json) -> Iterator[str]:
    if not interactive.get("body", {}).get("text"):
        yield "an interactive message has a body"
    action = interactive.get("action", {})
    sections = action.get("sections", [])
    rows = [row for section in sections for row in section.get("rows", [])]
    choices = rows or [button.get("reply", {}) for button in action.get("buttons", [])]
    if len(rows) > _MOST_ROWS:
        yield "a list has at most 10 rows in total"
    if len(sections) > 1 and not all(section.get("title") for section in sections):
        yield "with more than one section, each has a title"
    for key in ("title", "id"):
        values = [choice.get(key, "") for choice in choices]
        if not all(value.strip() for value in values):
            yield f"an empty {key}"
        if len(set(values)) < len(values):
            yield f"two choices with the same {key}"
    if sections and not action.get("button"):
        yield "a list has a button that opens it"


@lru_cache
def _validator(name: str) -> Draft202012Validator:
    whole = {"components": {"schemas": _schemas()}}
    registry: Registry[Any] = Registry().with_resource("urn:meta", DRAFT202012.create_resource(whole))
    return Draft202012Validator({"$ref": f"urn:meta#/components/schemas/{name}"}, registry=registry)


@lru_cache
def document() -> Json:
    """Meta's file as shipped, but for the schemas that were repaired meanwhile."""
    found: Json = yaml.load(FILE.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


@lru_cache
def _schemas() -> dict[str, Json]:
    """Meta's schemas with the mistakes taken out."""
    found: dict[str, Json] = document()["components"]["schemas"]
    for part in found["Message"]["oneOf"]:
        _close_outside(found[part["$ref"].rpartition("/")[2]])
    for name in dropwhile(lambda name: name != "WebhookPayload", found):
        _point_elsewhere(found[name])
    place = found["LocationMessage"]["allOf"][1]["properties"]["location"]["properties"]
    place["latitude"] = place["longitude"] = {"type": "number"}
    found["LanguageObject"]["required"] = ["code"]
    found["InteractiveObject"]["additionalProperties"] = False
    base = found["BaseMessageProperties"]
    base["required"] = ["messaging_product", "recipient_type", "type"]
    base["properties"]["recipient"] = {"type": "string"}
    return found


def _close_outside(schema: Json) -> None:
    """In an allOf every part refuses the keys of the others: only the whole may refuse keys nobody knows."""
    for part in schema["allOf"]:
        part.pop("additionalProperties", None)
    schema["unevaluatedProperties"] = False


def _point_elsewhere(schema: Any) -> None:
    if isinstance(schema, list):
        for part in schema:
            _point_elsewhere(part)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name in _INBOUND:
            schema["$ref"] = f"#/components/schemas/{_INBOUND[name]}"
        for part in schema.values():
            _point_elsewhere(part)
