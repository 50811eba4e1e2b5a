"""Quick replies: ready sentences in three languages with a few words to fill in, from quick.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Formatter

import yaml

from bot.messages import LANGUAGES, Reply, clean

MOST_CHARACTERS = 80  # of a word that is filled in
_ISOLATE, _END = "\u2068", "\u2069"  # keeps "14:30" or a Dutch name in one piece inside Arabic


class UnknownQuick(Exception):
    """There is no quick reply of this id."""


class Unfilled(Exception):
    """A slot is empty, too long, or not a word at all."""


@dataclass(frozen=True)
class Quick:
    """`title` is what coaches look for, in Dutch; `texts` has {slots} in every language."""

    id: str
    title: str
    slots: tuple[str, ...]
    texts: Mapping[str, str]


@lru_cache(maxsize=1)
def quick_replies() -> Mapping[str, Quick]:
    """All of them by id, in the order of the file."""
    rows = yaml.safe_load(Path(__file__).with_name("quick.yml").read_text("utf-8"))
    return {
        name: Quick(name, row["title"], slots_of(row["nl"]), {c: row[c] for c in LANGUAGES})
        for name, row in rows.items()
    }


def slots_of(text: str) -> tuple[str, ...]:
    """The names in braces, each once."""
    return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(text) if name))


def fill(name: str, language: str, values: Mapping[str, object]) -> Reply:
    """The reply in `language`, with Dutch beside it. Raises UnknownQuick and Unfilled."""
    found = quick_replies().get(name)
    if found is None:
        raise UnknownQuick
    words = {slot: _word(values.get(slot)) for slot in found.slots}
    dutch = found.texts["nl"].format(**words)
    if language == "nl":
        return Reply(dutch)
    if language == "ar":
        words = {slot: f"{_ISOLATE}{word}{_END}" for slot, word in words.items()}
    return Reply(found.texts[language].format(**words), dutch=dutch)


def _word(value: object) -> str:
    word = " ".join(clean(value).split()) if isinstance(value, str) else ""
    if not 0 < len(word) <= MOST_CHARACTERS:
        raise Unfilled
    return word
