"""Everything that can be done with a case, as one table for tests; a desk to do it at, and cases in every state."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases
from bot.coach.case import By, Wish
from bot.handover import Event, Mode
from bot.messages import Reply
from tests.coach import made

Act = Callable[[AsyncEngine, str, By, By, int], Awaitable[object]]
LATER = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
HELLO = (Reply("مرحبا", dutch="hallo"), Reply("كيف حالك؟", dutch="hoe gaat het?"))


@dataclass(frozen=True)
class Desk:
    """A team with two coaches, and another team."""

    team: int
    other_team: int
    fatima: By
    mehmet: By


async def clock(database: AsyncEngine, key: str, event: Event) -> None:
    async with database.begin() as link:
        await cases.by_the_clock(link, await cases.locked(link, key), event)


async def cancel(database: AsyncEngine, key: str) -> bool:
    row = await made.case(database, key)
    async with database.begin() as link:
        return await cases.cancel(link, row.conversation_id)


async def change(database: AsyncEngine, key: str) -> None:
    row = await made.case(database, key)
    await made.request(database, row.conversation_id, Wish("salary", "tr", urgent=True))


# What is done -> (the case before, how, the case after, mode after, what the person hears, in the log).
ACTIONS: dict[str, tuple[str, Act, str, Mode, str | None, str]] = {
    "change": ("waiting", lambda db, key, me, you, team: change(db, key),
               "waiting", Mode.WAITING, "referral_changed", "requested"),
    "cancel while waiting": ("waiting", lambda db, key, me, you, team: cancel(db, key),
                             "closed", Mode.BOT, "referral_cancelled", "cancelled"),
    "take": ("waiting", lambda db, key, me, you, team: cases.take(db, key, me),
             "taken", Mode.COACH, "coach_joins", "taken"),
    "overdue": ("waiting", lambda db, key, me, you, team: clock(db, key, Event.OVERDUE),
                "waiting", Mode.WAITING, "still_waiting", "overdue"),
    "move while waiting": ("waiting", lambda db, key, me, you, team: cases.move(db, key, me, team),
                           "waiting", Mode.WAITING, None, "moved"),
    "close while waiting": ("waiting", lambda db, key, me, you, team: cases.close(db, key, me, "not_for_us"),
                            "closed", Mode.BOT, "referral_closed", "closed"),
    "note while waiting": ("waiting", lambda db, key, me, you, team: cases.note(db, key, me, "moeder belt"),
                           "waiting", Mode.WAITING, None, "noted"),
    "cancel": ("taken", lambda db, key, me, you, team: cancel(db, key),
               "closed", Mode.BOT, "coach_stopped", "cancelled"),
    "pass on": ("taken", lambda db, key, me, you, team: cases.pass_on(db, key, me, you),
                "taken", Mode.COACH, "coach_changes", "passed on"),
    "move": ("taken", lambda db, key, me, you, team: cases.move(db, key, me, team),
             "waiting", Mode.WAITING, "coach_returned", "moved"),
    "give back": ("taken", lambda db, key, me, you, team: cases.give_back(db, key, me),
                  "waiting", Mode.WAITING, "coach_returned", "returned"),
    "coach silent": ("taken", lambda db, key, me, you, team: clock(db, key, Event.RETURNED),
                     "waiting", Mode.WAITING, "coach_returned", "returned"),
    "hand back": ("taken", lambda db, key, me, you, team: cases.hand_back(db, key, me),
                  "closed", Mode.BOT, "coach_leaves", "handed back"),
    "close": ("taken", lambda db, key, me, you, team: cases.close(db, key, me, "helped"),
              "closed", Mode.BOT, "coach_leaves", "closed"),
    "person silent": ("taken", lambda db, key, me, you, team: clock(db, key, Event.SILENT),
                      "taken", Mode.COACH, "reminder", "silent"),
    "person gone": ("taken", lambda db, key, me, you, team: clock(db, key, Event.GONE),
                    "closed", Mode.BOT, "closed_silent", "gone"),
    "write": ("taken", lambda db, key, me, you, team: cases.write(db, key, me, HELLO, "cost", "ar"),
              "taken", Mode.COACH, None, "wrote"),
    "snooze": ("taken", lambda db, key, me, you, team: cases.snooze(db, key, me, LATER),
               "taken", Mode.COACH, None, "snoozed"),
    "note": ("taken", lambda db, key, me, you, team: cases.note(db, key, me, "moeder belt"),
             "taken", Mode.COACH, None, "noted"),
    "reopen": ("closed", lambda db, key, me, you, team: cases.reopen(db, key, me),
               "taken", Mode.COACH, "coach_joins", "reopened"),
}  # fmt: skip
BY_NOBODY = ("change", "cancel while waiting", "overdue", "cancel", "coach silent", "person silent", "person gone")


async def prepared(database: AsyncEngine, desk: Desk, state: str, address: str, language: str = "nl") -> str:
    """A case in that state, with Fatima when it is taken or was."""
    key = await made.asked(database, address, language)
    if state != "waiting":
        await cases.take(database, key, desk.fatima)
    if state == "closed":
        await cases.close(database, key, desk.fatima, "helped")
    return key


async def everything(database: AsyncEngine) -> list[object]:
    """All rows an action could touch."""
    tables = ("referral", "conversation", "transcript", "outbox", "note")
    return [await made.rows(database, f"SELECT t.* FROM {table} t ORDER BY id") for table in tables]


async def desk(database: AsyncEngine) -> Desk:
    team, other = await made.team(database), await made.team(database)
    return Desk(team, other, await made.coach(database, "Fatima", team), await made.coach(database, "Mehmet", team))
