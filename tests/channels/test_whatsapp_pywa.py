"""A second library reads the recorded calls: who, which message, which words. What pywa 4.5 cannot read is marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pywa.client import WhatsApp as Library
from pywa.errors import PywaUnknownEnumMemberWarning
from pywa.types.base_update import RawUpdate
from pywa.types.message import EditedMessage
from pywa.types.message_status import MessageStatus

from bot.channels.whatsapp_updates import parse_call
from bot.messages import Incoming, Kind, Receipt, point
from tests.channels.whatsapp_recorded import cases
from tests.fakes import whatsapp_calls as calls

LIBRARY = Library(phone_id=calls.NUMBER_ID, token="t", verify_token="v", app_secret="s", server=None)
NAMES = [name for name, case in cases().items() if case.file != "broken"]
Json = dict[str, Any]


@pytest.mark.parametrize("name", NAMES)
def test_pywa_reads_the_same(name: str) -> None:
    case = cases()[name]
    if case.expected.get("pywa") is False:
        with pytest.raises((KeyError, PywaUnknownEnumMemberWarning)):
            [theirs(part) for part in one_by_one(case.call)]
        return
    for part in one_by_one(case.call):
        messages, receipts = parse_call(part, calls.NUMBER_ID)
        update = theirs(part)
        if messages:
            same_message(messages[0], update, part)
        elif receipts:
            same_receipt(receipts[0], update)
        else:
            assert update is None  # for another number


def test_most_can_be_read_by_both() -> None:
    assert sum(cases()[name].expected.get("pywa") is not False for name in NAMES) >= 45


def same_message(ours: Incoming, update: Any, part: Json) -> None:
    assert update.id == ours.external_id or isinstance(update, EditedMessage)
    if ours.payload == "moved":
        assert ours.address == (update.new_user_id or update.new_wa_id)
        told = part["entry"][0]["changes"][0]["value"]["messages"][0]["system"]
        assert ours.alias == told.get("previous_user_id", update.old_wa_id)
        return
    assert (update.from_user.bsuid, update.from_user.wa_id) == (ours.address, ours.alias)
    if ours.kind is Kind.LOCATION:
        assert ours.text == point(update.location.latitude, update.location.longitude)
        return
    words = next(filter(None, (getattr(update, name, None) for name in ("text", "caption", "title"))), "")
    assert ours.text in words or ours.text == "/start"
    assert (ours.kind is Kind.CHOICE) == (ours.payload is not None and ours.payload == getattr(update, "data", None))


def same_receipt(ours: Receipt, update: Any) -> None:
    assert isinstance(update, MessageStatus)
    assert (update.id, update.status.value) == (ours.platform_id, ours.status)


def theirs(call: Json) -> Any:
    """What the library makes of a call with one message or one status; None when it leaves it out."""
    update = RawUpdate(json.dumps(call).encode(), hmac_header=None, update_hash="")
    handler = LIBRARY._get_handler_type(update)
    return LIBRARY._handlers_to_updates[handler].from_update(client=LIBRARY, update=update) if handler else None


def one_by_one(call: Json) -> Iterator[Json]:
    """The same call in parts of one message or status each, with its own contact: pywa reads only the first."""
    for entry in call["entry"]:
        for change in entry["changes"]:
            for kind in ("messages", "statuses"):
                for item in change["value"].get(kind, []):
                    value = {k: v for k, v in change["value"].items() if k not in ("messages", "statuses")}
                    own = [contact for contact in value.pop("contacts", []) if _belongs(contact, item)]
                    value |= {"contacts": own} if own else {}
                    yield {**call, "entry": [{**entry, "changes": [{**change, "value": {**value, kind: [item]}}]}]}


def _belongs(contact: Json, item: Json) -> bool:
    addresses = {item.get(name) for name in ("from", "from_user_id", "recipient_id", "recipient_user_id")} - {None}
    return bool(addresses & {contact.get("wa_id"), contact.get("user_id")})
