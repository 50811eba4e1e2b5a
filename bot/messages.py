"""The values that travel along the path of a message. No I/O, no platform words.

An Incoming is what a person sent, a Reply what is said back; channels make the first and take the
second, everything in between sees nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

MOST_CHARACTERS = 4096
LANGUAGES = ("nl", "tr", "ar")
WEBCHAT = "webchat"  # the channel without a platform: its page reads the transcript


class Kind(StrEnum):
    """What a person did, or what a platform says about them. `payload` and `text` mean, per kind:"""

    TEXT = "text"
    CHOICE = "choice"  # pressed a button: `payload` says which, `text` is its title
    MEDIA = "media"  # voice note, photo, sticker ...: `payload` is which (Media), `text` its caption
    LOCATION = "location"  # shared where they are: `text` is the point, kept only while a coach talks
    CONTACT = "contact"  # shared a phone number
    EDITED = "edited"  # changed an earlier message: not a new question
    REACTION = "reaction"  # an emoji on a message
    BLOCKED = "blocked"  # does not want to hear from us any more
    UNBLOCKED = "unblocked"
    GROUP = "group"  # spoke to us in a group; what was said there is not kept
    COLLEAGUE = "colleague"  # a coach, in the coaches' own group; `payload` is an InGroup as JSON
    IDLE = "idle"  # nothing to answer, `payload` says what (a system message, another bot's group)
    UNREADABLE = "unreadable"  # `payload` is the raw update: kept for whoever mends the parser


class Media(StrEnum):
    """What cannot be read (yet)."""

    VOICE = "voice"
    PICTURE = "picture"  # photo, video, sticker
    FILE = "file"
    OTHER = "other"


class Author(StrEnum):
    """Who wrote a line of the transcript. People always see which."""

    PERSON = "person"
    ASSISTANT = "assistant"
    COACH = "coach"


@dataclass(frozen=True)
class Attachment:
    """A file that stays with the platform until a coach asks for it. `size` in bytes, 0 when not told."""

    media_id: str
    name: str
    mime: str
    size: int = 0


@dataclass(frozen=True)
class InGroup:
    """Where and who in the coaches' group: `thread` is the case's topic, `person` a coach's id, `does` a button."""

    thread: int
    person: int
    does: str | None = None


@dataclass(frozen=True)
class Incoming:
    """One message of a person, already verified and cleaned by its channel.

    `external_id` is the channel's own id: the same id again is a repeat. `address` is who to answer,
    `alias` an older address of the same person (a phone number beside a user id). `message_id` is what a
    reply can quote, `language_hint` what the platform says of the person's language ("tr"), `source` the
    poster or link that brought them. `courtesy` is the channel's own: what it needs to show that the message
    came in; it is not kept.
    """

    channel: str
    external_id: str
    address: str
    kind: Kind
    text: str = ""
    payload: str | None = None
    language_hint: str | None = None
    alias: str | None = None
    message_id: str | None = None
    source: str | None = None
    courtesy: object = None
    attachment: Attachment | None = None


@dataclass(frozen=True)
class Button:
    """`payload`: "/topic", "/topic{...}" or "language:tr"."""

    title: str
    payload: str


def read_buttons(rows: Iterable[Mapping[str, str]]) -> tuple[Button, ...]:
    """Buttons from JSON: [{"title", "payload"}, ...]; `asdict` is the way back."""
    return tuple(Button(row["title"], row["payload"]) for row in rows)


@dataclass(frozen=True)
class Place:
    """A point on the map, sent as a location where the channel can. Degrees (WGS 84)."""

    name: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Reply:
    """One bubble. With a `place`, `text` says the same for channels without maps; `dutch` is it for coaches."""

    text: str
    buttons: tuple[Button, ...] = ()
    place: Place | None = None
    dutch: str | None = None

    def before(self, other: Reply) -> Reply:
        """`other` with the text of this one in front of it."""
        dutch = f"{self.dutch}\n\n{other.dutch}" if self.dutch and other.dutch else other.dutch
        return replace(other, text=f"{self.text}\n\n{other.text}", dutch=dutch)


@dataclass(frozen=True)
class Outgoing:
    """A reply with everything a channel needs to send it. `quote` is the message id it answers."""

    address: str
    reply: Reply
    language: str = "nl"
    alias: str | None = None
    quote: str | None = None


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
    place: Place | None = None
    coach: str | None = None  # the name of the coach who wrote it


class Failure(StrEnum):
    """Why a channel could not send, in the words every channel shares; deliver.py decides what follows."""

    AWAY = "away"  # the platform did not answer or broke: try again
    SLOWER = "slower"  # too fast: not before `seconds`, for this person or (`everyone`) for all
    REFUSED = "refused"  # the platform will never take this message
    BLOCKED = "blocked"  # the person does not want it, or is not there any more
    CLOSED = "closed"  # only allowed after the person wrote again (WhatsApp's 24 hours)
    MOVED = "moved"  # the person has a new address: `address`
    ALARM = "alarm"  # our own account does not work (token, number): somebody must look


TRIED_AGAIN = (Failure.AWAY, Failure.SLOWER, Failure.ALARM)


class NotSent(Exception):
    """Raised by a channel. `detail` is a code or a short word, never what was written or to whom."""

    def __init__(
        self,
        failure: Failure,
        detail: str = "",
        *,
        seconds: float = 0.0,
        everyone: bool = False,
        address: str | None = None,
    ) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.seconds = seconds
        self.everyone = everyone
        self.address = address


class ThreadGone(Exception):
    """A topic of a group was deleted."""


@dataclass(frozen=True)
class Limits:
    """What a channel bears. `per_second` messages over all (None: no limit), to one person `burst` at once
    and then one in `person_seconds`; `window_hours` after the person's last message it is closed."""

    per_second: float | None = None
    person_seconds: float = 0.0
    burst: int = 1
    window_hours: float | None = None


class Status(StrEnum):
    """What became of a message that was sent."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True)
class Receipt:
    """A platform's word on one sent message. `failure` says why it failed, `detail` is the platform's code."""

    channel: str
    platform_id: str
    status: Status
    failure: Failure | None = None
    detail: str = ""


def point(latitude: float, longitude: float) -> str:
    """A place as a coach can look it up, to some ten metres: "52.3583, 4.8030"."""
    return f"{latitude:.4f}, {longitude:.4f}"


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
