"""Everything a coach, a person or a clock does to a case: all of it or nothing, and only when it is possible."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases
from bot.coach.case import NotYours, UnknownCase
from bot.commands.accounts import count
from bot.handover import Event, NotPossible
from bot.messages import Author
from bot.phrases import say
from tests.coach import acts, made
from tests.coach.acts import ACTIONS, BY_NOBODY, Desk


@pytest.fixture(scope="module")
async def database(server: str) -> AsyncIterator[AsyncEngine]:
    async with made.fresh(server) as opened:
        yield opened


@pytest.fixture
async def desk(database: AsyncEngine) -> Desk:
    return await acts.desk(database)


@pytest.mark.parametrize("action", ACTIONS)
async def test_every_action_changes_everything_together(database: AsyncEngine, desk: Desk, action: str) -> None:
    before, act, state, mode, phrase, logged = ACTIONS[action]
    for language in ("nl", "tr", "ar"):
        key = await acts.prepared(database, desk, before, f"{action}-{language}", language)
        lines = await made.said(database, key)
        await act(database, key, desk.fatima, desk.mehmet, desk.other_team)
        row = await made.case(database, key)
        assert (row.state, row.mode) == (state, mode)
        assert (await made.audit(database, key))[-1] == (logged, None if action in BY_NOBODY else desk.fatima.id)
        fresh = (await made.said(database, key))[len(lines) :]
        assert all(line.sending for line in fresh)
        if phrase:
            [told] = fresh
            coach = desk.mehmet.name if action == "pass on" else desk.fatima.name
            assert told.author == Author.ASSISTANT
            assert _same(told.text, say(phrase, language), coach)
            assert told.dutch is None if language == "nl" else _same(told.dutch, say(phrase, "nl"), coach)
        elif action != "write":
            assert fresh == []
    await made.adds_up(database)


def _same(told: str, phrase: str, coach: str) -> bool:
    """Whether `told` is the phrase; {when} may be any promise, but must be one."""
    start, _, end = phrase.replace("{coach}", coach).partition("{when}")
    return told.startswith(start) and told.endswith(end) and "{" not in told and ("{when}" in phrase) == (
        len(told) > len(start) + len(end)
    )  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("broken", ["audit", "outbox"])
async def test_every_action_is_all_or_nothing(database: AsyncEngine, desk: Desk, action: str, broken: str) -> None:
    before, act, _, _, phrase, _ = ACTIONS[action]
    if broken == "outbox" and not phrase and action != "write":
        return  # nothing is said
    key = await acts.prepared(database, desk, before, f"half {action} {broken}")
    untouched = await acts.everything(database)
    await made.change(database, f"ALTER TABLE {broken} RENAME TO elsewhere")
    try:
        with pytest.raises(ProgrammingError):
            await act(database, key, desk.fatima, desk.mehmet, desk.other_team)
    finally:
        await made.change(database, f"ALTER TABLE elsewhere RENAME TO {broken}")
    assert await acts.everything(database) == untouched
    await act(database, key, desk.fatima, desk.mehmet, desk.other_team)  # and then it works
    assert (await made.audit(database, key))[-1][0] == ACTIONS[action][-1]


@pytest.mark.parametrize("action", [name for name in ACTIONS if not name.startswith("note")])
async def test_what_is_not_possible_changes_nothing(database: AsyncEngine, desk: Desk, action: str) -> None:
    """Every action on a case in the two states it is not for."""
    before, act, *_ = ACTIONS[action]
    both = ("move", "close", "cancel")  # also possible, as another row of the table
    for state in {"waiting", "taken", "closed"} - {before}:
        if (state == "waiting" and action in both) or (state == "taken" and action.endswith("while waiting")):
            continue
        key = await acts.prepared(database, desk, state, f"not {action} {state}")
        untouched, log = await acts.everything(database), await made.audit(database, key)
        if action == "change" and state == "closed":
            continue  # a new case, see below
        if action.startswith("cancel"):
            assert not await acts.cancel(database, key)
        else:
            with pytest.raises((NotPossible, NotYours)):
                await act(database, key, desk.fatima, desk.mehmet, desk.other_team)
        assert await acts.everything(database) == untouched
        assert await made.audit(database, key) == log
    await made.adds_up(database)


@pytest.mark.parametrize("action", ["pass on", "move", "give back", "hand back", "close", "write", "snooze"])
async def test_a_colleagues_case_is_left_alone(database: AsyncEngine, desk: Desk, action: str) -> None:
    key = await acts.prepared(database, desk, "taken", f"hers {action}")
    untouched = await acts.everything(database)
    with pytest.raises(NotYours):
        await ACTIONS[action][1](database, key, desk.mehmet, desk.fatima, desk.other_team)
    assert await acts.everything(database) == untouched
    assert (await made.audit(database, key))[-1] == ("taken", desk.fatima.id)


@pytest.mark.parametrize("action", [name for name in ACTIONS if name not in BY_NOBODY])
async def test_nobody_can_guess_a_case(database: AsyncEngine, desk: Desk, action: str) -> None:
    with pytest.raises(UnknownCase):
        await ACTIONS[action][1](database, "AAAAAAAAAAAA", desk.fatima, desk.mehmet, desk.other_team)


async def test_an_older_case_cannot_touch_a_newer_one(database: AsyncEngine, desk: Desk) -> None:
    """The conversation's mode is about its open case; whoever still has the closed one on screen changes nothing."""
    old = await acts.prepared(database, desk, "closed", "again")
    conversation = (await made.case(database, old)).conversation_id
    new = await made.request(database, conversation)
    tries = [act for name, (_, act, *_) in ACTIONS.items() if not name.startswith(("change", "cancel", "note"))]
    for taken in (False, True):
        if taken:
            await cases.take(database, new, desk.mehmet)
        untouched = await acts.everything(database)
        for act in tries:
            with pytest.raises((NotPossible, NotYours)):
                await act(database, old, desk.fatima, desk.mehmet, desk.other_team)
        assert await acts.everything(database) == untouched
    await made.adds_up(database)


async def test_times_and_owner_of_a_case(database: AsyncEngine, desk: Desk) -> None:
    key = await acts.prepared(database, desk, "taken", "times")
    first = await made.case(database, key)
    assert (first.coach_id, first.coach_at, first.reminded_at) == (desk.fatima.id, first.taken_at, None)
    await acts.clock(database, key, Event.SILENT)
    assert (await made.case(database, key)).reminded_at
    await cases.pass_on(database, key, desk.fatima, desk.mehmet)
    passed = await made.case(database, key)
    assert (passed.coach_id, passed.reminded_at, passed.taken_at) == (desk.mehmet.id, None, first.taken_at)
    assert passed.coach_at > first.coach_at
    await cases.move(database, key, desk.mehmet, desk.other_team)
    moved = await made.case(database, key)
    assert (moved.coach_id, moved.team_id, moved.taken_at) == (None, desk.other_team, first.taken_at)
    await cases.take(database, key, desk.fatima)
    await acts.clock(database, key, Event.SILENT)
    await acts.clock(database, key, Event.GONE)
    gone = await made.case(database, key)
    assert (gone.coach_id, gone.outcome, gone.closed_at > first.taken_at) == (desk.fatima.id, "no_answer", True)
    await cases.reopen(database, key, desk.mehmet)
    again = await made.case(database, key)
    assert (again.coach_id, again.outcome, again.closed_at) == (desk.mehmet.id, None, None)
    assert again.reminded_at is None  # an old reminder must not close it at once
    await cases.hand_back(database, key, desk.mehmet)
    assert (await made.case(database, key)).outcome == "handed_back"


async def test_an_unknown_outcome_is_refused(database: AsyncEngine, desk: Desk) -> None:
    key = await acts.prepared(database, desk, "taken", "outcome")
    with pytest.raises(ValueError, match="cancelled"):
        await cases.close(database, key, desk.fatima, "cancelled")
    assert (await made.case(database, key)).state == "taken"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET what = 'x'",
        "UPDATE audit SET what = 'x' WHERE false",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "TRUNCATE audit CASCADE",
    ],
)
async def test_the_audit_log_cannot_be_changed(database: AsyncEngine, desk: Desk, statement: str) -> None:
    key = await made.asked(database, statement)
    before = await made.rows(database, "SELECT * FROM audit ORDER BY id")
    with pytest.raises(DBAPIError, match="append-only"):
        await made.change(database, statement)
    assert await made.rows(database, "SELECT * FROM audit ORDER BY id") == before
    assert await made.audit(database, key) == [("requested", None)]


async def test_the_desk_hears_of_every_change(database: AsyncEngine, desk: Desk) -> None:
    """The bell is in the database; here only that nothing about a person travels with it."""
    heard: list[tuple[str, str]] = []
    async with database.connect() as link:
        raw = (await link.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.add_listener("desk", lambda _link, _pid, channel, payload: heard.append((channel, payload)))
        key = await acts.prepared(database, desk, "closed", "bells")
        await cases.note(database, key, desk.fatima, "een notitie")
        await raw.fetchval("SELECT 1")
    assert heard == [("desk", key)] * 4  # asked, taken, closed, noted


async def test_the_accounts_add_up_after_all_this(database: AsyncEngine) -> None:
    assert (await count(database)).problems == ()
    await made.adds_up(database)
