"""What the desk's pages read: `GET /desk/api/...`. What a coach may not see is not there: 404."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import attachments, overview, reading, reading_case
from bot.coach.cards import AnswersAway, Cards
from bot.coach.case import OUTCOMES
from bot.coach.desk_actions import card, visible
from bot.coach.door import Door, Json, Problem, as_key, asked_number, key_of
from bot.coach.live import Live
from bot.coach.outside import Outside
from bot.coach.people import Role
from bot.coach.quick import quick_replies
from bot.coach.reading import Setting, View
from bot.coach.sessions import Session
from bot.coach.wording import OUTCOME_TITLES

_MOST_POSITION = 2**31 - 1
_DAYS = 30


@dataclass(frozen=True)
class Api:
    """The handlers."""

    door: Door
    live: Live
    cards: Cards
    outside: Outside

    @property
    def _database(self) -> AsyncEngine:
        return self.door.database

    def routes(self) -> list[web.RouteDef]:
        rows = {
            "me": self.me,
            "queue": self.queue,
            "cases/{key}": self.case,
            "cases/{key}/attachments/{position}": self.attachment,
            "cards": self.find_cards,
            "cards/{topic}": self.preview,
            "quick": self.quick,
            "overview": self.overview,
        }
        api = [web.get(f"/desk/api/{path}", self.door.reading(handler)) for path, handler in rows.items()]
        return [*api, web.get("/desk/overview.csv", self.door.page(self.csv))]

    async def me(self, request: web.Request, session: Session) -> web.Response:
        """Who is logged in, with whom they work, and the token that every change must bring."""
        coach, now = session.coach, datetime.datetime.now(datetime.UTC)
        helpers = await reading.colleagues(self._database) if coach.role is not Role.EDITOR else []
        names = ("id", "name", "team_id", "languages", "room", "taken")
        return web.json_response(
            {
                "id": coach.id,
                "name": coach.name,
                "role": coach.role,
                "team": {"id": coach.team_id, "name": coach.team},
                "csrf": session.csrf,
                "teams": await reading.teams(self._database),
                "colleagues": [{name: getattr(row, name) for name in names} for row in helpers],
                "outcomes": [{"code": code, "title": OUTCOME_TITLES[code]} for code in OUTCOMES],
                "hours_open": await reading.is_open_now(self._database, coach.team_id, now),
            }
        )

    async def queue(self, request: web.Request, session: Session) -> web.Response:
        """{cases}: ?view=open, mine or closed; with ?key=A,B only those of them, so that a page can follow one case."""
        if session.coach.role is Role.EDITOR:
            raise Problem(403, "no_cases")
        try:
            view = View(request.query.get("view", View.OPEN))
        except ValueError as error:
            raise Problem(422, "wrong_shape") from error
        keys = [as_key(key) for key in request.query["key"].split(",")] if "key" in request.query else None
        found = await reading.queue(self._database, session.coach, view, await self._setting(), keys)
        return web.json_response({"cases": found})

    async def case(self, request: web.Request, session: Session) -> web.Response:
        """{case, lines, notes, viewers}; with ?after= only the lines after that position. At most 500 lines."""
        coach, after = session.coach, asked_number(request, "after", 0, _MOST_POSITION)
        row = await visible(self._database, coach, key_of(request))
        opening = not after and await self.live.looks(coach, row.key)
        found = await reading_case.read(self._database, coach, row, after, opening, await self._setting())
        return web.json_response({**found, "viewers": self.live.viewers(row.key, coach.id)})

    async def attachment(self, request: web.Request, session: Session) -> web.Response:
        """A file that the person sent, fetched now; who looked at it is in the audit log."""
        position = request.match_info["position"]
        if not position.isascii() or not position.isdigit() or len(position) > 9:
            raise Problem(404, "nothing_here")
        row = await visible(self._database, session.coach, key_of(request))
        kept = await reading_case.attachment(self._database, session.coach, row, int(position))
        if kept is None:
            raise Problem(404, "nothing_here")
        return await attachments.fetch(self.outside, row.channel, kept)

    async def find_cards(self, request: web.Request, session: Session) -> web.Response:
        """{cards: [{topic, title, group}]} for ?q=WORDS in Dutch, best first."""
        self._no_editor(session)
        try:
            found = await self.cards.find(request.query.get("q", ""))
        except AnswersAway as error:
            raise Problem(503, "no_answers") from error
        rows = [{"topic": one.topic, "title": one.title, "group": one.group_title} for one in found]
        return web.json_response({"cards": rows})

    async def preview(self, request: web.Request, session: Session) -> web.Response:
        """{dutch: [text], person: [text]}: what this person would read, and the same in Dutch."""
        self._no_editor(session)
        row = await visible(self._database, session.coach, as_key(request.query.get("case", "")))
        replies = await card(self.cards, request.match_info["topic"], row)
        dutch = [reply.dutch if row.language != "nl" else reply.text for reply in replies]
        return web.json_response({"dutch": [one for one in dutch if one], "person": [reply.text for reply in replies]})

    async def quick(self, request: web.Request, session: Session) -> web.Response:
        """{quick: [{id, title, slots, nl, tr, ar}]}"""
        rows = [{"id": q.id, "title": q.title, "slots": q.slots, **q.texts} for q in quick_replies().values()]
        return web.json_response({"quick": rows})

    async def overview(self, request: web.Request, session: Session) -> web.Response:
        """Figures of the last ?days=30 days."""
        return web.json_response(await self._figures(request, session))

    async def csv(self, request: web.Request, session: Session) -> web.Response:
        """The same as a file for a spreadsheet."""
        found = overview.as_csv(await self._figures(request, session))
        response = web.Response(text=found, content_type="text/csv", charset="utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="tekkie-overzicht.csv"'
        return response

    async def _figures(self, request: web.Request, session: Session) -> Json:
        days = asked_number(request, "days", _DAYS, overview.MOST_DAYS) or _DAYS
        now = datetime.datetime.now(datetime.UTC)
        return await overview.figures(self._database, session.coach, days, await self.cards.topics(), now)

    async def _setting(self) -> Setting:
        return Setting(await self.cards.topics(), self.outside.windows, datetime.datetime.now(datetime.UTC))

    def _no_editor(self, session: Session) -> None:
        if session.coach.role is Role.EDITOR:
            raise Problem(403, "no_cases")
