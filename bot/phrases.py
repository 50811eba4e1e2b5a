"""What the bot itself says outside the topics, from phrases.yml; and the language buttons."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.messages import LANGUAGES, Button, Reply

LANGUAGE_PAYLOAD = "language:"
FORGET_PAYLOAD = "forget:yes"
COACH_PAYLOAD = "/talk_to_coach"
_FILES = [Path(__file__).with_name("phrases.yml"), Path(__file__).parent / "coach" / "phrases.yml"]


@lru_cache(maxsize=1)
def _phrases() -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for path in _FILES:
        joined |= yaml.safe_load(path.read_text("utf-8"))
    return joined


def say(phrase: str, language: str) -> str:
    """The phrase in `language`; KeyError for one that does not exist."""
    return str(_phrases()[phrase][language])


def spoken(phrase: str, language: str, buttons: tuple[Button, ...] = (), **values: str | Mapping[str, str]) -> Reply:
    """A phrase as a bubble, with the same in Dutch beside it. A value may differ per language."""

    def told(code: str) -> str:
        return say(phrase, code).format(**{name: v if isinstance(v, str) else v[code] for name, v in values.items()})

    return Reply(told(language), buttons, dutch=told("nl") if language != "nl" else None)


def language_buttons() -> tuple[Button, ...]:
    return tuple(Button(say("languages", code), LANGUAGE_PAYLOAD + code) for code in LANGUAGES)


def choose_language() -> Reply:
    """One friendly line in three languages, for somebody who wrote in another one."""
    return Reply(str(_phrases()["other_language"]), language_buttons())


def welcome(language: str) -> Reply:
    """The first words on a phone: who this is, that it is a machine, what it can do, and in which languages."""
    return spoken("welcome", language, language_buttons())


def coach_button(language: str) -> Button:
    return Button(say("coach_button", language), COACH_PAYLOAD)


@lru_cache(maxsize=1)
def command_names() -> dict[str, str]:
    """Every name a command is known by -> the command ("dil" -> "language")."""
    commands = _phrases()["commands"]
    return {names["name"]: command for command, texts in commands.items() for names in texts.values()}


def command_menu(language: str) -> list[tuple[str, str]]:
    """(name, description) of the commands to show in `language`; /start shows itself."""
    commands = _phrases()["commands"]
    return [(texts[language]["name"], texts[language]["says"]) for texts in commands.values() if "says" in texts["nl"]]


def about(length: str, language: str) -> str:
    """What stands on the assistant's own page on Telegram, `long` or `short`."""
    return str(_phrases()["about"][length][language])


def apology(language: str) -> Reply:
    """For a message that failed every time."""
    return spoken("broken", language, (coach_button(language),))


def refuse(code: str, language: str) -> str:
    """Why the web API does not take a request; unknown codes read as "broken"."""
    reasons = _phrases()["refused"]
    return str(reasons.get(code, reasons["broken"])[language])


def forget_button(language: str) -> Button:
    """Under the answer to "delete my data": does it at once."""
    return Button(say("forget_button", language), FORGET_PAYLOAD)
