"""The coaches' group on Telegram: a topic per case, both ways, over the real bot and the fake Telegram."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.coach import group
from bot.coach.case import By
from bot.messages import Limits
from bot.pace import Pace
from bot.phrases import say
from bot.settings import Settings
from tests.channels.telegram_bot import Bot, polling
from tests.coach import made
from tests.fakes.telegram_methods import Json
from tests.fakes.telegram_person import Person, buttons, titles

CHAT = -1_001_234_567_890
FATIMA, KEES, NOBODY = 7001, 7002, 7003  # Telegram accounts; the last one is no coach
FORUM: Json = {"id": CHAT, "type": "supergroup", "title": "Coaches West", "is_forum": True}


@dataclass
class Colleagues:
    """The group, as the coaches in it see it. Kees, too, is a coach of this team."""

    bot: Bot
    fatima: By
    team: int
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def database(self) -> Any:
        return self.bot.site.database

    def topic(self, key: str) -> int:
        """The number of this case's topic; 0 while there is none."""
        found = [n for (_, n), topic in self.bot.fake.topics.there.items() if topic.name.endswith(f"#{key[:4]}")]
        return found[-1] if found else 0

    def seen(self, key: str) -> list[Json]:
        """What the bot wrote in the topic of this case."""
        number = self.topic(key)
        return [m for m in self.bot.fake.messages[CHAT] if m.get("message_thread_id") == number]

    async def shows(self, key: str, words: str) -> Json:
        """The first message in the topic with these words."""
        found = await self.bot.fake.until(lambda: [m for m in self.seen(key) if words in m["text"]])
        return found[0]

    async def writes(self, who: int, key: str, words: str) -> str:
        """How it ended."""
        return await self.bot.closed(self.bot.fake.push({"message": self._from(who, key) | {"text": words}}))

    async def presses(self, who: int, key: str, title: str) -> str:
        message = [m for m in self.seen(key) if title in titles(m)][-1]
        data = next(b["callback_data"] for b in buttons(message) if b["text"] == title)
        query = {"id": str(next(self._numbers) + 10**18), "from": self._from(who, key)["from"], "data": data}
        return await self.bot.closed(
            self.bot.fake.push({"callback_query": {**query, "message": message, "chat_instance": "-7412369852147"}})
        )

    def _from(self, who: int, key: str) -> Json:
        about = Person(self.bot.fake).message() | {"chat": FORUM, "is_topic_message": True}
        person = {"id": who, "is_bot": False, "first_name": "Coach"}
        return about | {"from": person, "message_thread_id": self.topic(key)}


@pytest.fixture
async def colleagues(
    settings: Settings, rasa_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Colleagues]:
    monkeypatch.setattr(group, "_EVERY", 0.05)
    monkeypatch.setattr(group, "_LIMITS", Limits(person_seconds=0.06))
    async with polling(settings, rasa_url, database_url, coach_group=CHAT) as bot:
        bot.fake.known[CHAT] = FORUM
        team = await made.team(bot.site.database)
        fatima = await made.coach(bot.site.database, "Fatima", team, FATIMA)
        await made.coach(bot.site.database, "Kees", team, KEES)
        yield Colleagues(bot, fatima, team)


async def test_a_case_from_topic_to_end(colleagues: Colleagues) -> None:
    person = colleagues.bot.person("tr")
    await person.says("kurs ücretli mi?")
    talk = await _conversation(colleagues, person)
    key = await made.request(colleagues.database, talk, made.WISH)
    await person.hears()  # that it was passed on
    shown = await colleagues.shows(key, "kurs ücretli mi?")
    assert "(NL)" in shown["text"]  # what the assistant said stands there in Dutch too
    state = await colleagues.shows(key, "Wacht op een coach")
    assert f"/desk/case/{key}" in state["text"]
    assert made.WISH.contact is not None
    assert made.WISH.contact not in state["text"]

    await colleagues.presses(FATIMA, key, say("group_take", "nl"))
    assert "Fatima" in (await person.hears())[0]["text"]
    await colleagues.shows(key, "Gesprek met Fatima")
    await colleagues.writes(FATIMA, key, "Merhaba, ben Fatima. Nasıl yardımcı olabilirim?")
    assert (await person.hears())[0]["text"].endswith("Merhaba, ben Fatima. Nasıl yardımcı olabilirim?")
    person.writes("çocuğum için soruyorum")
    await colleagues.shows(key, "çocuğum için soruyorum")
    await colleagues.writes(FATIMA, key, "// moeder, belt liever")
    notes = await made.rows(colleagues.database, "SELECT text FROM note")
    assert [note.text for note in notes] == ["moeder, belt liever"]
    assert not [m for m in person.chat if "belt liever" in m["text"]]

    await colleagues.presses(FATIMA, key, say("group_close", "nl"))
    await colleagues.shows(key, "Afgerond")
    await colleagues.bot.fake.until(lambda: colleagues.bot.fake.topics.there[CHAT, colleagues.topic(key)].closed)
    assert (await made.case(colleagues.database, key)).state == "closed"
    assert not [m for m in colleagues.seen(key) if "Merhaba" in m["text"]]  # she wrote that here herself
    await colleagues.bot.books()


@pytest.mark.parametrize(
    ("who", "phrase"), [(NOBODY, "group_unknown_coach"), (KEES, "group_not_yours")], ids=["a stranger", "a colleague"]
)
async def test_only_the_coach_of_a_case_writes(colleagues: Colleagues, who: int, phrase: str) -> None:
    person = colleagues.bot.person()
    key = await _waiting(colleagues, person)
    await colleagues.presses(FATIMA, key, say("group_take", "nl"))
    await person.hears()
    before = len(person.chat)
    await colleagues.writes(who, key, "Ik neem het over")
    await colleagues.bot.fake.until(lambda: [m for m in colleagues.bot.fake.messages[CHAT] if _is(m, phrase)])
    await colleagues.bot.books()
    assert len(person.chat) == before
    assert (await made.case(colleagues.database, key)).coach_id == colleagues.fatima.id


async def test_two_coaches_press_take(colleagues: Colleagues) -> None:
    person = colleagues.bot.person()
    key = await _waiting(colleagues, person)
    await colleagues.presses(FATIMA, key, say("group_take", "nl"))
    await colleagues.presses(KEES, key, say("group_take", "nl"))  # the button is still there
    await colleagues.bot.fake.until(
        lambda: [m for m in colleagues.bot.fake.messages[CHAT] if _is(m, "group_too_late") or _is(m, "group_not_yours")]
    )
    assert (await made.case(colleagues.database, key)).coach_id == colleagues.fatima.id


async def test_a_deleted_topic_comes_back_with_all_that_was_said(colleagues: Colleagues) -> None:
    person = colleagues.bot.person()
    key = await _waiting(colleagues, person)
    first = colleagues.topic(key)
    colleagues.bot.fake.topics.delete(CHAT, first)
    person.writes("zijn jullie er nog?")
    await colleagues.bot.fake.until(lambda: colleagues.topic(key) not in (0, first))
    await colleagues.shows(key, "zijn jullie er nog?")
    await colleagues.shows(key, "wat kost het")
    await colleagues.shows(key, "Wacht op een coach")


async def test_talk_among_coaches_stays_there(colleagues: Colleagues) -> None:
    person = colleagues.bot.person()
    key = await _waiting(colleagues, person)
    before = len(person.chat)
    message = colleagues._from(FATIMA, key) | {"text": "Wie heeft er tijd vanmiddag?"}
    message.pop("message_thread_id")
    message.pop("is_topic_message")
    colleagues.bot.fake.push({"message": message})
    await colleagues.bot.books()
    assert len(person.chat) == before


def test_never_more_than_twenty_in_a_minute() -> None:
    pace = Pace(group._LIMITS)
    sent, now = [], 1000.0
    for _ in range(90):  # as fast as it lets us
        seconds, reserved = pace.reserve("group", now, most_wait=60.0)
        assert reserved
        now += seconds
        sent.append(now)
    assert max(sum(1 for at in sent if start <= at < start + 60) for start in sent) <= 20


async def _waiting(colleagues: Colleagues, person: Person) -> str:
    """The key of a case whose topic is there, with the button to take it."""
    await person.says("wat kost het?")
    key = await made.request(colleagues.database, await _conversation(colleagues, person))
    await person.hears()  # that it was passed on
    await colleagues.shows(key, "Wacht op een coach")
    return key


async def _conversation(colleagues: Colleagues, person: Person) -> int:
    [row] = await made.rows(
        colleagues.database, "SELECT id FROM conversation WHERE address = :address", address=str(person.id)
    )
    return int(row.id)


def _is(message: Json, phrase: str) -> bool:
    return bool(message["text"] == say(phrase, "nl"))
