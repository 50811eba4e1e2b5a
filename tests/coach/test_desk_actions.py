"""What a coach does, over real HTTP: the arc of a case, cards, quick replies, delivery, files."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from bot.coach.cards import Cards, Unclear
from bot.coach.quick import quick_replies, slots_of
from bot.messages import LANGUAGES, Attachment
from bot.understanding import Understanding
from tests.coach.world import PICTURE, Browser, World, a_case, found_in, taken

Json = dict[str, Any]


# The arc


async def test_take_write_close(world: World) -> None:
    async with world.at_work("Fatima", "Kees") as [fatima, kees]:
        _, key = await a_case(world)
        assert (await kees.act(key, "write", status=409, text="hoi"))["code"] == "not_taken"
        await fatima.act(key, "take")
        await fatima.act(key, "take")  # pressed twice
        problem = await kees.act(key, "take", status=409)
        assert (problem["code"], problem["message"]) == ("taken_before", "Fatima was je voor.")
        assert (await kees.act(key, "write", status=409, text="hoi"))["message"] == "Fatima heeft dit gesprek."
        oost = world.coaches["Dilek"].team_id
        others: dict[str, Json] = {"close": {"outcome": "helped"}, "give_back": {}, "move": {"team": oost}}
        for action, body in others.items():
            assert (await kees.act(key, action, status=409, **body))["code"] == "taken"
        await kees.act(key, "note", text="ik ken deze familie")
        await fatima.act(key, "close", outcome="school")
        for action in ("take", "hand_back", "typing"):
            assert (await fatima.act(key, action, status=409))["code"] == "closed"
        assert (await fatima.act(key, "close", status=409, outcome="helped"))["code"] == "closed"
        await fatima.act(key, "reopen")
        assert (await fatima.act(key, "reopen", status=409))["code"] == "not_closed"


async def test_of_ten_who_take_at_once_one_wins(world: World) -> None:
    async with world.at_work("Fatima", "Kees", "Bea") as coaches:
        _, key = await a_case(world)

        async def take(coach: Browser) -> int:
            headers = {"X-CSRF-Token": coach.csrf}
            async with coach.session.post(f"{world.url}/desk/api/cases/{key}/take", json={}, headers=headers) as answer:
                return answer.status

        statuses = await asyncio.gather(*(take(coach) for coach in coaches))
        assert sorted(statuses) == [200, 409, 409]
    rows = await world.rows(
        "SELECT count(*) FROM audit a JOIN referral r ON r.id = referral_id WHERE key = :key AND what = 'taken'",
        key=key,
    )
    assert rows[0][0] == 1


async def test_give_away(world: World) -> None:
    async with world.at_work("Fatima", "Kees", "Dilek") as [fatima, kees, dilek]:
        ids = {name: coach.id for name, coach in world.coaches.items()}
        _, key = await taken(world, fatima)
        await fatima.act(key, "pass_on", coach=ids["Kees"])
        assert (await fatima.act(key, "write", status=409, text="hoi"))["message"] == "Kees heeft dit gesprek."
        await kees.act(key, "give_back")
        assert (await found_in(kees, "open", key))["state"] == "waiting"
        await fatima.act(key, "take")
        await fatima.act(key, "pass_on", coach=ids["Dilek"])  # of another team: she sees this one case
        assert (await found_in(dilek, "mine", key))["team"]["name"] == "West"
        await dilek.act(key, "move", team=world.coaches["Dilek"].team_id)
        await fatima.act(key, "take", status=404)  # not the own team's any more
        await dilek.act(key, "take")
        for wanted, code in [(ids["Dilek"], "yourself"), (ids["Eva"], "unknown_coach"), (0, "unknown_coach")]:
            assert (await dilek.act(key, "pass_on", status=422, coach=wanted))["code"] == code
        for team, code in [(world.coaches["Dilek"].team_id, "same_team"), (99_999, "unknown_team")]:
            assert (await dilek.act(key, "move", status=422, team=team))["code"] == code


async def test_whoever_stopped_is_left_alone(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await a_case(world)
        await world.rows(
            "UPDATE referral SET state = 'closed', outcome = 'cancelled', closed_at = now() WHERE key = :key", key=key
        )
        assert (await fatima.act(key, "reopen", status=409))["code"] == "stopped"


async def test_snooze(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await taken(world, fatima)
        now = datetime.datetime.now(datetime.UTC)
        until = (now + datetime.timedelta(hours=3)).isoformat()
        await fatima.act(key, "snooze", until=until)
        assert (await found_in(fatima, "mine", key))["snoozed_until"] == until
        await fatima.act(key, "snooze", until=until.replace("+00:00", "Z"))  # as JavaScript writes it
        await person.says("ik ben er al")
        assert (await found_in(fatima, "mine", key))["snoozed_until"] is None
        wrong = ["", "morgen", now.isoformat(), "2027-01-01T00:00:00", "9999-12-31T23:59:59+14:00", 7, None]
        for value in [*wrong, (now + datetime.timedelta(days=31)).isoformat()]:
            await fatima.act(key, "snooze", status=422, until=value)


# Cards and quick replies


async def test_finding_a_card(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:

        async def find(words: str) -> list[str]:
            return [card["topic"] for card in (await fatima.get(f"cards?q={words}"))["cards"]]

        assert set(await find("")) == {"cost", "salary", "crisis_suicide"}  # no small talk
        assert await find("kost") == ["cost"]
        assert await find("GRATIS school") == ["cost"]  # also in the answer
        assert await find("loon") == ["salary"]  # understood, though the word is nowhere
        assert await find("xyzzy") == []
        cards = (await fatima.get("cards?q=kost"))["cards"]
        assert cards == [{"topic": "cost", "title": "Wat kost het?", "group": "Programmeerscholen"}]


async def test_a_card_in_the_persons_language(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await taken(world, fatima, language="tr")
        preview = await fatima.get(f"cards/salary?case={key}")
        assert preview == {"dutch": ["Ongeveer 2.500 euro. tester"], "person": ["Yaklaşık 2.500 avro. tester"]}
        position = (await fatima.act(key, "card", topic="salary"))["position"]
        line = (await fatima.get(f"cases/{key}"))["lines"][-1]
        assert line["position"] == position and line["author"] == "coach" and line["coach"] == "Fatima"
        assert (line["text"], line["dutch"]) == (preview["person"][0], preview["dutch"][0])
        assert (line["topic_title"], line["language"], line["buttons"]) == ("Wat verdien je?", "tr", [])
        await fatima.act(key, "card", topic="crisis_suicide")  # safety topics too
        for topic in ("greet", "nonsense", "cost{}", "/cost"):
            assert (await fatima.act(key, "card", status=422, topic=topic))["code"] == "unknown_topic"
    [row] = await world.rows(
        "SELECT dialogue FROM conversation c JOIN referral r ON r.conversation_id = c.id WHERE key = :key", key=key
    )
    assert row.dialogue == {"occupation": "tester"}  # a card is no turn of the person


async def test_a_card_of_the_real_assistant(rasa_url: str) -> None:
    """What the talk was about goes into the card, with Dutch beside it."""
    async with Understanding(rasa_url) as understanding:
        cards = Cards(understanding)
        [found, *_] = await cards.find("wat verdien je")
        assert found.topic == "salary" and found.group_title == "Werk"
        turn = await understanding.turn("tr", None, payload='/occupation_info{"occupation": "data_analyst"}')
        [general] = await cards.answer("salary", "tr", None)
        [reply] = await cards.answer("salary", "tr", turn.state)
        assert reply.text != general.text and reply.dutch and not reply.buttons
        [dutch] = await cards.answer("salary", "nl", turn.state)
        assert (dutch.text, dutch.dutch) == (reply.dutch, None)
        for topic in ("talk_to_coach", "delete_my_data", "greet", "nonsense"):
            with pytest.raises(Unclear):
                await cards.answer(topic, "nl", None)


async def test_the_desk_goes_on_without_the_rasa_side(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await taken(world, fatima)
        await fatima.get("cards?q=")
        world.rasa.away = True
        try:
            assert (await fatima.get("cards?q=kost"))["cards"]
            assert (await fatima.act(key, "card", status=503, topic="cost"))["code"] == "no_answers"
            assert await found_in(fatima, "mine", key)
        finally:
            world.rasa.away = False


async def test_quick_replies(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        known = {one["id"]: one for one in (await fatima.get("quick"))["quick"]}
        assert known["hello"]["slots"] == ["name", "coach"] and "{name}" in known["hello"]["tr"]
        _, key = await taken(world, fatima, language="ar")
        filled = {"name": "Samira", "coach": " Fatima\n", "more": "ignored"}
        await fatima.act(key, "quick", id="hello", values=filled)
        line = (await fatima.get(f"cases/{key}"))["lines"][-1]
        assert "\u2068Samira\u2069" in line["text"] and line["language"] == "ar" and line["coach"] == "Fatima"
        assert line["dutch"].startswith("Hoi Samira, ik ben Fatima.")
        wrong: list[Json] = [{}, {"name": "S"}, {"name": "", "coach": "F"}, {"name": 1, "coach": "F"}]
        for values in wrong:
            assert (await fatima.act(key, "quick", status=422, id="hello", values=values))["code"] == "fill_in"
        await fatima.act(key, "quick", status=422, id="hello", values={"name": "x" * 81, "coach": "F"})
        await fatima.act(key, "quick", status=422, id="hello", values=[])
        await fatima.act(key, "quick", status=422, id="nonsense", values={})


def test_every_quick_reply_is_whole() -> None:
    assert len(quick_replies()) == 10
    for quick in quick_replies().values():
        for language in LANGUAGES:
            assert set(slots_of(quick.texts[language])) == set(quick.slots), (quick.id, language)
            assert len(quick.texts[language]) < 400
        assert set(quick.slots) <= {"name", "coach", "place", "date", "time", "phone"}


@pytest.mark.parametrize(
    ("language", "words", "tongue"),
    [("ar", "مرحبا", "ar"), ("ar", "Hoi", "nl"), ("tr", "Merhaba", "tr"), ("nl", "Hoi", "nl"), ("nl", "أهلاً", "ar")],
)
async def test_in_which_language_a_coach_wrote(world: World, language: str, words: str, tongue: str) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await taken(world, fatima, language=language)
        await fatima.act(key, "write", text=words)
        assert (await fatima.get(f"cases/{key}"))["lines"][-1]["language"] == tongue


# Delivery, WhatsApp's window


async def test_a_failed_message_is_sent_again(world: World) -> None:
    async with world.at_work("Fatima", "Kees") as [fatima, kees]:
        person, key = await taken(world, fatima)
        position = (await fatima.act(key, "write", text="Hoi"))["position"]
        await world.rows("UPDATE outbox SET outcome = 'sent', closed_at = now()")
        assert (await fatima.act(key, "retry", status=409, position=position))["code"] == "not_failed"
        outbox = "FROM transcript t WHERE t.id = transcript_id AND t.conversation_id = :c AND position = :p"
        values = {"c": person.conversation, "p": position}
        await world.rows(
            f"UPDATE outbox SET outcome = 'failed:away', attempts = 60, platform_id = 'x' {outbox}", **values
        )
        line = (await fatima.get(f"cases/{key}"))["lines"][-1]
        assert line["delivery"]["status"] == "failed" and "bereiken" in line["delivery"]["reason"]
        await kees.act(key, "retry", status=409, position=position)  # not the one who has it
        await fatima.act(key, "retry", position=position)
        line = (await fatima.get(f"cases/{key}"))["lines"][-1]
        assert line["delivery"] == {"status": "waiting", "reason": None}
        [row] = await world.rows(
            "SELECT outcome, attempts, platform_id FROM outbox, transcript t WHERE t.id ="
            " transcript_id AND t.conversation_id = :c AND position = :p",
            **values,
        )
        assert (row.outcome, row.attempts, row.platform_id) == (None, 0, None)


async def test_after_24_hours_on_whatsapp(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await taken(world, fatima, channel="whatsapp", language="tr")
        case = await found_in(fatima, "mine", key)
        left = datetime.datetime.fromisoformat(case["window_closes_at"]) - datetime.datetime.now(datetime.UTC)
        assert 23.9 < left.total_seconds() / 3600 <= 24
        assert (await fatima.act(key, "template", status=409))["code"] == "window_open"
        await world.rows(
            "UPDATE conversation SET heard_at = now() - interval '24 hours 1 second' WHERE id = :c",
            c=person.conversation,
        )
        quick = {"id": "one_moment", "values": {}}
        free: dict[str, Json] = {"write": {"text": "hoi"}, "card": {"topic": "cost"}, "quick": quick}
        for action, body in free.items():
            assert (await fatima.act(key, action, status=409, **body))["code"] == "window_closed"
        await fatima.act(key, "note", text="24 uur voorbij")
        await fatima.act(key, "template")
        assert world.platform.templates[-1] == (person.address, "tr")
        assert (await fatima.act(key, "template", status=409))["code"] == "template_waits"
        await person.says("buradayım")
        await fatima.act(key, "write", text="Merhaba")


async def test_templates_that_cannot_be_sent(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await taken(world, fatima, channel="telegram")
        assert (await fatima.act(key, "template", status=409))["code"] == "no_template"
        person, key = await taken(world, fatima, channel="whatsapp", language="ar")
        await world.rows(
            "UPDATE conversation SET heard_at = now() - interval '2 days' WHERE id = :c", c=person.conversation
        )
        world.platform.away = True
        try:
            assert (await fatima.act(key, "template", status=409))["code"] == "template_failed"
        finally:
            world.platform.away = False
        assert (await fatima.act(key, "template", status=409))["code"] == "no_template"  # none in Arabic


async def test_typing_is_shown_where_the_channel_can(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await taken(world, fatima, channel="telegram")
        await fatima.act(key, "typing")
        assert world.platform.typed[-1] == person.address


# Files


async def test_a_picture(world: World) -> None:
    async with world.at_work("Fatima", "Dilek") as [fatima, dilek]:
        person, key = await taken(world, fatima)
        world.platform.files["m1"] = ("image/png; charset=binary", PICTURE)
        position = await person.says("📎", Attachment("m1", "diploma.png", "image/png", len(PICTURE)))
        shown = (await fatima.get(f"cases/{key}"))["lines"][-1]["attachment"]
        assert shown == {"name": "diploma.png", "mime": "image/png", "size": len(PICTURE)}  # not the media id
        url = f"{world.url}/desk/api/cases/{key}/attachments/{position}"
        async with fatima.session.get(url) as answer:
            assert await answer.read() == PICTURE
            assert answer.headers["Content-Type"] == "image/png"
            assert answer.headers["Content-Disposition"].startswith('attachment; filename="diploma.png"')
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        await dilek.get(f"cases/{key}/attachments/{position}", status=404)
        await fatima.get(f"cases/{key}/attachments/{position + 7}", status=404)
        await fatima.get(f"cases/{key}/attachments/1", status=404)  # a line without a file
    rows = await world.rows("SELECT what FROM audit a JOIN referral r ON r.id = referral_id WHERE key = :key", key=key)
    assert [row.what for row in rows].count("fetched a file") == 1
