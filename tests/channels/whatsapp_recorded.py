"""The recorded calls of tests/payloads/whatsapp, and what must come of each (expected.yml)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.channels.whatsapp_updates import NAME
from bot.messages import Attachment, Failure, Incoming, Kind, Receipt, Status
from tests.fakes.whatsapp_calls import NUMBER_ID

FOLDER = Path(__file__).parent.parent / "payloads" / "whatsapp"
FILES = ("text", "media", "answers", "identity", "statuses", "batches", "broken")
Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One recorded call and what is expected of it."""

    file: str
    name: str
    call: Json
    expected: Json

    @property
    def messages(self) -> list[Incoming]:
        wanted = self.expected.get("messages", [])
        return [_incoming(row, own) for row, own in zip(wanted, _own(self.call), strict=True)]

    @property
    def receipts(self) -> list[Receipt]:
        keys = {key[-8:]: key for key in map(_id, _all(self.call, "statuses")) if key}
        return [_receipt(keys[row[0]], *row[1:]) for row in self.expected.get("receipts", [])]


@lru_cache
def _expected() -> dict[str, Json]:
    found: dict[str, Json] = yaml.safe_load((FOLDER / "expected.yml").read_text("utf-8"))
    return found


@lru_cache
def cases() -> dict[str, Case]:
    """All of them, by "file: name"."""
    found = _expected()
    calls = {file: json.loads((FOLDER / f"{file}.json").read_text("utf-8")) for file in FILES}
    assert {file: list(calls[file]) for file in FILES} == {file: list(found[file]) for file in FILES}
    return {
        f"{file}: {name}": Case(file, name, calls[file][name], found[file][name])
        for file in FILES
        for name in calls[file]
    }


def _incoming(row: Json, message: Any) -> Incoming:
    address, alias = row["from"] if "from" in row else _expected()["people"][row["who"]]
    kind = Kind(row.get("kind", "text"))
    key = _hash(message) if row.get("id") == "hashed" else message["id"]
    unreadable = kind is Kind.UNREADABLE
    return Incoming(
        NAME,
        key,
        address,
        kind,
        row.get("text", ""),
        _kept(message) if unreadable else row.get("payload"),
        alias=alias,
        message_id=key if row.get("quotable", not unreadable) else None,
        source=row.get("source"),
        attachment=Attachment(*row["file"]) if "file" in row else None,
    )


def _receipt(key: str, told: str, failure: str | None = None, detail: str = "") -> Receipt:
    return Receipt(NAME, key, Status(told), Failure(failure) if failure else None, detail)


def _own(call: Json) -> list[Any]:
    """The messages for our number as they were recorded."""
    return list(_all(call, "messages"))


def _all(call: Json, what: str) -> Iterator[Any]:
    for entry in call.get("entry", []) if isinstance(call.get("entry"), list) else []:
        for change in entry["changes"]:
            value = change["value"]
            found = value.get(what, [])
            if value.get("metadata", {}).get("phone_number_id") == NUMBER_ID and isinstance(found, list):
                yield from found


def _id(status: Any) -> str | None:
    key = status.get("id") if isinstance(status, dict) else None
    return key if isinstance(key, str) else None


def _kept(message: Any) -> str:
    """An unreadable message is kept as JSON, half emoji written out."""
    text = json.dumps(message if isinstance(message, dict) else {}, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _hash(message: Any) -> str:
    return hashlib.sha256(_kept(message).encode()).hexdigest()[:32]
