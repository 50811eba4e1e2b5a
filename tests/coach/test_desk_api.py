"""What the desk's API tells, over real HTTP: who is logged in, the queue, a case in full."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from bot.coach.reading import place_in_line
from bot.coach.reading_case import delivery
from bot.messages import Reply
from tests.coach.world import World, a_case, found_in, taken

Json = dict[str, Any]

NOW = datetime.datetime(2027, 3, 1, 12, tzinfo=datetime.UTC)


# Who am I


async def test_me(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        me = await fatima.get("me")
    assert (me["name"], me["role"], me["team"]["name"]) == ("Fatima", "coach", "West")
    assert {team["name"] for team in me["teams"]} >= {"West", "Oost"}
    assert {c["name"] for c in me["colleagues"]} >= {"Fatima", "Kees", "Dilek", "Bea"}
    assert "Eva" not in {c["name"] for c in me["colleagues"]}  # an editor takes no cases
    assert set(me["colleagues"][0]) == {"id", "name", "team_id", "languages", "room", "taken"}
    assert {"helped", "referred"} <= {outcome["code"] for outcome in me["outcomes"]}
    assert isinstance(me["hours_open"], bool)


# The queue


async def test_a_case_in_the_queue(world: World) -> None:
    person, key = await a_case(world, "ar", first_name="Samira", age_group="18-26")
    async with world.at_work("Fatima") as [fatima]:
        case = await found_in(fatima, "open", key)
        assert (case["state"], case["urgent"], case["coach"], case["closed_at"]) == ("waiting", False, None, None)
        assert (case["topic"], case["topic_title"], case["language"]) == ("cost", "Wat kost het?", "ar")
        assert (case["first_name"], case["age_group"], case["area"]) == ("Samira", "18-26", "nieuw_west")
        assert (case["channel"], case["team"]["name"]) == ("webchat", "West")
        assert case["waiting_since"] == case["created_at"] and case["due_at"] > case["created_at"]
        assert (case["unread"], case["overdue"], case["window_closes_at"]) == (0, False, None)
        assert case["fit"][0]["name"] == "Fatima"  # the only one of the team who speaks Arabic
        assert case["fit"][0]["language"] and not case["fit"][1]["language"] and case["fit"][0]["room"] > 0
        assert not {"contact", "reach", "rating_text", "guardian"} & set(case)
        await person.says("kan iemand mij bellen?")
        await person.says("hallo?")
        assert (await found_in(fatima, "open", key))["unread"] == 2


async def test_what_a_coach_has_read(world: World) -> None:
    async with world.at_work("Fatima", "Kees") as [fatima, kees]:
        person, key = await taken(world, fatima)
        last = await person.says("een vraag")
        await person.says("nog een")
        await fatima.act(key, "seen", position=last)
        assert (await found_in(fatima, "mine", key))["unread"] == 1
        assert (await found_in(kees, "open", key))["unread"] == 2  # each for themselves
        await fatima.act(key, "seen", position=999)
        await fatima.act(key, "seen", position=1)  # never less than before
        assert (await found_in(fatima, "mine", key))["unread"] == 0
        await person.says("en nog een")
        assert (await found_in(fatima, "mine", key))["unread"] == 1


async def test_views(world: World) -> None:
    async with world.at_work("Fatima", "Kees", "Dilek", "Bea") as [fatima, kees, dilek, bea]:
        _, key = await taken(world, fatima)
        assert (await found_in(fatima, "mine", key))["coach"]["name"] == "Fatima"
        assert key in [case["key"] for case in (await kees.get("queue"))["cases"]]
        assert key not in [case["key"] for case in (await kees.get("queue?view=mine"))["cases"]]
        assert key not in [case["key"] for case in (await dilek.get("queue"))["cases"]]  # another team
        assert key in [case["key"] for case in (await bea.get("queue"))["cases"]]  # an admin
        await fatima.act(key, "close", outcome="helped")
        closed = await found_in(kees, "closed", key)
        assert (closed["state"], closed["outcome"], closed["fit"]) == ("closed", "helped", [])
        assert key not in [case["key"] for case in (await fatima.get("queue"))["cases"]]
        await fatima.get("queue?view=all", status=422)


async def test_following_one_case(world: World) -> None:
    async with world.at_work("Fatima", "Dilek") as [fatima, dilek]:
        (_, one), (_, other) = await a_case(world), await a_case(world)
        whole = [case["key"] for case in (await fatima.get("queue"))["cases"]]
        found = [case["key"] for case in (await fatima.get(f"queue?key={other},{one},nothere"))["cases"]]
        assert found == [key for key in whole if key in (one, other)] and len(found) == 2
        assert (await fatima.get(f"queue?view=closed&key={one}"))["cases"] == []
        assert (await dilek.get(f"queue?key={one}"))["cases"] == []
        await fatima.get("queue?key=", status=404)


def in_line(**case: Any) -> Json:
    return {"state": "waiting", "urgent": False, "waiting_since": None, "snoozed_until": None, **case}


def test_the_order_of_the_queue() -> None:
    later = (NOW + datetime.timedelta(hours=1)).isoformat()
    expected = [
        in_line(name="urgent", urgent=True, waiting_since="2027-03-01T11"),
        in_line(name="longest", waiting_since="2027-03-01T09"),
        in_line(name="shorter", waiting_since="2027-03-01T10", snoozed_until="2027-03-01T11:59"),  # is over
        in_line(name="taken and urgent", state="taken", urgent=True),
        in_line(name="taken, person waits", state="taken", waiting_since="2027-03-01T08"),
        in_line(name="taken, coach's turn is done", state="taken"),
        in_line(name="snoozed", state="taken", waiting_since="2027-03-01T07", snoozed_until=later, urgent=True),
    ]
    assert sorted(reversed(expected), key=lambda case: place_in_line(case, NOW)) == expected


async def test_waiting_since_and_overdue(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await a_case(world)
        await world.rows("UPDATE referral SET due_at = now() - interval '1 minute' WHERE key = :key", key=key)
        assert (await found_in(fatima, "open", key))["overdue"]
        await fatima.act(key, "take")
        case = await found_in(fatima, "open", key)
        assert (case["waiting_since"], case["overdue"]) == (None, False)
        await person.says("dank je")
        case = await found_in(fatima, "open", key)
        assert case["waiting_since"] == case["person_at"]
        await fatima.act(key, "write", text="Graag gedaan")
        assert (await found_in(fatima, "open", key))["waiting_since"] is None


async def test_somebody_writes_again_after_the_end(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await taken(world, fatima)
        await fatima.act(key, "close", outcome="helped")
        assert not (await found_in(fatima, "closed", key))["wrote_again"]
        await person.says("toch nog een vraag", outcome="answered", replies=(Reply("Zeg het maar"),))
        case = await found_in(fatima, "closed", key)
        assert (case["wrote_again"], case["unread"]) == (True, 1)
        await fatima.act(key, "reopen")
        case = await found_in(fatima, "mine", key)
        assert (case["state"], case["wrote_again"]) == ("taken", False)


# A case in full


async def test_a_case_in_full(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await a_case(
            world, "tr", "whatsapp", reach="call_evening", contact="0612345678", guardian="parent"
        )
        await fatima.act(key, "take")
        await fatima.act(key, "write", text="Merhaba <b>Ali</b>")
        await person.says("teşekkürler", topic="thank", confidence=0.9)
        await fatima.act(key, "note", text="belt liever 's avonds")
        found = await fatima.get(f"cases/{key}")
    case, lines = found["case"], found["lines"]
    assert (case["reach"], case["contact"], case["guardian"]) == ("call_evening", "0612345678", "parent")
    assert case["consent_at"] and case["rating_text"] is None and case["state"] == "taken"
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    first, answer, *rest = lines
    assert (first["author"], first["text"], first["delivery"]) == ("person", "ik wil een coach", None)
    assert (first["topic_title"], first["confidence"], first["language"]) == ("Wat kost het?", 0.8, "tr")
    assert (answer["author"], answer["dutch"]) == ("assistant", "Een antwoord")
    assert answer["delivery"] == {"status": "waiting", "reason": None}
    joins = rest[1]
    assert joins["author"] == "assistant" and "Fatima" in joins["text"] and "Fatima" in joins["dutch"]
    [written] = [line for line in rest if line["author"] == "coach"]
    assert (written["coach"], written["text"]) == ("Fatima", "Merhaba <b>Ali</b>")
    assert [(note["coach"], note["text"]) for note in found["notes"]] == [("Fatima", "belt liever 's avonds")]
    assert found["viewers"] == []


async def test_only_what_is_new(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await taken(world, fatima)
        last = (await fatima.get(f"cases/{key}"))["lines"][-1]["position"]
        assert (await fatima.get(f"cases/{key}?after={last}"))["lines"] == []
        position = (await fatima.act(key, "write", text="Hoi"))["position"]
        [line] = (await fatima.get(f"cases/{key}?after={last}"))["lines"]
        assert line["position"] == position == last + 1


async def test_a_very_long_talk_comes_in_pieces(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await a_case(world)
        await world.rows(
            "INSERT INTO transcript (conversation_id, position, author, text) SELECT :c, n, 'person', 'x'"
            " FROM generate_series(1000, 1600) AS n",
            c=person.conversation,
        )
        first = (await fatima.get(f"cases/{key}"))["lines"]
        rest = (await fatima.get(f"cases/{key}?after={first[-1]['position']}"))["lines"]
        assert len(first) == 500 and rest[-1]["position"] == 1600


async def test_forgotten_lines_are_gone(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        person, key = await taken(world, fatima)
        await person.says("mijn geheim")
        await fatima.act(key, "hand_back")
        await person.says("wis alles", outcome="command", replies=(Reply("Gewist"),), forget=True)
        shown = str(await fatima.get(f"cases/{key}"))
        assert "geheim" not in shown and "wis alles" in shown
        assert (await fatima.act(key, "reopen", status=409))["code"] == "forgotten"


@pytest.mark.parametrize(
    ("outcome", "statuses", "failure", "parked", "status", "reason"),
    [
        (None, None, None, False, "waiting", ""),
        (None, None, None, True, "waiting", "Wacht"),
        ("sent", None, None, False, "sent", ""),
        ("sent", ["sent"], None, False, "sent", ""),
        ("sent", ["read", "sent", "delivered"], None, False, "read", ""),
        ("sent", ["delivered", "sent"], None, False, "delivered", ""),
        ("sent", ["failed"], "closed", False, "failed", "24 uur"),
        ("sent", ["failed"], None, False, "failed", "mislukt"),
        ("sent", ["failed", "delivered"], None, False, "delivered", ""),  # one of two parts, or a late word
        ("failed:blocked", None, None, False, "failed", "geen berichten"),
        ("failed:something new", None, None, False, "failed", "mislukt"),
        ("expired", None, None, False, "failed", "week"),
    ],
)
def test_delivery(
    outcome: str | None, statuses: list[str] | None, failure: str | None, parked: bool, status: str, reason: str
) -> None:
    told = delivery(outcome, statuses, failure, parked)
    assert told["status"] == status and reason in (told["reason"] or "") and bool(reason) == bool(told["reason"])
