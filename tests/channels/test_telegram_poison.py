"""Broken updates: the recorded ones, and whatever a fuzzer makes of the good ones."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from bot.channels.telegram_group import parse_with_group
from bot.channels.telegram_updates import parse_update
from bot.messages import Kind
from tests.channels.mutations import mutated
from tests.channels.telegram_payloads import PAYLOADS, POISON, READABLE
from tests.fakes.telegram_methods import Json


@pytest.mark.parametrize("name", POISON)
def test_poison(name: str) -> None:
    """Never raises, keeps what came, and answers to the update's number if it has one."""
    update = POISON[name]
    incoming = parse_update(update)
    assert (incoming.kind, incoming.address) == (Kind.UNREADABLE, "unreadable")
    assert incoming.payload is not None
    assert json.loads(incoming.payload) == update
    incoming.payload.encode()
    number = update.get("update_id")
    unnumbered = incoming.external_id.startswith("unnumbered:")
    assert unnumbered if type(number) is not int else incoming.external_id == str(number)


def test_poison_without_a_number_is_told_apart() -> None:
    other = {**POISON["an update without a number"], "extra": 1}
    keys = {parse_update(update).external_id for update in (POISON["an update without a number"], other, other)}
    assert len(keys) == 2


def test_too_deep_or_too_big_to_keep_whole() -> None:
    deep: Json = {}
    for _ in range(990):
        deep = {"reply_to_message": deep}
    assert parse_update({"update_id": 1, "message": deep}).kind is Kind.UNREADABLE
    assert len(parse_update({"update_id": 2, "message": "x" * 100_000}).payload or "") == 20_000
    assert parse_update({"update_id": 10**400, "message": {}}).external_id.startswith("unnumbered:")


@settings(max_examples=400, deadline=None)
@given(mutated(list(PAYLOADS.values())))
def test_whatever_comes_can_be_kept(update: Json) -> None:
    """PostgreSQL takes no zero byte, no half letter and no endless key; a number is what we can answer to."""
    incoming = parse_update(update)
    for value in (incoming.external_id, incoming.text, incoming.payload, incoming.language_hint, incoming.source):
        assert b"\0" not in (value or "").encode()
    assert len(incoming.external_id) < 100
    assert incoming.address == "unreadable" or int(incoming.address) is not None
    assert incoming.message_id is None or int(incoming.message_id) is not None


GROUPS = [update for name, update in READABLE.items() if "group" in name]


@settings(max_examples=150, deadline=None)
@given(mutated(GROUPS))
def test_the_coaches_group_breaks_nothing(update: Json) -> None:
    """What coaches write in their group is looked at more closely than other groups."""
    for group in (-1004112233445, -4112233445):
        parse_with_group(update, group)


def test_what_coaches_do_is_read() -> None:
    group = -1004112233445
    spoken = parse_with_group(READABLE["a command in a supergroup"], group)
    pressed = parse_with_group(READABLE["a button in a topic of a group"], group)
    assert (spoken.kind, pressed.kind) == (Kind.COLLEAGUE, Kind.COLLEAGUE)
    assert json.loads(pressed.payload or "") == {"thread": 3, "person": 5011223344, "does": "take"}
