"""What a coach does with a case: `POST /desk/api/cases/{key}/ACTION`. The rules are in cases.py and handover.py.

Whatever is not possible comes back as 409 with a sentence that says why, and who has the case.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases, quick, reading, reading_case, sending
from bot.coach.cards import AnswersAway, Cards, Unclear
from bot.coach.case import OUTCOMES, By, NotYours, UnknownCase
from bot.coach.door import Door, Json, Problem, body_of, key_of, number_in, text_in
from bot.coach.live import Live
from bot.coach.outside import Outside
from bot.coach.people import Coach, Role
from bot.coach.sessions import Session
from bot.handover import NotPossible
from bot.messages import MOST_CHARACTERS, NotSent, Reply

_MOST_SNOOZE_DAYS = 30
_MOST_KEY = 80
_ARABIC = re.compile("[\u0600-\u06ff]")


@dataclass(frozen=True)
class Move:
    """One action on one case, by a coach who may see it."""

    row: Row[Any]
    coach: Coach
    body: Mapping[str, object]
    once: str | None = None  # the browser's own key: the same request again is done once

    @property
    def key(self) -> str:
        return str(self.row.key)

    @property
    def by(self) -> By:
        return By(self.coach.id, self.coach.name)

    @property
    def mine(self) -> bool:
        return bool(self.row.state == "taken" and self.row.coach_id == self.coach.id)


Act = Callable[[Move], Awaitable[Json | None]]


@dataclass(frozen=True)
class Actions:
    """The handlers."""

    door: Door
    live: Live
    cards: Cards
    outside: Outside

    @property
    def _database(self) -> AsyncEngine:
        return self.door.database

    def routes(self) -> list[web.RouteDef]:
        free: tuple[Act, ...] = (self.take, self.move, self.close, self.reopen, self.note, self.seen)
        own: tuple[Act, ...] = (self.write, self.card, self.quick, self.pass_on, self.give_back, self.hand_back)
        own += (self.snooze, self.retry, self.template, self.typing)
        rows = [(act, False) for act in free] + [(act, True) for act in own]
        return [web.post(f"/desk/api/cases/{{key}}/{_name(act)}", self._on_case(act, mine)) for act, mine in rows]

    def _on_case(self, act: Act, mine: bool) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """`mine`: only for the coach who has the case."""

        async def handle(request: web.Request, session: Session) -> web.StreamResponse:
            row = await visible(self._database, session.coach, key_of(request))
            once = request.headers.get("Idempotency-Key", "")[:_MOST_KEY] or None
            move = Move(row, session.coach, await body_of(request), once)
            try:
                if mine and not move.mine:
                    raise NotYours
                return web.json_response(await act(move) or {})
            except (NotPossible, NotYours) as error:
                raise await self._conflict(move, _name(act)) from error
            except UnknownCase as error:
                raise Problem(404, "not_found") from error

        return self.door.acting(handle)

    async def take(self, move: Move) -> None:
        if not move.mine:  # pressed twice is taken once
            await cases.take(self._database, move.key, move.by)

    async def reopen(self, move: Move) -> None:
        if move.row.outcome == "cancelled":
            raise Problem(409, "stopped")
        if move.row.state == "closed" and await reading_case.forgotten(self._database, move.row):
            raise Problem(409, "forgotten")
        await cases.reopen(self._database, move.key, move.by)

    async def write(self, move: Move) -> Json:
        words = text_in(move.body, "text", MOST_CHARACTERS)
        self._may_send(move)
        language = tongue_of(words, move.row.language)
        position = await cases.write(
            self._database, move.key, move.by, [Reply(words)], language=language, once=move.once
        )
        return {"position": position}

    async def card(self, move: Move) -> Json:
        """The answer of a topic, made with what the person talked about."""
        topic = text_in(move.body, "topic", 80)
        self._may_send(move)
        replies = await card(self.cards, topic, move.row)
        language = move.row.language
        return {
            "position": await cases.write(self._database, move.key, move.by, replies, topic, language, once=move.once)
        }

    async def quick(self, move: Move) -> Json:
        name, values = text_in(move.body, "id", 80), move.body.get("values", {})
        if not isinstance(values, dict):
            raise Problem(422, "wrong_shape")
        try:
            reply = quick.fill(name, move.row.language, values)
        except quick.UnknownQuick as error:
            raise Problem(422, "unknown_quick") from error
        except quick.Unfilled as error:
            raise Problem(422, "fill_in") from error
        self._may_send(move)
        language = move.row.language
        return {
            "position": await cases.write(self._database, move.key, move.by, [reply], language=language, once=move.once)
        }

    async def pass_on(self, move: Move) -> None:
        wanted = number_in(move.body, "coach")
        if wanted == move.coach.id:
            raise Problem(422, "yourself")
        found = [row for row in await reading.colleagues(self._database) if row.id == wanted]
        if not found:
            raise Problem(422, "unknown_coach")
        await cases.pass_on(self._database, move.key, move.by, By(found[0].id, found[0].name))

    async def move(self, move: Move) -> None:
        wanted = number_in(move.body, "team")
        if wanted not in {team["id"] for team in await reading.teams(self._database)}:
            raise Problem(422, "unknown_team")
        if wanted == move.row.team_id:
            raise Problem(422, "same_team")
        await cases.move(self._database, move.key, move.by, wanted)

    async def give_back(self, move: Move) -> None:
        await cases.give_back(self._database, move.key, move.by)

    async def hand_back(self, move: Move) -> None:
        await cases.hand_back(self._database, move.key, move.by)

    async def close(self, move: Move) -> None:
        outcome = move.body.get("outcome")
        if outcome not in OUTCOMES:
            raise Problem(422, "unknown_outcome")
        await cases.close(self._database, move.key, move.by, str(outcome))

    async def snooze(self, move: Move) -> None:
        await cases.snooze(self._database, move.key, move.by, moment_in(move.body, datetime.datetime.now(datetime.UTC)))

    async def note(self, move: Move) -> None:
        await cases.note(self._database, move.key, move.by, text_in(move.body, "text", MOST_CHARACTERS), move.once)

    async def seen(self, move: Move) -> None:
        """Read up to there; also the sign that this coach still looks at the case."""
        position = number_in(move.body, "position")
        await self.live.looks(move.coach, move.key)
        await reading_case.seen(self._database, move.coach, move.row, position)

    async def retry(self, move: Move) -> Json:
        position = number_in(move.body, "position")
        self._may_send(move)
        if not await sending.retry(self._database, move.row, position, move.by):
            raise Problem(409, "not_failed")
        return {"position": position}

    async def template(self, move: Move) -> None:
        if move.row.channel not in self.outside.windows:
            raise Problem(409, "no_template")
        if self._window_open(move):
            raise Problem(409, "window_open")
        try:
            if not await sending.template(self._database, move.row, move.by, self.outside):
                raise Problem(409, "no_template")
        except sending.TemplateWaits as error:
            raise Problem(409, "template_waits") from error
        except NotSent as error:
            raise Problem(409, "template_failed") from error

    async def typing(self, move: Move) -> None:
        await self.live.types(move.coach, move.key)
        if self._window_open(move):
            await sending.show_typing(self.door.database, move.row, self.outside)

    def _may_send(self, move: Move) -> None:
        if not self._window_open(move):
            raise Problem(409, "window_closed")

    def _window_open(self, move: Move) -> bool:
        now = datetime.datetime.now(datetime.UTC)
        closes = reading.window_closes_at(move.row, self.outside.windows)
        return closes is None or closes > now

    async def _conflict(self, move: Move, action: str) -> Problem:
        """Why it was not possible, as the case is now."""
        row = await reading.one(self._database, move.coach, move.key)
        if row is None:
            return Problem(404, "not_found")
        if action == "reopen":
            return Problem(409, "other_open" if row.state == "closed" else "not_closed")
        if row.state == "taken" and row.coach_id != move.coach.id:
            return Problem(409, "taken_before" if action == "take" else "taken", name=row.coach)
        if row.state == "taken":
            return Problem(409, "yourself")
        return Problem(409, "not_taken" if row.state == "waiting" else "closed")


async def visible(database: AsyncEngine, coach: Coach, key: str) -> Row[Any]:
    """The case, if this coach may see it. Raises Problem: 403 for an editor, 404 for every other case."""
    if coach.role is Role.EDITOR:
        raise Problem(403, "no_cases")
    row = await reading.one(database, coach, key)
    if row is None:
        raise Problem(404, "not_found")
    return row


async def card(cards: Cards, topic: str, row: Row[Any]) -> list[Reply]:
    """The card as this person reads it, with Dutch beside it. Raises Problem."""
    try:
        return await cards.answer(topic, row.language, row.dialogue)
    except Unclear as error:
        raise Problem(422, "unknown_topic") from error
    except AnswersAway as error:
        raise Problem(503, "no_answers") from error


def tongue_of(words: str, language: str) -> str:
    """What a coach wrote in: Arabic letters tell; Latin ones to somebody who reads Arabic are Dutch, else theirs."""
    if _ARABIC.search(words):
        return "ar"
    return "nl" if language == "ar" else language


def moment_in(body: Mapping[str, object], now: datetime.datetime) -> datetime.datetime:
    """`until` as an ISO time with its zone, in the next 30 days. Raises Problem with 422."""
    try:
        until = datetime.datetime.fromisoformat(str(body.get("until")))
        if until.tzinfo is None or not now < until <= now + datetime.timedelta(days=_MOST_SNOOZE_DAYS):
            raise Problem(422, "wrong_time")
    except (ValueError, OverflowError) as error:
        raise Problem(422, "wrong_time") from error
    return until


def _name(act: Act) -> str:
    return str(getattr(act, "__name__", ""))
