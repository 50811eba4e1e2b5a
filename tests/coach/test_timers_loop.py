"""The timers on a real database: every clock once, whoever else is busy with the case at that moment."""

from __future__ import annotations

import asyncio
import datetime
import logging
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import claims
from bot.claims import LostClaim
from bot.coach import cases, timers
from bot.coach.case import By, Wish
from bot.coach.hours import DAYS
from bot.database import Bell
from bot.handover import Mode
from bot.inbox import Outcome
from bot.messages import Reply
from bot.phrases import say
from tests.coach import made

pytestmark = pytest.mark.usefixtures("never_night")  # what waits for the morning is in test_timers.py


async def _later(database: AsyncEngine, key: str, hours: float) -> None:
    """So many hours go by for everything about this case; the audit log, which nobody can change, is not asked."""
    columns = {
        "referral": ("created_at", "due_at", "escalated_at", "person_at", "coach_at", "reminded_at", "snoozed_until",
                     "taken_at"),
        "transcript": ("at",),
        "conversation": ("heard_at",),
    }  # fmt: skip
    talk = "(SELECT conversation_id FROM referral WHERE key = :key)"
    where = {"referral": "key = :key", "transcript": f"conversation_id = {talk}", "conversation": f"id = {talk}"}
    for table, names in columns.items():
        sets = ", ".join(f"{name} = {name} - :hours * interval '1 hour'" for name in names)
        await made.change(database, f"UPDATE {table} SET {sets} WHERE {where[table]}", key=key, hours=hours)


async def _taken(database: AsyncEngine, address: str, channel: str = "webchat") -> tuple[str, By]:
    by = await made.coach(database, "Fatima", await made.team(database))
    key = await made.asked(database, address, channel=channel)
    await cases.take(database, key, by)
    return key, by


async def test_the_whole_clock(database: AsyncEngine) -> None:
    """From nobody to gone, with a look after every step that the next round does nothing more."""
    team = await made.team(database)
    by, key = await made.coach(database, "Fatima", team), await made.asked(database, "anna", "tr")
    pinged: list[str] = []

    async def ping(case: str) -> None:
        pinged.append(case)

    async def step(hours: float, state: str, *logged: str) -> None:
        await _later(database, key, hours)
        for _ in range(2):
            await timers.tick(database, ping)
            assert (await made.case(database, key)).state == state
            assert [what for what, _ in await made.audit(database, key)] == ["requested", *logged]
        await made.adds_up(database)

    await step(3, "waiting")
    await step(1.1, "waiting", "overdue")
    assert pinged == [key]
    await cases.take(database, key, by)
    done = ["overdue", "taken"]
    await step(3.5, "taken", *done)  # the coach has not said a word, so it is not the person who is silent
    await step(1, "waiting", *(done := [*done, "returned"]))
    await cases.take(database, key, by)
    await cases.write(database, key, by, [Reply("merhaba")])
    done += ["taken", "wrote"]
    await step(19, "taken", *done)
    await step(1.5, "taken", *(done := [*done, "silent"]))
    await step(47, "taken", *done)
    await step(1.5, "closed", *(done := [*done, "gone"]))
    await step(100, "closed", *done)
    assert pinged == [key]
    heard = [line.text for line in await made.said(database, key) if line.author == "assistant"]
    for phrase in ("still_waiting", "coach_returned", "reminder", "closed_silent"):
        assert heard.count(say(phrase, "tr").format(coach="Fatima")) == 1


async def test_somebody_who_asks_again_and_again_has_still_waited_since_the_first_time(database: AsyncEngine) -> None:
    key, by = await _taken(database, "anna")
    await cases.write(database, key, by, [Reply("hallo")])
    for _ in range(3):
        await made.writes_to_coach(database, "anna", "hallo?")
        await _later(database, key, 1.5)
    await timers.tick(database)
    assert (await made.case(database, key)).state == "waiting"


async def test_an_answer_in_time_stops_every_clock(database: AsyncEngine) -> None:
    key, by = await _taken(database, "anna")
    await cases.write(database, key, by, [Reply("hallo")])
    await _later(database, key, 21)
    await timers.tick(database)
    assert (await made.case(database, key)).reminded_at
    await _later(database, key, 47)
    await made.writes_to_coach(database, "anna", "sorry, druk")
    await cases.write(database, key, by, [Reply("geeft niet")])
    await _later(database, key, 10)
    await timers.tick(database)
    row = await made.case(database, key)
    assert (row.state, row.reminded_at) == ("taken", None)


async def test_a_message_that_is_still_in_the_inbox_was_also_said(database: AsyncEngine) -> None:
    key, by = await _taken(database, "anna")
    await cases.write(database, key, by, [Reply("hallo")])
    await _later(database, key, 21)
    await made.says(database, "anna", "ik ben er")  # claimed, and its worker is slow
    await timers.tick(database)
    assert (await made.case(database, key)).reminded_at is None


async def test_a_reopened_case_gets_time(database: AsyncEngine) -> None:
    """Its reminder of long ago does not close it, and the words of then do not count as today's."""
    key, by = await _taken(database, "anna")
    await cases.write(database, key, by, [Reply("hallo")])
    for hours in (21, 49):
        await _later(database, key, hours)
        await timers.tick(database)
    assert (await made.case(database, key)).outcome == "no_answer"
    claim = await made.says(database, "anna", "ik was ziek")
    await claims.finish(database, claim, made.answer(claim, "beterschap"))
    await cases.reopen(database, key, by)
    await timers.tick(database)
    assert (await made.case(database, key)).state == "taken"
    await _later(database, key, 5)
    await timers.tick(database)
    assert (await made.case(database, key)).state == "waiting"  # it was the coach's turn


async def test_a_snooze_ends_and_the_clock_starts_again(database: AsyncEngine) -> None:
    key, by = await _taken(database, "anna")
    await cases.write(database, key, by, [Reply("ik bel donderdag")])
    await cases.snooze(database, key, by, datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=60))
    await _later(database, key, 59)
    await timers.tick(database)
    assert (await made.case(database, key)).snoozed_until
    rung: list[str] = []
    async with database.connect() as link:
        raw = (await link.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.add_listener("desk", lambda _link, _pid, _channel, payload: rung.append(payload))
        await _later(database, key, 2)
        rung.clear()
        for _ in range(3):
            await timers.tick(database)
        await raw.fetchval("SELECT 1")
    assert rung == [key]
    row = await made.case(database, key)
    assert (row.snoozed_until, row.reminded_at, row.state) == (None, None, "taken")
    assert (await made.audit(database, key))[-1] == ("woke", None)


async def test_whatsapp_closes_after_a_day(database: AsyncEngine) -> None:
    for address, silent, reminded in (("in", 21, True), ("out", 25, False)):
        key, by = await _taken(database, address, "whatsapp")
        await cases.write(database, key, by, [Reply("hallo")])
        await _later(database, key, silent)
        await timers.tick(database)
        assert bool((await made.case(database, key)).reminded_at) is reminded, address


async def test_two_processes_at_once_do_it_once(database: AsyncEngine) -> None:
    team = await made.team(database)
    by = await made.coach(database, "Fatima", team)
    keys = [await made.asked(database, f"p{number}") for number in range(8)]
    for key in keys[4:]:
        await cases.take(database, key, by)
        await cases.write(database, key, by, [Reply("hallo")])
    for key in keys:
        await _later(database, key, 30)
    pinged: list[str] = []

    async def ping(case: str) -> None:
        pinged.append(case)

    await asyncio.gather(*(timers.tick(database, ping) for _ in range(4)))
    assert sorted(pinged) == sorted(keys[:4])
    for key in keys:
        log = [what for what, _ in await made.audit(database, key)]
        assert log in (["requested", "overdue"], ["requested", "taken", "wrote", "silent"])
    await made.adds_up(database)


async def test_the_clock_and_the_person_at_the_same_moment(database: AsyncEngine) -> None:
    """Whoever comes first: a person who wrote is never sent away with that message unread."""
    keys = []
    for number in range(6):
        key, by = await _taken(database, f"p{number}")
        await cases.write(database, key, by, [Reply("hallo")])
        for hours in (21, 49):
            await timers.tick(database)
            await _later(database, key, hours)
        keys.append(key)

    async def person(number: int) -> None:
        claim = await made.says(database, f"p{number}", "ik ben er weer")

        async def within(link: AsyncConnection) -> None:
            await cases.heard(link, claim.conversation_id)

        try:
            if claim.mode == Mode.COACH:
                heard = replace(made.answer(claim, outcome=Outcome.TO_COACH), within=within)
                await claims.finish(database, claim, heard)
                return
        except LostClaim:
            await claims.release(database, claim, 0.0, counted=False)
            claim = await made.claimed(database, f"p{number}")
        assert claim.mode == Mode.BOT
        await claims.finish(database, claim, made.answer(claim, "de assistent"))

    await asyncio.gather(timers.tick(database), timers.tick(database), *(person(number) for number in range(6)))
    for key in keys:
        row, lines = await made.case(database, key), await made.said(database, key)
        assert row.state == "taken" or lines[-1].text == "de assistent"
    await made.adds_up(database)


async def test_one_case_that_fails_stops_no_other(database: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    keys = [await made.asked(database, address) for address in ("first", "unwell", "third")]
    broken_team = await made.team(database, hours={day: ("nine", "five") for day in DAYS})
    by = await made.coach(database, "Fatima", broken_team)
    await cases.take(database, keys[1], by)
    await made.change(database, "UPDATE referral SET team_id = :team WHERE key = :key", team=broken_team, key=keys[1])
    for key in keys:
        await _later(database, key, 30)

    async def ping(case: str) -> None:
        if case == keys[0]:
            raise ConnectionError("Telegram is away, says Samira")

    with caplog.at_level(logging.INFO):
        await timers.tick(database, ping)
    assert (await made.audit(database, keys[0]))[-1][0] == "overdue"
    assert (await made.audit(database, keys[2]))[-1][0] == "overdue"
    assert (await made.case(database, keys[1])).state == "taken"
    assert "ValueError" in caplog.text
    assert "ConnectionError" in caplog.text
    for secret in (*keys, "Samira", "nine"):
        assert secret not in caplog.text


async def test_only_the_process_that_leads_looks(
    database: AsyncEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes: one looks and sweeps; when it is gone the other does."""
    monkeypatch.setattr(timers, "_EVERY", 0.05)
    by = await made.coach(database, "Fatima", await made.team(database))
    invite = "INSERT INTO invitation (digest, coach_id, expires_at) VALUES ('old', :id, now() - interval '1 day')"
    await made.change(database, invite, id=by.id)
    bells = [Bell(database_url), Bell(database_url)]
    listening, running = [], []
    for bell in bells:
        ready = asyncio.Event()

        async def on_ready(ready: asyncio.Event = ready) -> None:
            ready.set()

        listening.append(asyncio.create_task(bell.listen(on_ready)))
        await ready.wait()
    assert await bells[0].leads("timers")
    running = [asyncio.create_task(timers.run(database, bell)) for bell in bells]
    for turn, address in enumerate(("anna", "bilal")):
        key = await made.asked(database, address)
        await _later(database, key, 30)
        while not (await made.case(database, key)).escalated_at:
            await asyncio.sleep(0.05)
        assert await bells[turn].leads("timers")
        while await made.rows(database, "SELECT 1 FROM invitation"):  # each leader sweeps first
            await asyncio.sleep(0.05)
        if not turn:
            await made.change(database, invite, id=by.id)
            for task in (running[0], listening[0]):
                task.cancel()
            await asyncio.wait([running[0], listening[0]])
    for task in (running[1], listening[1]):
        task.cancel()
    await asyncio.wait([running[1], listening[1]])
    assert [what for what, _ in await made.audit(database, key)] == ["requested", "overdue"]


async def test_an_urgent_case_is_no_exception(database: AsyncEngine) -> None:
    await made.team(database)
    key = await made.request(database, await made.talk(database, "anna"), Wish(None, "nl", urgent=True))
    await _later(database, key, 4.1)
    await timers.tick(database)
    row = await made.case(database, key)
    assert (row.urgent, bool(row.escalated_at)) == (True, True)
