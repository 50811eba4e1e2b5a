"""The desk where coaches work: its pages, and everything behind them put together.

desk.py          pages: log in, choose a password, the desk itself, the overview
desk_api.py      what the pages read           desk_actions.py   what a coach does
desk_events.py   what the pages are told, live
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import people, sessions
from bot.coach.cards import Cards, Knowing
from bot.coach.desk_actions import Actions
from bot.coach.desk_api import Api
from bot.coach.desk_events import Events
from bot.coach.door import LOGIN, Door, Problem, form_of, go_to, key_of, token_of
from bot.coach.live import Live
from bot.coach.outside import Outside
from bot.coach.passwords import LEAST_CHARACTERS, WeakPassword
from bot.coach.people import InvitationOver, Role
from bot.coach.reading_changes import Changes
from bot.coach.sessions import COOKIE, LoginRefused, Session
from bot.coach.wording import PROBLEMS
from bot.messages import clean

_PAGES = Path(__file__).parent.parent / "pages"


def opened(database_url: str, database: AsyncEngine, knowing: Knowing, outside: Outside, secure: bool = False) -> Desk:
    """A desk with everything it needs; `secure`: its cookie goes over https only."""
    cards = Cards(knowing)
    live = Live(database_url, database, Changes(database, cards, outside.windows))
    return Desk(Door(database, secure), live, cards, outside)


@dataclass(frozen=True)
class Desk:
    """Mounted by bot/web.py with `routes()`; commands/serve.py keeps `live.run()` going."""

    door: Door
    live: Live
    cards: Cards
    outside: Outside

    def routes(self) -> list[web.RouteDef]:
        door = self.door
        return [
            web.get("/desk", door.page(self.desk)),
            web.get("/desk/", door.page(self.desk)),
            web.get("/desk/overview", door.page(self.overview)),
            web.get("/desk/case/{key}", door.open(self.case)),
            web.get(LOGIN, door.open(self.login)),
            web.post(LOGIN, door.open(self.log_in)),
            web.get("/desk/welcome/{token}", door.open(self.welcome)),
            web.post("/desk/welcome/{token}", door.open(self.choose_password)),
            web.post("/desk/logout", door.page(self.log_out)),
            *Api(door, self.live, self.cards, self.outside).routes(),
            *Actions(door, self.live, self.cards, self.outside).routes(),
            *Events(door, self.live).routes(),
        ]

    async def desk(self, request: web.Request, session: Session) -> web.Response:
        if session.coach.role is Role.EDITOR:
            return go_to("/desk/overview")
        return _page("desk", csrf=session.csrf, name=session.coach.name)

    async def case(self, request: web.Request) -> web.Response:
        """Where links in other programs lead (link_to in group_text.py). Says nothing about the case."""
        return _page("case", key=key_of(request))

    async def overview(self, request: web.Request, session: Session) -> web.Response:
        return _page("overview", csrf=session.csrf, name=session.coach.name, role=session.coach.role)

    async def login(self, request: web.Request) -> web.Response:
        if await sessions.find(self.door.database, token_of(request)):
            return go_to("/desk")
        return _page("login")

    async def log_in(self, request: web.Request) -> web.Response:
        form = await form_of(request)
        email = clean(form.get("email", ""))
        try:
            coach_id = await sessions.login(self.door.database, email, form.get("password", ""))
        except LoginRefused:
            return _page("login", 403, problem=PROBLEMS["wrong_login"], email=email)
        return await self.door.let_in(request, coach_id)

    async def welcome(self, request: web.Request) -> web.Response:
        """Looking at an invitation does not use it up: mail programs look at links too."""
        try:
            coach = await people.invited(self.door.database, request.match_info["token"])
        except InvitationOver:
            return _page("welcome", 404, problem=PROBLEMS["invitation_over"])
        return _page("welcome", name=coach.name, email=coach.email, minimum=LEAST_CHARACTERS)

    async def choose_password(self, request: web.Request) -> web.Response:
        token, password = request.match_info["token"], (await form_of(request)).get("password", "")
        try:
            coach_id = await people.accept(self.door.database, token, password)
        except InvitationOver:
            return _page("welcome", 404, problem=PROBLEMS["invitation_over"])
        except WeakPassword:
            coach = await people.invited(self.door.database, token)
            known = {"name": coach.name, "email": coach.email, "minimum": LEAST_CHARACTERS}
            return _page("welcome", 422, problem=PROBLEMS["weak_password"], **known)
        return await self.door.let_in(request, coach_id)

    async def log_out(self, request: web.Request, session: Session) -> web.Response:
        if not sessions.same((await form_of(request)).get("csrf", ""), session.csrf):
            raise Problem(403, "wrong_token")
        await sessions.end(self.door.database, session)
        response = go_to(LOGIN)
        response.del_cookie(COOKIE, path="/desk")
        return response


_shown = Environment(loader=FileSystemLoader(_PAGES), autoescape=True)


def _page(page: str, status: int = 200, /, **values: object) -> web.Response:
    body = _shown.get_template(f"desk/{page}.html").render(values)
    return web.Response(text=body, status=status, content_type="text/html", charset="utf-8")
