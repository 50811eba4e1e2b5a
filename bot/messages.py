"""The values that travel along the path of a message. No I/O, no platform words.

An Incoming is what a person sent, a Reply what is said back; channels make the first and take the
second, everything in between sees nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_CHARACTERS = 4096
LANGUAGES = ("nl", "tr", "ar")


class Kind(StrEnum):
    """What a person did."""

    TEXT = "text"
    CHOICE = "choice"  # pressed a button; `payload` says which, `text` is its title
    MEDIA = "media"  # voice note, photo, sticker: cannot be read (yet)


class Author(StrEnum):
    """Who wrote a line of the transcript. People always see which."""

    PERSON = "person"
    ASSISTANT = "assistant"
    COACH = "coach"


@dataclass(frozen=True)
class Incoming:
    """One message of a person, already verified and cleaned by its channel.

    `external_id` is the channel's own id: the same id again is a repeat. `address` is who to answer,
    `language_hint` what the platform says of the person's language ("tr").
    """

    channel: str
    external_id: str
    address: str
    kind: Kind
    text: str = ""
    payload: str | None = None
    language_hint: str | None = None


@dataclass(frozen=True)
class Button:
    """`payload`: "/topic", "/topic{...}" or "language:tr"."""

    title: str
    payload: str


def read_buttons(rows: Iterable[Mapping[str, str]]) -> tuple[Button, ...]:
    """Buttons from JSON: [{"title", "payload"}, ...]; `asdict` is the way back."""
    return tuple(Button(row["title"], row["payload"]) for row in rows)


@dataclass(frozen=True)
class Reply:
    """One bubble."""

    text: str
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of the transcript as a channel shows it. `position` counts from 1 in its conversation."""

    position: int
    author: Author
    text: str
    buttons: tuple[Button, ...]
    language: str | None
    at: float  # seconds since 1970
    external_id: str | None = None  # of the person's own message


class Failure(StrEnum):
    """Why a channel could not send, in the words every channel shares."""

    AWAY = "away"  # the platform did not answer: try again
    REFUSED = "refused"  # the platform will never take this


class NotSent(Exception):
    """Raised by a channel."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure


_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_WORDLIKE = re.compile(r"[^\W_]")


def clean(text: str) -> str:
    """`text` without control characters, direction overrides and outer white space, in NFC.

    New lines and tabs stay; so does the zero-width (non-)joiner that Arabic script and emoji need.
    """
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text.replace("\r\n", "\n"))).strip()


def has_words(text: str) -> bool:
    """False for emoji, punctuation or nothing."""
    return bool(_WORDLIKE.search(text))
