"""Answer cards: a coach finds a topic in Dutch, the person reads the answer in their own language.

Topics come from the Rasa side and are kept for a while, with their titles and groups for the whole desk; when it is
away the desk goes on without them. An answer is made by a turn of the dialogue with the conversation's own state, so
that the occupation or place talked about is filled in; the state that comes back is not kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.coach.wording import GROUPS, OTHER_TOPIC
from bot.messages import Reply
from bot.understanding import Broken, Turn, Unavailable, Understood, UnknownButton

logger = logging.getLogger(__name__)

_KEPT_SECONDS, _AGAIN_SECONDS, _PATIENCE_SECONDS = 300.0, 10.0, 2.0
_LEAST_CONFIDENCE, _MOST_GUESSES = 0.05, 5
_MOST_WORDS = 200
# Small talk, and what only makes sense when a person says it to the assistant.
_NO_CARDS = ("small_talk", "beyond")
_NO_CARD = {"talk_to_coach", "cancel_referral", "change_language", "delete_my_data", "repeat_simpler", "are_you_a_bot"}
_NO_CARD |= {"which_job_fits_me", "capabilities"}


class Unclear(Exception):
    """There is no card of this topic."""


class AnswersAway(Exception):
    """The Rasa side cannot be asked now."""


class Knowing(Protocol):
    """What the desk asks the Rasa side: bot.understanding.Understanding."""

    async def topics(self) -> Sequence[Mapping[str, Any]]: ...

    async def turn(
        self,
        language: str,
        state: dict[str, Any] | None,
        text: str | None = None,
        payload: str | None = None,
        situation: str = "none",
    ) -> Turn: ...

    async def parse(self, language: str, texts: list[str]) -> list[Understood]: ...


@dataclass(frozen=True)
class Topic:
    """One topic of the assistant. `title` is Dutch; `words` is what can be searched, folded."""

    topic: str
    group: str
    title: str
    words: str

    @property
    def group_title(self) -> str:
        return GROUPS.get(self.group, self.group.replace("_", " ").capitalize())

    @property
    def is_card(self) -> bool:
        return self.group not in _NO_CARDS and self.topic not in _NO_CARD


class Cards:
    """The topics as they are now, and their answers."""

    def __init__(self, knowing: Knowing) -> None:
        self._knowing = knowing
        self._topics: Mapping[str, Topic] = {}
        self._fresh_until = 0.0

    async def topics(self) -> Mapping[str, Topic]:
        """All topics by name; those of before while the Rasa side is away, nothing if it never answered."""
        now = time.monotonic()
        if now >= self._fresh_until:
            self._fresh_until = now + _AGAIN_SECONDS
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    rows = await self._knowing.topics()
                self._topics = {topic.topic: topic for topic in map(_topic, rows)}
                self._fresh_until = now + _KEPT_SECONDS
            except (Unavailable, Broken, TimeoutError) as error:
                logger.warning("no topics for the desk: %s", type(error).__name__)
        return self._topics

    async def find(self, query: str) -> list[Topic]:
        """Cards for some Dutch words, best first; all of them, by group, without words. Raises AnswersAway."""
        cards = {name: topic for name, topic in (await self.topics()).items() if topic.is_card}
        if not cards:
            raise AnswersAway
        words = folded(query[:_MOST_WORDS]).split()
        if not words:
            return sorted(cards.values(), key=lambda card: (card.group_title, card.title))
        found = [card for card in cards.values() if all(word in card.words for word in words)]
        found.sort(key=lambda card: (not _in_title(card, words), card.title))
        guessed = [cards[name] for name in await self._guesses(query[:_MOST_WORDS]) if name in cards]
        return list(dict.fromkeys([*(card for card in found if _in_title(card, words)), *guessed, *found]))

    async def answer(self, topic: str, language: str, state: dict[str, Any] | None) -> list[Reply]:
        """The card in `language`, with Dutch beside it, and no buttons: the person is talking to a coach.

        Raises Unclear and AnswersAway.
        """
        known = (await self.topics()).get(topic)
        if known is None or not known.is_card:
            raise Unclear if self._topics else AnswersAway
        try:
            turn = await self._knowing.turn(language, state, payload=f"/{topic}", situation="free")
        except UnknownButton as error:
            raise Unclear from error
        except (Unavailable, Broken) as error:
            raise AnswersAway from error
        return [Reply(reply.text, place=reply.place, dutch=reply.dutch) for reply in turn.replies if reply.text]

    async def _guesses(self, query: str) -> list[str]:
        """What the assistant would understand by it: finds "stufi" under student finance."""
        try:
            [understood] = await self._knowing.parse("nl", [query])
        except (Unavailable, Broken):
            return []
        return [name for name, confidence in understood.ranking[:_MOST_GUESSES] if confidence >= _LEAST_CONFIDENCE]


def title_of(topics: Mapping[str, Topic], topic: str | None) -> str | None:
    """The Dutch title, None for a topic nobody knows."""
    if topic == "other":
        return OTHER_TOPIC
    found = topics.get(topic or "")
    return found.title if found else None


def group_of(topics: Mapping[str, Topic], topic: str | None) -> str | None:
    found = topics.get(topic or "")
    return found.group if found else None


def folded(text: str) -> str:
    """Lower case, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]+", " ", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip()


def _in_title(card: Topic, words: Sequence[str]) -> bool:
    title = folded(card.title)
    return all(word in title for word in words)


def _topic(row: Mapping[str, Any]) -> Topic:
    """One of `GET /topics`: {"topic", "group", "titles": {nl, tr, ar}, "answers": {nl, tr, ar}}."""
    name, group, title = str(row["topic"]), str(row["group"]), str(row["titles"]["nl"])
    words = " ".join([name, GROUPS.get(group, group), title, str(row["answers"].get("nl", ""))])
    return Topic(name, group, title, folded(words))
