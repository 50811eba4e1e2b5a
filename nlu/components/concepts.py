"""Thesaurus concepts in a text: "doekoe", "maaş" and "loon" all count as the concept PAY.

The thesaurus (nlu/<language>/thesaurus.yml) maps a concept to words and phrases; a phrase that ends
in * matches any ending ("verdien*"). Phrases are matched on normalised text, word by word.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable

import yaml

from nlu.components.normalise import normalise

_TOKEN = re.compile(r"\w+")
_LONGEST = 5
_GREETING = "HELLO"
_LEFT_AFTER_GREETING = 2  # words


class Thesaurus:
    """Finds concepts; picklable, so that a trained model carries its own copy."""

    def __init__(self, concepts: dict[str, Iterable[str]], language: str) -> None:
        self._exact: dict[str, list[str]] = {}
        self._starts: dict[str, list[str]] = {}
        self._first_words: set[str] = set()  # of phrases of several words
        for concept, phrases in concepts.items():
            for phrase in phrases:
                phrase = str(phrase).strip()
                words = " ".join(_TOKEN.findall(normalise(phrase, language)))
                table = self._starts if phrase.endswith("*") else self._exact
                if words and concept not in table.setdefault(words, []):
                    table[words].append(concept)
                if " " in words:
                    self._first_words.add(words.split()[0])

    @classmethod
    def load(cls, path: Path, language: str) -> Thesaurus:
        """Read a YAML file {CONCEPT: [phrase, ...]}; a missing file is an empty thesaurus."""
        concepts = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
        return cls(concepts or {}, language)

    def without_greeting(self, normalised: str) -> str:
        """`normalised` without the greetings in front of a question: "hallo, wat kost het" is about money.

        A message that is hardly more than a greeting stays whole.
        """
        words = _TOKEN.findall(normalised)
        start = 0
        while len(words) - start > _LEFT_AFTER_GREETING and _GREETING in self._exactly(words[start]):
            start += 1
        return " ".join(words[start:]) if start else normalised

    def _exactly(self, word: str) -> list[str]:
        starts = (self._starts.get(word[:length], ()) for length in range(3, len(word) + 1))
        return [*self._exact.get(word, ()), *(concept for found in starts for concept in found)]

    def concepts(self, normalised: str) -> list[str]:
        """Every concept in `normalised`, once per mention, in reading order."""
        words = _TOKEN.findall(normalised)
        found: list[str] = []
        for start, first in enumerate(words):
            longest = _LONGEST if first in self._first_words else 1
            for end in range(start + 1, min(start + longest, len(words)) + 1):
                phrase = " ".join(words[start:end])
                found += self._exact.get(phrase, ())
                # only the last word may be longer than the phrase in the thesaurus
                shortest = len(phrase) - len(words[end - 1]) + 1
                for length in range(max(3, shortest), len(phrase) + 1):
                    found += self._starts.get(phrase[:length], ())
        return found
