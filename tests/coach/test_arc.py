"""The whole arc, in three languages and over three channels: asked, waited, taken, talked, handed back, rated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims
from bot.coach import cases, passwords, people
from bot.coach.case import By
from bot.coach.people import Newcomer
from bot.commands.accounts import count
from bot.database import engine
from bot.inbox import Acceptor
from bot.messages import LANGUAGES, Incoming, Kind, Reply
from bot.migrations.run import migrate
from bot.phrases import say
from bot.settings import ROOT, Settings
from tests.coach import made
from tests.coach.talkers import CHANNELS, Talker, talking
from tests.conftest import fresh_database

FORM = yaml.safe_load((ROOT / "actions/knowledge/referral.yml").read_text("utf-8"))["referral_form"]
ASKING = {
    "nl": "kan ik met een echt mens praten aub",
    "tr": "gerçek bir insanla konuşmak istiyorum",
    "ar": "أريد التحدث مع مرشد يتكلم العربية من فضلكم",
}
QUESTION = {"nl": "wat kost de programmeerschool?", "tr": "kurs ücretli mi?", "ar": "كم تكلفة مدرسة البرمجة؟"}
DESPAIR = {"nl": "ik wil niet meer leven", "tr": "artık yaşamak istemiyorum", "ar": "لا أريد أن أعيش بعد اليوم"}
WORDS = {"nl": "Ik ben er voor je.", "tr": "Buradayım, sizi dinliyorum.", "ar": "أنا هنا من أجلك."}


@dataclass(frozen=True)
class Arc:
    """One person, one coach, one language."""

    talker: Talker
    coach: By
    language: str

    @property
    def database(self) -> AsyncEngine:
        return self.talker.site.database

    async def choose(self, field: str, value: str) -> str:
        """Press the button of the form that stands for `value`."""
        options = {option["value"]: option["title"][self.language] for option in FORM[field]["options"]}
        return await self.talker.press(options[value])

    async def key(self) -> str:
        return str(await self.talker.ask("SELECT key FROM referral ORDER BY id DESC LIMIT 1"))

    async def mode(self) -> object:
        return await self.talker.ask("SELECT mode FROM conversation ORDER BY id LIMIT 1")


async def hired(database_url: str) -> By:
    """A coach who has chosen a password."""
    database = engine(database_url)
    await migrate(database)
    coach_id, _ = await people.add(database, Newcomer("Fatima", "fatima@example.org", languages=("nl", "ar")))
    async with database.begin() as link:
        secret = await passwords.hashed("vier gewone woorden samen")
        await link.execute(text("UPDATE coach SET password_hash = :h WHERE id = :id"), {"h": secret, "id": coach_id})
    await database.dispose()
    return By(coach_id, "Fatima")


@pytest.fixture(params=[(channel, language) for channel in CHANNELS for language in LANGUAGES], ids="-".join)
async def arc(request: pytest.FixtureRequest, settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Arc]:
    channel, language = request.param
    async with fresh_database(server) as url:
        coach = await hired(url)
        ours = replace(settings, nlu_url=rasa_url)
        async with talking(channel, ours, rasa_url, url, language) as talker:
            yield Arc(talker, coach, language)


async def test_from_asking_to_rating(arc: Arc) -> None:
    talker, language = arc.talker, arc.language
    assert FORM["consent"]["ask"][language].splitlines()[0] in await talker.write(ASKING[language])
    await arc.choose("consent", "yes")
    await arc.choose("topic", "other")
    await arc.choose("age", "27+")
    await arc.choose("area", "noord")
    await arc.choose("language", language)
    await arc.choose("reach", "chat")
    assert "Samira" in await talker.write("Samira")
    assert say("referral_sent", language).splitlines()[0].split("{")[0].strip() in await arc.choose("confirm", "send")
    assert await arc.mode() == "waiting"
    assert say("coach_coming", language) in await talker.write(QUESTION[language])

    key, before = await arc.key(), await talker.said()
    await cases.take(arc.database, key, arc.coach)
    assert "Fatima" in await talker.heard(before)
    before = await talker.said()
    await cases.write(arc.database, key, arc.coach, [Reply(WORDS[language])])
    said = await talker.heard(before)
    assert WORDS[language] in said
    assert "Fatima" in said
    assert await talker.write(QUESTION[language]) == ""  # the assistant is silent
    assert "113" in await talker.write(DESPAIR[language])  # but not about this
    assert await talker.ask("SELECT urgent FROM referral") is True

    before = await talker.said()
    await cases.hand_back(arc.database, key, arc.coach)
    assert "Tekkie" in await talker.heard(before)
    assert say("rated", language) in await talker.press(say("rating_3", language))
    assert await talker.ask("SELECT rating FROM referral") == 3
    assert await arc.mode() == "bot"
    assert len(await talker.write(QUESTION[language])) > 100
    assert (await count(arc.database)).problems == ()
    assert await talker.ask("SELECT count(*) FROM transcript WHERE author = 'assistant' AND dutch IS NULL") == (
        0 if language != "nl" else await talker.ask("SELECT count(*) FROM transcript WHERE author = 'assistant'")
    )


@pytest.mark.parametrize("mode", ["bot", "coach"])
async def test_where_somebody_is_only_reaches_a_coach(database: AsyncEngine, mode: str) -> None:
    key = await made.asked(database, "samira")
    if mode == "coach":
        by = await made.coach(database, "Fatima", await made.team(database))
        await cases.take(database, key, by)
    await Acceptor(database).accept(Incoming("webchat", "samira:9", "samira", Kind.LOCATION, "52.3581, 4.8032"))
    claim = await made.claimed(database, "samira")
    await claims.finish(database, claim, made.answer(claim, "dank je"))
    said = [row.text for row in await made.rows(database, "SELECT text FROM transcript WHERE author = 'person'")]
    assert said[-1] == ("📍 52.3581, 4.8032" if mode == "coach" else "📍")
