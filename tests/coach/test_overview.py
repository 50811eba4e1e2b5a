"""The figures for the team lead, and the file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from bot.coach import people
from bot.coach.overview import as_csv
from bot.coach.people import Newcomer
from tests.coach.world import PASSWORD, Browser, World, a_case, somebody

Json = dict[str, Any]


async def made(world: World, state: str, minutes: float, language: str, **more: Any) -> str:
    """A case that was asked for `minutes` before it was taken."""
    person, key = await a_case(world, language, **{k: v for k, v in more.items() if k in ("topic", "area")})
    values = {"k": key, "m": minutes, "s": state, "o": more.get("outcome"), "r": more.get("rating")}
    taken = "created_at + :m * interval '1 minute'" if state != "waiting" else "NULL"
    await world.rows(
        f"UPDATE referral SET state = :s, taken_at = {taken}, outcome = cast(:o AS text), rating = cast(:r AS integer),"
        " closed_at = CASE WHEN :s = 'closed' THEN now() END, created_at = created_at - cast(:d AS integer)"
        " * interval '1 day' WHERE key = :k",
        **{**values, "d": more.get("days_ago", 0)},
    )
    # A case that moves back in time waited as long as before.
    await world.rows(
        "UPDATE referral SET taken_at = created_at + :m * interval '1 minute' WHERE key = :k AND taken_at IS NOT NULL",
        k=key,
        m=minutes,
    )
    if source := more.get("source"):
        await world.rows("UPDATE conversation SET source = :s WHERE id = :c", s=source, c=person.conversation)
    return key


@pytest.fixture(scope="module")
async def figures(world: World) -> dict[str, Json]:
    """The overview as four people see it."""
    for number in range(10):  # ten waited 1 to 10 minutes
        await made(world, "closed", number + 1, "nl", outcome="helped", rating=3)
    await made(world, "closed", 100, "tr", outcome="school", rating=1, topic="salary", source="bieb-osdorp")
    await made(world, "waiting", 0, "ar", topic="other")
    await made(world, "taken", 3, "ar", area="oost", topic="unheard_of")  # of the other team
    await made(world, "closed", 5, "nl", outcome="no_answer", days_ago=40)
    shown = {}
    async with world.at_work("Fatima", "Dilek", "Bea", "Eva") as browsers:
        for name, browser in zip(("Fatima", "Dilek", "Bea", "Eva"), browsers, strict=True):
            shown[name] = await browser.get("overview")
    return shown


async def test_figures_of_the_own_team(figures: dict[str, Json]) -> None:
    found = figures["Fatima"]
    assert len(found["days"]) == 30 and sum(day["cases"] for day in found["days"]) == 12
    assert found["days"][-1]["day"] > found["days"][0]["day"]
    assert found["waiting"] == {"median_minutes": 6.0, "p90_minutes": 10.0}
    assert found["outcomes"] == {"helped": 10, "school": 1}
    assert found["languages"] == {"nl": 10, "ar": 1, "tr": 1}
    assert found["topics"] == {"Wat kost het?": 10, "Iets anders": 1, "Wat verdien je?": 1}
    assert found["ratings"] == {"3": 10, "1": 1}
    assert found["sources"] == {"direct": 11, "bieb-osdorp": 1}
    assert found["open_now"] == 1


async def test_who_sees_which_teams(figures: dict[str, Json]) -> None:
    assert figures["Dilek"]["open_now"] == 1 and figures["Dilek"]["languages"] == {"ar": 1}
    assert figures["Dilek"]["topics"] == {"unheard_of": 1}
    assert figures["Bea"]["open_now"] == figures["Eva"]["open_now"] == 2
    assert figures["Bea"] == figures["Eva"]


async def test_other_periods(world: World, figures: dict[str, Json]) -> None:
    async with world.at_work("Fatima") as [fatima]:
        long = await fatima.get("overview?days=60")
        assert len(long["days"]) == 60 and long["outcomes"]["no_answer"] == 1
        assert len((await fatima.get("overview?days=1"))["days"]) == 1
        for wrong in ("x", "-1", "367", "1e3", ""):
            await fatima.get(f"overview?days={wrong}", status=422)


async def test_nobody_waited_yet(world: World) -> None:
    _, token = await people.add(world.database, Newcomer("Nieuw", "nieuw@example.org", team="Leeg"))
    await people.accept(world.database, token, PASSWORD)
    async with Browser(world.url, "nieuw@example.org") as browser:
        await browser.log_in()
        found = await browser.get("overview")
    assert found["waiting"] == {"median_minutes": None, "p90_minutes": None}
    assert (found["outcomes"], found["open_now"]) == ({}, 0)


async def test_the_file_for_a_spreadsheet(world: World, figures: dict[str, Json]) -> None:
    async with world.at_work("Eva") as [eva], eva.session.get(f"{world.url}/desk/overview.csv?days=30") as answer:
        assert answer.content_type == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
        text = (await answer.read()).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0] == ["wat", "naam", "aantal"] and all(len(row) == 3 for row in rows)
    assert ["Hoe het afliep", "Geholpen", "10"] in rows and ["Taal", "Turks", "1"] in rows
    assert ["Hielp het?", "Ja, goed", "10"] in rows and ["Hoe gevonden", "bieb-osdorp", "1"] in rows
    assert sum(int(row[2]) for row in rows if row[0] == "Aanvragen per dag") == 13


@pytest.mark.parametrize("source", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_run(source: str) -> None:
    found = {"days": [], "waiting": {}, "open_now": 0, "sources": {source: 1}}
    text = as_csv({**found, "outcomes": {}, "languages": {}, "topics": {}, "ratings": {}})
    assert f";'{source};1" in text.replace('"', "")


async def test_nothing_personal_is_in_it(world: World, figures: dict[str, Json]) -> None:
    person = somebody(world)
    await person.asks(first_name="Geheimpje", contact="0612345678")
    async with world.at_work("Bea") as [bea]:
        shown = str(await bea.get("overview?days=366"))
    assert "Geheimpje" not in shown and "0612345678" not in shown and person.address not in shown
