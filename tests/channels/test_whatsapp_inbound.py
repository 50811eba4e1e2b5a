"""Recorded calls of the webhook -> exactly these messages and receipts; Meta's own file as second opinion."""

from __future__ import annotations

import logging

import pytest

from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp_updates import failure_of, parse_call
from bot.messages import Failure
from bot.settings import WhatsApp as Account
from tests.channels import meta_schema
from tests.channels.whatsapp_recorded import cases
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp import SECRET
from tests.fakes.whatsapp_rules import Person

ACCOUNT = Account("t", calls.NUMBER_ID, SECRET, "v")


@pytest.mark.parametrize("name", cases())
def test_recorded_call(name: str) -> None:
    case = cases()[name]
    body = calls.raw(case.call)
    messages, receipts = WhatsApp(ACCOUNT).parse({"X-Hub-Signature-256": calls.signature(body, SECRET)}, body)
    assert messages == case.messages
    assert receipts == case.receipts


@pytest.mark.skipif(meta_schema.MISSING, reason="without ../shared")
@pytest.mark.parametrize("name", [name for name, case in cases().items() if case.file != "broken"])
def test_recorded_as_meta_describes_it(name: str) -> None:
    case = cases()[name]
    assert bool(meta_schema.inbound_problems(case.call)) == bool(case.expected.get("newer"))


def test_only_codes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for case in cases().values():
            parse_call(case.call, calls.NUMBER_ID)
    said = {word for record in caplog.records for word in record.getMessage().split()}
    assert {"130429", "131047", "131026"} <= said
    assert not [word for word in said if word.startswith(("wamid", "31", "NL.")) or word in ("Rate", "voor")]


CODES = {
    Failure.CLOSED: (131047,),
    Failure.SLOWER: (4, 80007, 130429, 131056),
    Failure.AWAY: (1, 2, 131000, 131016),
    Failure.BLOCKED: (131026,),
    Failure.REFUSED: (100, 130472, 131008, 131009, 131021, 131030, 131048, 131049, 131051, 131062, 132001, 999_999),
    Failure.ALARM: (0, 3, 10, 190, 200, 299, 368, 131005, 131031, 131042, 131045, 133010),
}


@pytest.mark.parametrize(("failure", "code"), [(failure, code) for failure, codes in CODES.items() for code in codes])
def test_what_an_error_code_means(failure: Failure, code: int) -> None:
    assert failure_of(code) is failure


def test_what_is_too_deep_or_too_large_is_kept_as_unreadable() -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    odd = [
        {"type": "text", "text": deep},
        calls.message(Person("A", "316"), {"type": "location", "location": {"latitude": 10**400, "longitude": 4}}),
    ]
    messages, _ = parse_call(calls.call(calls.value(messages=odd)), calls.NUMBER_ID)
    assert [message.kind for message in messages] == ["unreadable", "unreadable"]
    assert all(message.payload for message in messages)
