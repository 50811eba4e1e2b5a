"""What a turn means for a conversation: which outcome, which language from now on. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.messages import LANGUAGES, WEBCHAT, Button, Incoming
from bot.phrases import command_names

DEFAULT_LANGUAGE = "nl"
CHOSEN, DETECTED, HINT = "chosen", "detected", "hint"
OTHER = "other"

_OUTCOMES = {"answer": "answered", "ask_back": "asked_back", "not_understood": "not_understood"}


_SAYS_SO = ("greet", "are_you_a_bot")
SMALL_TALK = ("greet", "how_are_you", "thank", "goodbye", "affirm", "deny", "insult", "complaint", "out_of_scope")
_OPT_OUT = "stop"  # what people type on WhatsApp instead of /stop


class Command(StrEnum):
    """What can be asked with a command like /help, under a name in every language (phrases.yml)."""

    START = "start"
    LANGUAGE = "language"
    COACH = "coach"
    PRIVACY = "privacy"
    FORGET = "forget"
    STOP = "stop"
    HELP = "help"


@dataclass(frozen=True)
class Tongue:
    """The language of a conversation and where that came from (chosen, detected, hint)."""

    language: str
    origin: str


def outcome(decision: str) -> str:
    """The inbox outcome of the Rasa side's decision."""
    return _OUTCOMES[decision]


def first_tongue(language: str | None, origin: str | None, hint: str | None) -> Tongue:
    """What to assume before looking at the words."""
    if language:
        return Tongue(language, origin or DETECTED)
    code = (hint or "").lower().split("-")[0]
    return Tongue(code if code in LANGUAGES else DEFAULT_LANGUAGE, HINT)


def typed_button(text: str, offered: tuple[Button, ...]) -> str | None:
    """The payload of a button that was typed instead of pressed: its number or its title."""
    words = text.strip().strip(".)").casefold()
    if words.isdecimal() and 0 < int(words) <= len(offered):
        return offered[int(words) - 1].payload
    return next((button.payload for button in offered if button.title.casefold() == words), None)


def asked_for_language(topic: str, entities: dict[str, str]) -> str | None:
    """The language somebody asked for in words ("kan het ook in het Turks?"), if we speak it."""
    wanted = entities.get("language")
    return wanted if topic == "change_language" and wanted in LANGUAGES else None


def command(text: str) -> Command | None:
    """The command in "/help" or "/yardim please", in any language's name; None when it is none."""
    words = text.split(maxsplit=1)
    if not words or not words[0].startswith("/"):
        return Command.STOP if text.strip().casefold() == _OPT_OUT else None
    name = command_names().get(words[0][1:].casefold())
    return Command(name) if name else None


def introduces_itself(incoming: Incoming, topic: str | None) -> bool:
    """Whether the first answer says by itself that no human wrote it."""
    return incoming.channel == WEBCHAT or topic in _SAYS_SO or command(incoming.text) is Command.START
