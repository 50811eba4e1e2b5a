"""The fake itself: the rules it keeps over a clock of our own, and the second opinion on what we send."""

from __future__ import annotations

from typing import Any

import pytest

from tests.channels import meta_schema
from tests.fakes.whatsapp_rules import BURST, PER_SECOND, Clock, Rules

Json = dict[str, Any]


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def text(to: str) -> Json:
    return {"to": to, "type": "text", "text": {"body": "hoi"}}


def test_80_in_any_second() -> None:
    hand = Hand()
    rules = Rules(Clock(hand))
    people = [f"316{number}" for number in range(200)]
    rules.heard(*people)
    assert [rules.refusal(text(person)) for person in people[:PER_SECOND]] == [None] * PER_SECOND
    hand.seconds += 0.9
    assert rules.refusal(text(people[80])) == 130429
    hand.seconds += 0.1
    assert rules.refusal(text(people[80])) is None


def test_45_at_once_to_one_person_then_one_in_six_seconds() -> None:
    hand = Hand()
    rules = Rules(Clock(hand))
    rules.heard("31612345678", "31687654321")
    assert [rules.refusal(text("31612345678")) for _ in range(BURST + 1)] == [None] * BURST + [131056]
    assert rules.refusal(text("31687654321")) is None  # somebody else is not held
    hand.seconds += 5.9
    assert rules.refusal(text("31612345678")) == 131056
    hand.seconds += 0.1
    assert [rules.refusal(text("31612345678")) for _ in range(2)] == [None, 131056]


def test_the_window_closes_after_24_hours() -> None:
    rules = Rules(Clock(Hand()))
    assert rules.refusal(text("31612345678")) == 131047  # never wrote
    rules.heard("31612345678", "NL.1")
    rules.clock.skip(hours=23.9)
    assert rules.refusal({**text("x"), "to": None, "recipient": "NL.1"}) is None
    rules.clock.skip(hours=0.2)
    assert rules.refusal(text("31612345678")) == 131047
    assert rules.refusal({"to": "31612345678", "type": "template"}) is None


@pytest.mark.skipif(meta_schema.MISSING, reason="without ../shared")
def test_the_repaired_file_takes_its_own_examples() -> None:
    """Outbound all but 12, which contradict the file itself: "CATALOG" for "catalog", no type, unknown types."""
    paths = meta_schema.document()["paths"]
    outbound = examples(paths["/{Version}/{Phone-Number-ID}/messages"])
    assert sum(not meta_schema.by_schema(example) for example in outbound) == len(outbound) - 12 == 38
    inbound = [call for call in examples(paths["/whatsapp/webhooks"]) if "messages" in str(call)]
    assert [meta_schema.inbound_problems(call) for call in inbound] == [[]] * 13


def examples(path: Json) -> list[Json]:
    found = path["post"]["requestBody"]["content"]["application/json"]["examples"]
    return [example["value"] for example in found.values()]


BASE = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "31612345678"}
ROWS = [{"id": str(number), "title": f"keuze {number}"} for number in range(11)]


def buttons(*titles: str, **more: Json) -> Json:
    row = [{"type": "reply", "reply": {"id": str(number), "title": title}} for number, title in enumerate(titles)]
    interactive = {"type": "button", "body": {"text": "?"}, "action": {"buttons": row}, **more}
    return {**BASE, "type": "interactive", "interactive": interactive}


def menu(*sections: list[Json], **more: Json) -> Json:
    action = {"button": "Kies", "sections": [{"rows": rows} for rows in sections]}
    return {
        **BASE,
        "type": "interactive",
        "interactive": {"type": "list", "body": {"text": "?"}, "action": action, **more},
    }


WRONG = {
    "4 buttons": buttons("a", "b", "c", "d"),
    "0 buttons": buttons(),
    "a title of 21 letters": buttons("a" * 21),
    "two equal titles": buttons("a", "a"),
    "an empty title": buttons(" "),
    "buttons without a text": buttons("a", body={}),
    "an unknown key": {**BASE, "type": "text", "text": {"body": "a"}, "colour": "red"},
    "an unknown key inside": buttons("a", colour={}),
    "11 rows": menu(ROWS),
    "11 rows in two sections": menu(ROWS[:6], ROWS[6:]),
    "a row of 25 letters": menu([{"id": "1", "title": "a" * 25}]),
    "two equal ids": menu([{"id": "1", "title": "a"}, {"id": "1", "title": "b"}]),
    "no messaging_product": {"recipient_type": "individual", "to": "31", "type": "text", "text": {"body": "a"}},
    "4,097 letters": {**BASE, "type": "text", "text": {"body": "a" * 4097}},
    "a text without words": {**BASE, "type": "text", "text": {"body": ""}},
    "to and recipient": {**BASE, "recipient": "NL.1", "type": "text", "text": {"body": "a"}},
    "neither": {"messaging_product": "whatsapp", "recipient_type": "individual", "type": "text", "text": {"body": "a"}},
    "a type nobody knows": {**BASE, "type": "hologram"},
    "latitude in letters": {
        **BASE,
        "type": "location",
        "location": {"latitude": "52", "longitude": 4.9, "name": "a", "address": "b"},
    },
}


@pytest.mark.skipif(meta_schema.MISSING, reason="without ../shared")
@pytest.mark.parametrize("name", WRONG)
def test_the_second_opinion_sees_what_is_wrong(name: str) -> None:
    assert meta_schema.problems(WRONG[name])
