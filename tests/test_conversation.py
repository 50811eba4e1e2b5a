import pytest

from bot.conversation import CHOSEN, DETECTED, HINT, Tongue, asked_for_language, first_tongue, typed_button
from bot.language import Detected, choose
from bot.messages import Button

OFFERED = (Button("Wat kost het?", "/cost"), Button("Iets anders", "/something_else"))


@pytest.mark.parametrize(
    ("typed", "payload"),
    [
        ("1", "/cost"),
        ("2.", "/something_else"),
        ("٢", "/something_else"),
        ("3", None),
        ("0", None),
        ("wat kost het?", "/cost"),
        ("iets heel anders", None),
        ("", None),
    ],
)
def test_a_button_can_be_typed(typed: str, payload: str | None) -> None:
    assert typed_button(typed, OFFERED) == payload


@pytest.mark.parametrize(
    ("known", "origin", "hint", "expected"),
    [
        (None, None, None, Tongue("nl", HINT)),
        (None, None, "tr-TR", Tongue("tr", HINT)),
        (None, None, "en", Tongue("nl", HINT)),
        ("ar", CHOSEN, "tr", Tongue("ar", CHOSEN)),
    ],
)
def test_first_language(known: str | None, origin: str | None, hint: str | None, expected: Tongue) -> None:
    assert first_tongue(known, origin, hint) == expected


@pytest.mark.parametrize(
    ("detected", "tongue", "after"),
    [
        (Detected("tr", 0.99, 5), Tongue("nl", HINT), Tongue("tr", DETECTED)),
        (Detected("tr", 0.8, 1), Tongue("nl", HINT), Tongue("tr", DETECTED)),
        (Detected("tr", 0.8, 5), Tongue("nl", DETECTED), Tongue("nl", DETECTED)),  # not sure enough
        (Detected("tr", 0.97, 1), Tongue("nl", DETECTED), Tongue("nl", DETECTED)),  # one word, perhaps a name
        (Detected("tr", 0.97, 4), Tongue("nl", CHOSEN), Tongue("tr", DETECTED)),
        (Detected("nl", 0.0, 0), Tongue("ar", CHOSEN), Tongue("ar", CHOSEN)),  # a number or emoji
        (Detected("other", 0.99, 6), Tongue("nl", HINT), None),
        (Detected("other", 0.99, 2), Tongue("tr", DETECTED), Tongue("tr", DETECTED)),
    ],
)
def test_switching_needs_certainty(detected: Detected, tongue: Tongue, after: Tongue | None) -> None:
    assert choose(detected, tongue) == after


def test_asking_for_a_language() -> None:
    assert asked_for_language("change_language", {"language": "tr"}) == "tr"
    assert asked_for_language("change_language", {"language": "en"}) is None
    assert asked_for_language("cost", {"language": "tr"}) is None
