"""What may be said: answers per topic, records (occupations, places, helplines, figures) and phrases.

Read once at start from actions/knowledge/*.yml and actions/phrases.yml. Three languages side by side;
figures and phone numbers stand in one record and are filled in here.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent
SAFETY = ("crisis_suicide", "crisis_violence", "urgent_help", "feeling_down")
_LEFT_TO_RIGHT = "\u200e"
Texts = dict[str, str]  # language -> text


class KnowledgeError(Exception):
    """A knowledge file says something that cannot be used; the message names file and entry."""


@dataclass(frozen=True)
class Entry:
    """One topic's answer. `parent` and `simpler` may be empty; `title` is a button of at most 20 characters."""

    topic: str
    group: str  # the file it stands in
    title: Texts
    answer: Texts
    simpler: Texts
    parent: Texts
    followups: tuple[str, ...]
    source: tuple[str, ...]
    as_of: str
    check_by: datetime.date


@dataclass(frozen=True)
class Knowledge:
    """Everything that can be said. `records` holds the raw record of each kind, by name."""

    entries: dict[str, Entry]
    records: dict[str, dict[str, dict[str, Any]]]
    phrases: dict[str, Texts]

    def fill(self, text: str, language: str, **values: object) -> str:
        """`text` with {placeholders} replaced by the figures, helplines and `values`."""
        numbers = {name: _number(record, language) for name, record in self.records["figures"].items()}
        mark = _LEFT_TO_RIGHT if language == "ar" else ""  # else 0800-2000 shows as 2000-0800
        lines = {name: mark + str(record["number"]) for name, record in self.records["helplines"].items()}
        return text.format(**numbers, **lines, **values)

    def speaks(self, topic: str, language: str) -> bool:
        """Whether this topic can be answered in this language; in nl, tr and ar `./tekkie content` sees to it."""
        return language in self.entries[topic].answer and language in self.entries[topic].title

    def overview(self) -> list[dict[str, Any]]:
        """Every topic: its group, titles and answers per language, as people read them."""
        return [
            {
                "topic": name,
                "group": entry.group,
                "titles": entry.title,
                "answers": {language: self.fill(text, language) for language, text in entry.answer.items()},
            }
            for name, entry in self.entries.items()
        ]

    def title(self, topic: str, language: str) -> str:
        return self.entries[topic].title[language]


@lru_cache(maxsize=1)
def load(folder: Path = _HERE / "knowledge", phrases: Path = _HERE / "phrases.yml") -> Knowledge:
    """Read and join all knowledge files. Raises KnowledgeError when one is broken."""
    entries: dict[str, Entry] = {}
    records: dict[str, dict[str, dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.yml")):
        for kind, items in _read(path).items():
            for name, item in items.items():
                if kind == "topics":
                    entries[name] = _entry(name, item, path)
                else:
                    records.setdefault(kind, {})[name] = item
    return Knowledge(entries, records, _read(phrases))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise KnowledgeError(f"{path}: {error}") from error


def _entry(topic: str, item: dict[str, Any], path: Path) -> Entry:
    try:
        return Entry(
            topic=topic,
            group=path.stem,
            title=item["title"],
            answer=item["answer"],
            simpler=item.get("simpler") or {},
            parent=item.get("parent") or {},
            followups=tuple(item.get("followups") or ()),
            source=tuple(item["source"]),
            as_of=str(item["as_of"]),
            check_by=item["check_by"],
        )
    except KeyError as error:
        raise KnowledgeError(f"{path}: topic {topic} has no {error}") from error


def _number(record: dict[str, Any], language: str) -> str:
    """1511 -> "1.511" in Dutch and Turkish, "1511" in Arabic; decimals with a comma."""
    text = f"{record['value']:,.{record.get('decimals', 0)}f}"
    point, comma = ("", ".") if language == "ar" else (".", ",")
    return text.replace(",", "\0").replace(".", comma).replace("\0", point)
