"""Texts and buttons fitted to a platform: never inside a word, nothing lost, numbers that can be typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.fit import button_data, numbered, pieces, utf16
from bot.messages import Button

SENTENCE = "Dit is een zin."

PIECES: dict[str, tuple[str, int, list[str]]] = {
    "fits": ("kort", 10, ["kort"]),
    "exactly": ("a" * 10, 10, ["a" * 10]),
    "white space around is not counted": ("  kort \n", 4, ["kort"]),
    "between paragraphs before sentences": ("een. twee.\n\ndrie. vier.", 18, ["een. twee.", "drie. vier."]),
    "between lines before sentences": ("een. twee.\ndrie. vier.", 18, ["een. twee.", "drie. vier."]),
    "between sentences before words": (
        f"{SENTENCE} {SENTENCE} en nog wat",
        33,
        [f"{SENTENCE} {SENTENCE}", "en nog wat"],
    ),
    "Arabic question mark": ("هل هذا صحيح؟ نعم هذا صحيح", 20, ["هل هذا صحيح؟", "نعم هذا صحيح"]),
    "between words": ("aaa bbb ccc ddd", 7, ["aaa bbb", "ccc ddd"]),
    "a word that is too long": ("a" * 25, 10, ["a" * 10, "a" * 10, "a" * 5]),
    "a number is not the end of a sentence": ("Kosten: 1.511 euro", 14, ["Kosten: 1.511", "euro"]),
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces(name: str) -> None:
    text, most, wanted = PIECES[name]
    assert pieces(text, most) == wanted


@given(st.text(st.sampled_from("ab. \n؟ğع😀"), max_size=200), st.integers(2, 30))
def test_nothing_is_lost_and_no_piece_is_too_long(text: str, most: int) -> None:
    for length in (len, utf16):
        parts = pieces(text, most, length)
        assert all(length(part) <= most for part in parts)
        assert all(parts) or not text.strip()
        assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


@given(st.lists(st.text(st.sampled_from("abcğع"), min_size=1, max_size=9), min_size=1, max_size=30))
def test_no_word_is_cut(words: list[str]) -> None:
    assert " ".join(pieces(" ".join(words), 9)).split() == words


def test_numbered_choices() -> None:
    buttons = [Button("Wat kost het?", "/cost"), Button("Iets anders", "/something_else")]
    text = numbered("Wat wil je weten?", buttons, "Typ het nummer.")
    assert text == "Wat wil je weten?\n\n1. Wat kost het?\n2. Iets anders\n\nTyp het nummer."


@pytest.mark.parametrize(
    ("payload", "kept"),
    [("/cost", True), ("a" * 64, True), ("a" * 65, False), ("ğ" * 32, True), ("ğ" * 33, False)],
)
def test_button_data_is_counted_in_bytes(payload: str, kept: bool) -> None:
    data = button_data(payload, 64)
    assert len(data.encode()) <= 64
    assert (data == payload) is kept
    assert data == button_data(payload, 64)


@pytest.mark.parametrize(("text", "length"), [("abc", 3), ("ğع", 2), ("😀", 2), ("👩‍💻", 5)])
def test_length_as_telegram_counts_it(text: str, length: int) -> None:
    assert utf16(text) == length
