"""Recorded updates -> the exact Incoming; aiogram reads each of them as a second opinion."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from aiogram.types import Update

from bot.channels.telegram_updates import Callback, parse_update
from bot.messages import Incoming, Kind
from tests.channels.telegram_expected import EXPECTED
from tests.channels.telegram_payloads import READABLE
from tests.fakes.telegram_methods import Json, unknown_keys

# What Telegram sends beside its documentation, for old bots.
LEGACY = ("all_members_are_administrators", "new_chat_participant", "new_chat_member")
KINDS = {
    "text": Kind.TEXT,
    "location": Kind.LOCATION,
    "venue": Kind.LOCATION,
    "contact": Kind.CONTACT,
}  # anything else with a person behind it is MEDIA
EVENTS = {
    "edited_message": {Kind.EDITED},
    "callback_query": {Kind.CHOICE, Kind.TEXT, Kind.IDLE},
    "my_chat_member": {Kind.BLOCKED, Kind.UNBLOCKED, Kind.GROUP, Kind.IDLE},
}


def plain(incoming: Incoming) -> tuple[Incoming, str, str, list[list[Json]]]:
    """For comparing: the library's buttons as they travel."""
    courtesy = incoming.courtesy if isinstance(incoming.courtesy, Callback) else Callback("", "", ())
    keyboard = [[button.to_dict() for button in row] for row in courtesy.keyboard]
    return replace(incoming, courtesy=None), courtesy.query_id, courtesy.data, keyboard


def test_every_recorded_update_has_its_row() -> None:
    assert READABLE.keys() == EXPECTED.keys()
    numbers = [update["update_id"] for update in READABLE.values()]
    assert len(numbers) == len(set(numbers)) >= 30


@pytest.mark.parametrize("name", EXPECTED)
def test_update(name: str) -> None:
    update = copy.deepcopy(READABLE[name])
    expected = replace(EXPECTED[name], external_id=str(update["update_id"]))
    assert plain(parse_update(update)) == plain(expected)
    assert update == READABLE[name]  # left as it was


@pytest.mark.parametrize("name", EXPECTED)
def test_second_opinion(name: str) -> None:
    """aiogram takes what we recorded, knows every key in it, and sees the same kind of thing."""
    update = Update.model_validate(READABLE[name])
    unknown = [key for key in unknown_keys(update) if not key.endswith(LEGACY)]
    assert unknown == (["message.hologram"] if "no library" in name else [])
    kind = EXPECTED[name].kind
    if update.message is None:
        assert kind in EVENTS[update.event_type]
    elif update.message.chat.type == "private" and kind is not Kind.IDLE and "direction marks" not in name:
        assert kind is KINDS.get(update.message.content_type, Kind.MEDIA)
        assert EXPECTED[name].address == str(update.message.from_user.id if update.message.from_user else None)
