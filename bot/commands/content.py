"""./tekkie content: what editors should look at; exit 1 when something is broken (old entries only warn)."""

from __future__ import annotations

import argparse
import datetime
import re
from collections.abc import Iterator
from typing import Any

import yaml

from bot.messages import LANGUAGES
from bot.settings import ROOT, Settings, SettingsError

MOST_TITLE = 20
MOST_ANSWER = 1024  # one bubble with buttons on WhatsApp
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PAY = {"start_low", "start_high", "experienced_low", "experienced_high"}
Knowledge = dict[str, dict[str, Any]]


async def content(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what is wrong and what is past its check_by."""
    known = read()
    wrong, old = sorted(problems(known)), sorted(outdated(known, datetime.date.today()))
    for line in [*wrong, *old]:
        print(line)
    print(f"{len(known['topics'])} topics, {len(wrong)} problems, {len(old)} past their check_by.")
    return 1 if wrong else 0


def check() -> None:
    """Raises SettingsError with the first thing that is wrong, before anybody is answered from it."""
    for problem in problems(read()):
        raise SettingsError(f"An answer cannot be used: {problem} (actions/knowledge).")


def read() -> Knowledge:
    """All knowledge files joined: kind ("topics", "occupations", ...) -> name -> entry. Raises SettingsError."""
    joined: Knowledge = {}
    for path in sorted((ROOT / "actions" / "knowledge").glob("*.yml")):
        try:
            for kind, entries in yaml.safe_load(path.read_text("utf-8")).items():
                joined.setdefault(kind, {}).update(entries)
        except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
            raise SettingsError(f"actions/knowledge/{path.name} cannot be read: it is not valid YAML.") from error
    return joined


def problems(known: Knowledge) -> Iterator[str]:
    """A line for every entry that lacks something, is too long, or points to something that is not there."""
    names = {*known["figures"], *known["helplines"]}
    for topic, entry in known["topics"].items():
        for field in ("source", "as_of", "check_by", "title", "answer"):
            if not entry.get(field):
                yield f"{topic}: no {field}"
        for following in entry.get("followups") or []:
            if following not in known["topics"] or following == topic:
                yield f"{topic}: follow-up {following} is not another topic"
        if len(entry.get("followups") or []) > 3:
            yield f"{topic}: more than three follow-ups"
        yield from _texts(topic, entry, ("title", "answer", "simpler", "parent"), names)
    for name, record in known["occupations"].items():
        yield from _texts(name, record, ("title", "info", "salary"), names | _PAY)
    for name, record in known["places"].items():
        yield from _texts(name, record, ("answer",), names)


def outdated(known: Knowledge, today: datetime.date) -> Iterator[str]:
    """A line for every entry or record whose check_by has passed."""
    for kind, entries in known.items():
        for name, entry in entries.items():
            if isinstance(entry, dict) and entry.get("check_by") and entry["check_by"] < today:
                yield f"{name} ({kind}): check_by {entry['check_by']} has passed"


def _texts(name: str, entry: dict[str, Any], fields: tuple[str, ...], placeholders: set[str]) -> Iterator[str]:
    for field in fields:
        texts = entry.get(field) or {}
        for language in LANGUAGES if texts else ():
            text = texts.get(language)
            if not text:
                yield f"{name}: {field} is missing in {language}"
                continue
            most = MOST_TITLE if field == "title" else MOST_ANSWER
            if len(text) > most:
                yield f"{name}: {field} in {language} has {len(text)} characters, at most {most}"
            for placeholder in set(_PLACEHOLDER.findall(text)) - placeholders:
                yield f"{name}: {field} in {language} names a record that does not exist: {placeholder}"
