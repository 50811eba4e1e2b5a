"""Cuts a message into sentences, and into the questions it may hold. Pure functions."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?؟\n]+|(?:\s-\s)")
_AND = re.compile(r"[.!?؟\n,،;]+|\s(?:en|ve|plus|ook nog|bir de|and|w|ou)\s|\s(?=و\S)")
_SHORTEST = 12  # characters; shorter pieces say too little by themselves
_LONGEST = 160  # a story has sentences about other things than its question


def sentences(text: str) -> list[str]:
    """The sentences of `text` that are long enough to judge; nothing when there is only one."""
    return _parts(_SENTENCE, text, _SHORTEST)


def questions(text: str) -> list[str]:
    """The parts of a short message that could be two questions: "wat kost het en hoe lang duurt het?"."""
    return _parts(_AND, text, 6) if len(text) <= _LONGEST else []


def _parts(pattern: re.Pattern[str], text: str, shortest: int) -> list[str]:
    parts = [part.strip() for part in pattern.split(text)]
    parts = [part for part in parts if len(part) >= shortest]
    return parts if len(parts) > 1 else []
