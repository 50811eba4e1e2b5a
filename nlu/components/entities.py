"""Finds occupations, places, school levels and languages in a message, in any inflection.

Reads nlu/<language>/entities.yml: {entity: {canonical value: [word or phrase, ...]}}. A phrase matches
with the endings its language hangs on a word ("veri analistinin", "programmeurs", "للمبرمج"); the
longest mention wins when two overlap.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.components.normalise import normalise

# What may stand before and after a stem inside one written word; nothing in a language that is not here (yet).
_BEFORE = {"nl": "", "tr": "", "ar": "(?:[وفبلك]?(?:ال)?|لل)"}
_AFTER = {"nl": r"(?:'?s|en|e|er|je)?", "tr": r"(?:['’]?[a-z]{0,9})", "ar": r"(?:[ايوهكنتم]{0,4})"}
_SHORT = 4  # a word this short takes endings only after an apostrophe


class Lexicon:
    """Compiled patterns of one language."""

    def __init__(self, words: dict[str, dict[str, list[str]]], language: str) -> None:
        self._language = language
        self._patterns = [
            (entity, value, normalise(str(phrase), language).split()[0], _pattern(str(phrase), language))
            for entity, values in words.items()
            for value, phrases in values.items()
            for phrase in phrases
        ]

    def find(self, text: str) -> list[dict[str, Any]]:
        """Mentions in reading order; start and end count characters of the normalised text."""
        normalised = normalise(text, self._language)
        mentions = [
            {"entity": entity, "value": value, "start": match.start(1), "end": match.end(1)}
            for entity, value, first_word, pattern in self._patterns
            if first_word in normalised  # most patterns need not be tried
            for match in pattern.finditer(normalised)
        ]
        mentions.sort(key=lambda m: (m["start"] - m["end"], m["start"]))
        kept: list[dict[str, Any]] = []
        for mention in mentions:
            if all(mention["end"] <= other["start"] or mention["start"] >= other["end"] for other in kept):
                kept.append(mention)
        return sorted(kept, key=lambda m: m["start"])


def _pattern(phrase: str, language: str) -> re.Pattern[str]:
    words = [re.escape(word) for word in normalise(phrase, language).split()]
    after = _AFTER.get(language, "") if len(words[-1]) > _SHORT else r"(?:['’][a-z]{1,6})?"
    if re.search("[a-z]", words[0]):
        before = ""
    else:
        before = _BEFORE.get(language, "")
    return re.compile(r"(?<!\w)" + before + "(" + r"[\s-]*".join(words) + after + r")(?!\w)")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class WordListExtractor(GraphComponent, EntityExtractorMixin):
    """Config: language and words (path from the repository's root to entities.yml)."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"language": "nl", "words": None}

    def __init__(self, config: dict[str, Any]) -> None:
        words = yaml.safe_load(Path(config["words"]).read_text("utf-8"))
        self._lexicon = Lexicon(words, config["language"])

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> WordListExtractor:
        return cls({**cls.get_default_config(), **config})

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            found = self.add_extractor_name(self._lexicon.find(message.get(TEXT) or ""))
            message.set(ENTITIES, found, add_to_output=True)
        return messages
