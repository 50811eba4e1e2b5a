"""When things go wrong between Telegram and us: broken updates, "slower", lost connections, a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot.channels.telegram import Telegram
from bot.channels.telegram_updates import parse_update
from bot.privacy import mask
from bot.settings import Settings
from tests.channels.telegram_bot import Bot, by_webhook, polling
from tests.channels.telegram_payloads import POISON
from tests.conftest import fresh_database
from tests.fakes import telegram_faults as faults

WAYS = {"polling": polling, "webhook": by_webhook}
HELP, PRIVACY, STOP, TAAL = "/help", "/privacy", "/stop", "/taal"
WORST = (
    "a date after the end of time",
    "button data with a zero in it",
    "button data with half a letter",
    "a language that is a number",
    "an update without a number",
)
SAID = {HELP: "programmeerscholen", PRIVACY: "bewaard", STOP: "uit mezelf", TAAL: "Kies hieronder"}


@pytest.fixture(scope="module", params=WAYS)
async def shared(request: pytest.FixtureRequest, settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Bot]:
    async with fresh_database(server) as url, WAYS[request.param](settings, rasa_url, url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def hurried(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Bot]:
    async with fresh_database(server) as url, polling(settings, rasa_url, url) as opened:
        yield opened


@pytest.fixture
async def bot(hurried: Bot) -> AsyncIterator[Bot]:
    yield hurried
    await hurried.books()


@pytest.fixture(scope="module")
async def paced(settings: Settings, rasa_url: str, server: str) -> AsyncIterator[Bot]:
    """With the limits as they are."""
    async with fresh_database(server) as url, polling(settings, rasa_url, url, Telegram.limits) as opened:
        yield opened


def in_order(texts: list[str], asked: list[str]) -> bool:
    """Each answer fits its question, none is missing and none is there twice."""
    return len(texts) == len(asked) and all(SAID[words] in said for words, said in zip(asked, texts, strict=True))


async def test_poison_between_good_ones(shared: Bot) -> None:
    anna, bilal = shared.person(), shared.person()
    anna.writes(HELP)
    numbers = {name: shared.fake.queue.push_poison(POISON[name]) for name in WORST}
    anna.writes(TAAL)
    bilal.writes(HELP)
    await asyncio.gather(anna.hears(2), bilal.hears())
    assert in_order(anna.texts, [HELP, TAAL]) and in_order(bilal.texts, [HELP])
    books = await shared.books()
    assert books.inbox == {"command": 3, "dead:unreadable": len(WORST)}
    async with shared.site.database.connect() as link:
        rows = (await link.execute(text("SELECT external_id, payload FROM inbox WHERE kind = 'unreadable'"))).all()
    kept = {row.external_id: row.payload for row in rows}
    for name in WORST:
        raw = {**POISON[name], "update_id": numbers[name]} if "update_id" in POISON[name] else POISON[name]
        expected = parse_update(raw)
        assert kept[expected.external_id] == mask(expected.payload or "")


async def test_the_database_is_away_for_a_while(shared: Bot, caplog: pytest.LogCaptureFixture) -> None:
    """Telegram is not told that we have a message before we do."""
    person = shared.person()
    async with shared.site.database.begin() as link:
        await link.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
    update = person.writes(HELP)
    while not (503 in shared.fake.queue.statuses or "updates wait" in caplog.text):
        await asyncio.sleep(0.02)
    assert update in shared.fake.queue.pending
    async with shared.site.database.begin() as link:
        await link.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))
    await person.hears()
    await shared.books()
    assert in_order(person.texts, [HELP])
    assert shared.fake.queue.handed[update] > 1


async def test_slower_holds_one_chat_and_not_the_others(bot: Bot) -> None:
    anna, bilal = bot.person(), bot.person()
    bot.fake.faults[anna.id] = [faults.slower(2)]
    for words in (HELP, PRIVACY, TAAL):
        anna.writes(words)
    await bot.fake.until(lambda: bot.fake.of("sendMessage", anna.id))
    await bilal.says(HELP)
    assert anna.chat == []
    await anna.hears(3)
    assert in_order(anna.texts, [HELP, PRIVACY, TAAL])
    assert [call.status for call in bot.fake.of("sendMessage", anna.id)] == [429, 200, 200, 200]
    assert await bot.sendings(anna) == ["sent"] * 3


FAULTS = {
    "broken": (faults.BROKEN, 1),
    "a proxy answers": (faults.BAD_GATEWAY, 1),
    "the connection breaks after it was taken": (faults.DROPPED, 2),  # at least once: nobody can know
}


async def test_nothing_is_lost_when_telegram_stumbles(bot: Bot) -> None:
    people = {name: bot.person() for name in FAULTS}
    for name, person in people.items():
        bot.fake.faults[person.id] = [FAULTS[name][0]]
        person.writes(HELP)
        person.writes(TAAL)
    await asyncio.gather(*(person.hears(1 + FAULTS[name][1]) for name, person in people.items()))
    await bot.books()
    for name, person in people.items():
        assert in_order(person.texts, [HELP] * FAULTS[name][1] + [TAAL]), name
        assert await bot.sendings(person) == ["sent", "sent"]


async def test_what_telegram_refuses_is_given_up_and_the_rest_goes_on(bot: Bot) -> None:
    person = bot.person()
    bot.fake.faults[person.id] = [faults.REFUSED]
    person.writes(HELP)
    await person.says(TAAL)
    assert await bot.sendings(person) == ["failed:refused", "sent"]


async def test_one_slow_answer_holds_up_nobody_else(bot: Bot) -> None:
    slow, quick = bot.person(), bot.person()
    answers = asyncio.Event()
    bot.fake.faults[slow.id] = [faults.slow(answers)]
    slow.writes(HELP)
    slow.writes(TAAL)
    await slow.hears()
    await quick.says(HELP)
    [waiting] = bot.fake.of("sendMessage", slow.id)
    assert waiting.status == 0  # still without an answer
    answers.set()
    await slow.hears()
    assert in_order(slow.texts, [HELP, TAAL])


async def test_telegrams_limits_are_kept(paced: Bot) -> None:
    """The fake judges: `books` finds every message that came too soon, in one chat or over all."""
    asked = [HELP, PRIVACY, STOP, TAAL]
    crowd, busy, long = [paced.person() for _ in range(45)], paced.person(), paced.person()
    for person in (*crowd, long):
        person.writes(TAAL)
    for words in asked:
        busy.writes(words)
    await long.hears()
    three_pieces = "\n\n".join(letter * 4000 for letter in "abc")
    async with paced.site.database.begin() as link:
        await link.execute(text(_SAY), {"address": str(long.id), "texts": [three_pieces, "kort"]})
    await asyncio.gather(busy.hears(4), long.hears(4), *(person.hears() for person in crowd))
    await paced.books()
    assert in_order(busy.texts, asked)
    assert all(in_order(person.texts, [TAAL]) for person in crowd)
    assert [said[:4] for said in long.texts[1:]] == ["aaaa", "bbbb", "cccc", "kort"]
    assert await paced.sendings(long) == ["sent"] * 3


_SAY = """
    WITH mine AS (
        UPDATE conversation SET last_position = last_position + 2 WHERE address = :address
        RETURNING id, last_position - 2 AS position
    ), said AS (
        INSERT INTO transcript (conversation_id, position, author, text)
        SELECT mine.id, mine.position + line.number, 'assistant', line.text
        FROM mine, unnest(CAST(:texts AS text[])) WITH ORDINALITY AS line (text, number) RETURNING id, conversation_id
    )
    INSERT INTO outbox (conversation_id, transcript_id, channel)
    SELECT conversation_id, id, 'telegram' FROM said ORDER BY id
"""


async def test_a_webhook_that_somebody_else_set_is_taken_away(bot: Bot) -> None:
    bot.fake.queue.set_webhook("https://elsewhere.example/hook", "", None)
    person = bot.person()
    await person.says(HELP)
    assert bot.fake.queue.webhook is None
