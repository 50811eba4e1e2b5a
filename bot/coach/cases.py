"""Requests for a coach, from asked to closed. Every change is one transaction: case, mode of the conversation, what the
person is told, and a line in the audit log, or nothing of it.

A case is "waiting", "taken" or "closed"; what may happen when is in bot/handover.py. Two coaches who take
one case: the row lock lets one win, and the other hears who has it.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import transcript
from bot.coach import sql
from bot.coach.case import OUTCOMES, By, Case, NotYours, UnknownCase, Wish
from bot.coach.hours import OFFICE_HOURS
from bot.coach.promise import promise
from bot.handover import Event, Mode, NotPossible, advance
from bot.messages import Author, Button, Reply
from bot.phrases import say, spoken

_STATES = {Mode.WAITING: "waiting", Mode.COACH: "taken", Mode.BOT: "closed"}
RATING_PAYLOAD = "rating:"


Where = AsyncEngine | AsyncConnection  # a database, or a transaction that is going on


async def request(link: AsyncConnection, conversation_id: int, wish: Wish) -> str:
    """Open a case, or change the one that is waiting; the person is told what happens next. Returns its key."""
    mode = Mode((await link.execute(sql.LOCK_TALK, {"conversation": conversation_id})).scalar_one())
    row = (await link.execute(sql.OPEN_OF, {"conversation": conversation_id})).one_or_none()
    step = advance(mode, Event.REQUESTED)
    team = await _team_for(link, wish.area)
    told = await promise(link, team)
    key = row.key if row else secrets.token_urlsafe(9)
    values = {**vars(wish), "team": team, "key": key, "conversation": conversation_id, "due": told.due_at}
    await link.execute(sql.CHANGE if row else sql.INSERT, values)
    await link.execute(sql.SET_MODE, {"conversation": conversation_id, "mode": step.mode})
    case = await locked(link, key)
    await _tell(link, case, step.says, when=told.text)
    await log(link, None, Event.REQUESTED, case.id)
    return key


async def cancel(link: AsyncConnection, conversation_id: int) -> bool:
    """The person does not want a coach (any more); False when there was no request."""
    row = (await link.execute(sql.OPEN_OF, {"conversation": conversation_id})).one_or_none()
    if row is None:
        return False
    await _step(link, await locked(link, row.key), Event.CANCELLED, None, outcome="cancelled")
    return True


async def take(where: Where, key: str, by: By) -> None:
    """Raises NotPossible when somebody else has it."""
    async with _transaction(where) as link:
        case = await locked(link, key)
        await _step(link, case, Event.TAKEN, by, coach_id=by.id, values={"coach": by.name})


async def reopen(where: Where, key: str, by: By) -> None:
    """Take up a closed case again. Raises NotPossible when the person has another one open."""
    async with _transaction(where) as link:
        case = await locked(link, key)
        await _step(link, case, Event.REOPENED, by, coach_id=by.id, values={"coach": by.name})


async def pass_on(where: Where, key: str, by: By, to: By) -> None:
    """Give it to a colleague. Raises NotYours, NotPossible."""
    async with _transaction(where) as link:
        case = await _own(link, key, by)
        await _step(link, case, Event.PASSED_ON, by, coach_id=to.id, values={"coach": to.name}, detail=f"to {to.id}")


async def move(where: Where, key: str, by: By, team_id: int) -> None:
    """Give it to another team's queue. Raises NotYours when a colleague has it."""
    async with _transaction(where) as link:
        case = await locked(link, key)
        if case.coach_id not in (None, by.id):
            raise NotYours
        due = (await promise(link, team_id)).due_at
        await _step(link, case, Event.MOVED, by, team_id=team_id, due_at=due, detail=f"to team {team_id}")


async def give_back(where: Where, key: str, by: By) -> None:
    """Back to the queue. Raises NotYours, NotPossible."""
    async with _transaction(where) as link:
        case = await _own(link, key, by)
        due = (await promise(link, case.team_id)).due_at
        await _step(link, case, Event.RETURNED, by, due_at=due)


async def hand_back(where: Where, key: str, by: By) -> None:
    """The assistant goes on; the case ends as "handed_back". Raises NotYours, NotPossible."""
    async with _transaction(where) as link:
        await _step(link, await _own(link, key, by), Event.HANDED_BACK, by, outcome="handed_back")


async def close(where: Where, key: str, by: By, outcome: str) -> None:
    """End it with an outcome (one of OUTCOMES). Raises NotYours, NotPossible, ValueError."""
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    async with _transaction(where) as link:
        case = await locked(link, key)
        if case.coach_id not in (None, by.id):
            raise NotYours
        await _step(link, case, Event.CLOSED, by, outcome=outcome, detail=outcome)


async def by_the_clock(link: AsyncConnection, case: Case, event: Event) -> None:
    """OVERDUE, RETURNED, SILENT or GONE, when timers.py has seen under the lock that it is time. Raises NotPossible."""
    due = (await promise(link, case.team_id)).due_at if event is Event.RETURNED else None
    outcome = "no_answer" if event is Event.GONE else None
    await _step(link, case, event, None, due_at=due, outcome=outcome)


async def write(
    where: Where,
    key: str,
    by: By,
    replies: Sequence[Reply],
    topic: str | None = None,
    language: str | None = None,
    inbox_id: int | None = None,
    once: str | None = None,
) -> int:
    """Say something to the person, who sees the coach's name; the position of the (last) line. Raises NotYours.

    `inbox_id` is the coach's own message when it came over Telegram; the same `once` again changes nothing.
    """
    async with _transaction(where) as link:
        if (said := await _done_before(link, by, once)) is not None:
            return said
        case = await _own(link, key, by)
        position = await transcript.append(
            link,
            case.conversation_id,
            replies,
            Author.COACH,
            coach=by.name,
            topic=topic,
            language=language,
            inbox_id=inbox_id,
        )
        if once:
            await link.execute(sql.ONCE_AT, {"coach": by.id, "key": once, "position": position})
        await link.execute(sql.WROTE, {"id": case.id})
        await log(link, by, "wrote", case.id, topic or "")
    return position


async def snooze(where: Where, key: str, by: By, until: datetime.datetime) -> None:
    """Out of sight until then, or until the person writes. Raises NotYours."""
    async with _transaction(where) as link:
        case = await _own(link, key, by)
        await link.execute(sql.SNOOZE, {"id": case.id, "until": until})
        await log(link, by, "snoozed", case.id)


async def note(where: Where, key: str, by: By, words: str, once: str | None = None) -> None:
    """A note for colleagues; the person never sees it. The same `once` again changes nothing."""
    async with _transaction(where) as link:
        if await _done_before(link, by, once) is not None:
            return
        case = await locked(link, key)
        await link.execute(sql.NOTE, {"id": case.id, "coach": by.id, "text": words})
        await log(link, by, "noted", case.id)


async def heard(link: AsyncConnection, conversation_id: int, urgent: bool = False) -> None:
    """The person of an open case wrote: it is awake again; `urgent` puts it in front."""
    await link.execute(sql.HEARD, {"conversation": conversation_id, "urgent": urgent})


async def rate(link: AsyncConnection, conversation_id: int, key: str, rating: int | None, words: str | None) -> bool:
    """The person says whether it helped (1-3), then perhaps why; False when it is not their case or no rating."""
    if rating not in (None, 1, 2, 3):  # a forged button
        return False
    values = {"conversation": conversation_id, "key": key, "rating": rating, "words": words}
    return bool((await link.execute(sql.RATE, values)).rowcount)


async def forget(link: AsyncConnection, conversation_id: int) -> None:
    """The person wants everything gone: an open case ends, and who they are leaves every case and note."""
    await cancel(link, conversation_id)
    await link.execute(sql.FORGET, {"conversation": conversation_id})
    await link.execute(sql.FORGET_NOTES, {"conversation": conversation_id})


async def locked(link: AsyncConnection, key: str) -> Case:
    """The case, held until the transaction ends. Raises UnknownCase."""
    row = (await link.execute(sql.LOCK, {"key": key})).one_or_none()
    if row is None:
        raise UnknownCase
    return Case(**{**row._mapping, "mode": Mode(row.mode), "language": row.language or "nl"})


async def log(link: AsyncConnection, by: By | None, what: str, referral_id: int | None, detail: str = "") -> None:
    """Append to the audit log; `by` None is a person or the clock. Never a text of a person."""
    values = {"coach": by.id if by else None, "what": what, "referral": referral_id, "detail": detail}
    await link.execute(sql.LOG, values)


@contextlib.asynccontextmanager
async def _transaction(where: Where) -> AsyncIterator[AsyncConnection]:
    if isinstance(where, AsyncConnection):
        yield where
    else:
        async with where.begin() as link:
            yield link


async def _done_before(link: AsyncConnection, by: By, once: str | None) -> int | None:
    """The position a request with this key had before; None when it is the first time."""
    if once is None or (await link.execute(sql.ONCE, {"coach": by.id, "key": once})).rowcount:
        return None
    return int((await link.execute(sql.ONCE_WAS, {"coach": by.id, "key": once})).scalar_one())


async def _own(link: AsyncConnection, key: str, by: By) -> Case:
    case = await locked(link, key)
    if case.coach_id != by.id or case.state != "taken":
        raise NotYours
    return case


async def _step(
    link: AsyncConnection,
    case: Case,
    event: Event,
    by: By | None,
    *,
    coach_id: int | None = None,
    team_id: int | None = None,
    due_at: datetime.datetime | None = None,
    outcome: str | None = None,
    values: Mapping[str, str] | None = None,
    detail: str = "",
) -> None:
    """One event: the new state, the person is told, the log. Raises NotPossible and changes nothing."""
    if (case.state == "closed") != (event is Event.REOPENED):  # then the mode is about another case
        raise NotPossible(case.mode, event)
    step = advance(case.mode, event)
    state = _STATES[step.mode]
    owner = coach_id or (case.coach_id if state != "waiting" else None)
    changed: dict[str, Any] = {"id": case.id, "state": state, "coach": owner, "team": team_id or case.team_id}
    changed |= {"due": due_at, "outcome": outcome, "event": event}
    await link.execute(sql.SET, changed)
    await link.execute(sql.SET_MODE, {"conversation": case.conversation_id, "mode": step.mode})
    name = await _name(link, case.coach_id) if case.coach_id else ""
    says = None if event is Event.OVERDUE and case.muted else step.says
    await _tell(link, case, says, **{"coach": name, **(values or {})})
    await log(link, by, event, case.id, detail)


async def _tell(link: AsyncConnection, case: Case, phrase: str | None, **values: str | Mapping[str, str]) -> None:
    if phrase is None:
        return
    buttons: tuple[Button, ...] = ()
    if phrase in ("coach_leaves", "coach_stopped"):
        buttons = tuple(
            Button(say(f"rating_{number}", case.language), f"{RATING_PAYLOAD}{case.key}:{number}")
            for number in (3, 2, 1)
        )
    reply = spoken(phrase, case.language, buttons, **values)
    await transcript.append(link, case.conversation_id, [reply], Author.ASSISTANT)


async def _team_for(link: AsyncConnection, area: str | None) -> int:
    """The team of that area, else the oldest; a first one is made when there is none."""
    found = (await link.execute(sql.TEAM_FOR, {"area": area})).scalar()
    return int(
        found if found is not None else (await link.execute(sql.FIRST_TEAM, {"hours": dict(OFFICE_HOURS)})).scalar_one()
    )


async def _name(link: AsyncConnection, coach_id: int) -> str:
    return str((await link.execute(text("SELECT name FROM coach WHERE id = :id"), {"id": coach_id})).scalar())
