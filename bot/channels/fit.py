"""Fits texts and buttons to what a platform bears, without cutting a word or losing a meaning. Pure functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from bot.messages import Button

_BREAKS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?؟])\s", r"\s"))
HASHED = "#"  # in front of button data that was too long: the title is read instead


def utf16(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def pieces(text: str, most: int, length: Callable[[str], int] = len) -> list[str]:
    """`text` in as few parts of at most `most` as it takes, broken between paragraphs, else sentences, else words.

    Only a single word that is longer than `most` is cut.
    """
    text = text.strip()
    if length(text) <= most:
        return [text]
    at = next((cut for pattern in _BREAKS if (cut := _last_break(pattern, text, most, length))), 0)
    if not at:
        at = max(n for n in range(1, most + 1) if length(text[:n]) <= most)
    return [text[:at].strip(), *pieces(text[at:], most, length)]


def numbered(text: str, buttons: Sequence[Button], hint: str) -> str:
    """The choices as a numbered list under the text, for where buttons do not fit."""
    choices = "\n".join(f"{number}. {button.title}" for number, button in enumerate(buttons, start=1))
    return f"{text}\n\n{choices}\n\n{hint}"


def button_data(payload: str, most_bytes: int) -> str:
    """`payload`, or a short stand-in when it is too long for the platform."""
    if len(payload.encode()) <= most_bytes:
        return payload
    return HASHED + hashlib.sha256(payload.encode()).hexdigest()[:32]


def _last_break(pattern: re.Pattern[str], text: str, most: int, length: Callable[[str], int]) -> int:
    """Where to cut at the latest match whose part still fits; 0 when there is none."""
    found = 0
    for match in pattern.finditer(text):
        if length(text[: match.start()].strip()) > most:
            break
        if text[: match.start()].strip():
            found = match.end()
    return found
