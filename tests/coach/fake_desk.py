"""A desk without a database: it speaks the HTTP contract of the desk, so that the pages can be tested by themselves.

python -m tests.coach.fake_desk     the desk on http://127.0.0.1:8099, as Fatima (fatima@example.nl / open sesam)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from bot.settings import ROOT
from tests.coach import fake_cases
from tests.coach.fake_actions import ACTIONS, Conflict
from tests.coach.fake_cases import TITLES, Json, Talk, ago
from tests.coach.fake_people import CARDS, COACHES, OUTCOMES, QUICK, TEAMS, Coach

PASSWORD = "open sesam"
PAGES = ROOT / "bot" / "pages"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class Refusal(Exception):
    """An answer of the API that says no, in Dutch."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class FakeDesk:
    """Everything the fake knows; tests may change it, then `ring` the key."""

    url: str = ""
    talks: dict[str, Talk] = field(default_factory=lambda: {talk.case["key"]: talk for talk in fake_cases.talks()})
    sessions: dict[str, Coach] = field(default_factory=dict)
    csrf: dict[str, str] = field(default_factory=dict)
    streams: list[asyncio.Queue[bytes]] = field(default_factory=list)
    looking: dict[str, set[str]] = field(default_factory=dict)
    down: bool = False  # every answer of the API is 503
    done: set[str] = field(default_factory=set)  # idempotency keys
    cut: bool = False  # takes a message, but the answer never arrives
    silent: bool = False  # nobody hears of what happens
    opened: bool = True

    def ring(self, key: str, event: str = "case", **data: Any) -> None:
        """Tell every open page."""
        said = f"event: {event}\ndata: {json.dumps({'key': key, **data})}\n\n".encode()
        for stream in [] if self.silent else self.streams:
            stream.put_nowait(said)

    def hang_up(self) -> None:
        """End every event stream; the pages try again."""
        for stream in self.streams:
            stream.put_nowait(b"")

    def person_says(self, key: str, text: str, **more: Any) -> None:
        talk = self.talks[key]
        talk.say("person", text, **more)
        talk.case.update(person_at=ago(0), waiting_since=ago(0), unread=talk.case["unread"] + 1)
        self.ring(key)

    def coach_of(self, request: web.Request) -> Coach:
        coach = self.sessions.get(request.cookies.get("tekkie_desk", ""))
        if coach is None:
            raise Refusal(401, "logged_out", "Je bent uitgelogd.")
        return coach

    def talk(self, request: web.Request) -> Talk:
        try:
            return self.talks[request.match_info["key"]]
        except KeyError:
            raise Refusal(404, "not_found", "Dit gesprek bestaat niet, of is niet van jouw team.") from None

    def me(self, coach: Coach, token: str) -> Json:
        colleagues = [
            {"id": c.id, "name": c.name, "team_id": c.team, "languages": c.languages, "room": c.room, "taken": c.id}
            for c in COACHES
        ]
        return {
            "id": coach.id,
            "name": coach.name,
            "role": coach.role,
            "team": {"id": coach.team, "name": TEAMS[coach.team]},
            "csrf": self.csrf[token],
            "teams": [{"id": id, "name": name} for id, name in TEAMS.items()],
            "colleagues": colleagues,
            "outcomes": [{"code": code, "title": title} for code, title in OUTCOMES.items()],
            "hours_open": self.opened,
        }

    def queue(self, view: str, coach: Coach) -> list[Json]:
        cases = [talk.case for talk in self.talks.values()]
        if view == "closed":
            return [case for case in cases if case["state"] == "closed"]
        mine = [
            c for c in cases if c["state"] != "closed" and (view == "open" or (c["coach"] or {}).get("id") == coach.id)
        ]

        def order(case: Json) -> tuple[bool, bool, bool, str]:
            waits = case["waiting_since"] or case["created_at"]
            return (bool(case["snoozed_until"]), case["state"] == "taken", not case["urgent"], waits)

        return sorted(mine, key=order)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(desk: FakeDesk) -> web.Application:
    pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if desk.down and request.path.startswith("/desk/api"):
                raise Refusal(503, "later", "Het lukt nu even niet. Probeer het zo weer.")
            token = request.cookies.get("tekkie_desk", "")
            checked = request.method == "POST" and request.path.startswith("/desk/api")
            if checked and request.headers.get("X-CSRF-Token") != desk.csrf.get(token):
                raise Refusal(403, "csrf", "Ververs de pagina en probeer het opnieuw.")
            response = await handler(request)
        except Refusal as no:
            body = {"error": {"code": no.code, "message": no.message}}
            response = web.json_response(body, status=no.status)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY
        return response

    def page(template: str, status: int = 200, **values: Any) -> web.Response:
        html = pages.get_template(f"desk/{template}.html").render(**values)
        return web.Response(text=html, status=status, content_type="text/html")

    async def login(request: web.Request) -> web.Response:
        if request.method == "GET":
            return page("login")
        form = await request.post()
        coach = next((c for c in COACHES if c.email == form["email"]), None)
        if coach is None or form["password"] != PASSWORD:
            return page("login", 403, problem="E-mailadres of wachtwoord klopt niet.", email=form["email"])
        token = secrets.token_urlsafe()
        desk.sessions[token], desk.csrf[token] = coach, secrets.token_urlsafe()
        response = web.Response(status=303, headers={"Location": "/desk"})
        response.set_cookie("tekkie_desk", token, httponly=True, samesite="Strict", path="/desk")
        return response

    async def logout(request: web.Request) -> web.Response:
        desk.sessions.pop(request.cookies.get("tekkie_desk", ""), None)
        return web.Response(status=303, headers={"Location": "/desk/login"})

    async def welcome(request: web.Request) -> web.Response:
        if request.match_info["token"] != "good":
            return page("welcome", 404)
        if request.method == "GET":
            return page("welcome", name="Fatima", email="fatima@example.nl")
        if len(str((await request.post())["password"])) < 12:
            return page("welcome", 422, name="Fatima", problem="Dat wachtwoord is te kort.")
        return web.Response(status=303, headers={"Location": "/desk/login"})

    def inside(name: str) -> Handler:
        async def show(request: web.Request) -> web.Response:
            if request.cookies.get("tekkie_desk") not in desk.sessions:
                return web.Response(status=303, headers={"Location": "/desk/login"})
            return page(name)

        return show

    app = web.Application(middlewares=[guard])
    app.add_routes(
        [
            web.get("/desk", inside("desk")),
            web.get("/desk/overview", inside("overview")),
            web.get("/desk/login", login),
            web.post("/desk/login", login),
            web.post("/desk/logout", logout),
            web.get("/desk/welcome/{token}", welcome),
            web.post("/desk/welcome/{token}", welcome),
            web.static("/static", PAGES / "static"),
            *_api(desk),
        ]
    )
    return app


def _api(desk: FakeDesk) -> list[web.RouteDef]:
    async def me(request: web.Request) -> web.Response:
        return web.json_response(desk.me(desk.coach_of(request), request.cookies["tekkie_desk"]))

    async def queue(request: web.Request) -> web.Response:
        return web.json_response({"cases": desk.queue(request.query["view"], desk.coach_of(request))})

    async def one(request: web.Request) -> web.Response:
        coach, talk, after = desk.coach_of(request), desk.talk(request), int(request.query.get("after", 0))
        looking = desk.looking.setdefault(talk.case["key"], set())
        if coach.name not in looking:
            looking.add(coach.name)
            desk.ring(talk.case["key"], "viewers", names=sorted(looking))
        found = {"case": talk.case, "lines": talk.lines[after:], "notes": talk.notes}
        return web.json_response(found | {"viewers": sorted(looking - {coach.name})})

    async def act(request: web.Request) -> web.Response:
        coach, talk, body = desk.coach_of(request), desk.talk(request), await request.json()
        key, action = talk.case["key"], request.match_info["action"]
        if action == "seen":
            talk.case["unread"] = 0
            return web.json_response({})
        if action == "typing":
            desk.ring(key, "typing", who=coach.name)
            return web.json_response({})
        once = request.headers["Idempotency-Key"]
        if once not in desk.done:
            try:
                ACTIONS[action](talk, coach, body)
            except Conflict as no:
                raise Refusal(409, "conflict", str(no)) from None
            desk.done.add(once)
        desk.ring(key)
        if desk.cut and request.transport:
            request.transport.abort()
        return web.json_response({"position": len(talk.lines)})

    async def cards(request: web.Request) -> web.Response:
        wanted = request.query.get("q", "").lower()
        found = [{"topic": t, "title": TITLES[t], "group": "Geld"} for t in CARDS if wanted in TITLES[t].lower()]
        return web.json_response({"cards": found})

    async def card(request: web.Request) -> web.Response:
        dutch, person = CARDS[request.match_info["topic"]]
        return web.json_response({"dutch": [dutch], "person": [person]})

    async def quick(request: web.Request) -> web.Response:
        return web.json_response({"quick": QUICK})

    async def attachment(request: web.Request) -> web.Response:
        return web.Response(body=b"%PDF-1.4 only a test", headers={"Content-Disposition": "attachment"})

    async def overview(request: web.Request) -> web.Response:
        return web.json_response(fake_cases.overview(int(request.query["days"])))

    async def events(request: web.Request) -> web.StreamResponse:
        desk.coach_of(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        await response.write(b"retry: 300\n: hello\n\n")
        stream: asyncio.Queue[bytes] = asyncio.Queue()
        desk.streams.append(stream)
        try:
            while said := await stream.get():
                await response.write(said)
        finally:
            desk.streams.remove(stream)
        return response

    root = "/desk/api"
    return [
        web.get(f"{root}/me", me),
        web.get(f"{root}/queue", queue),
        web.get(f"{root}/cases/{{key}}", one),
        web.get(f"{root}/cases/{{key}}/attachments/{{position}}", attachment),
        web.post(f"{root}/cases/{{key}}/{{action}}", act),
        web.get(f"{root}/cards", cards),
        web.get(f"{root}/cards/{{topic}}", card),
        web.get(f"{root}/quick", quick),
        web.get(f"{root}/overview", overview),
        web.get(f"{root}/events", events),
    ]


@contextlib.asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[FakeDesk]:
    """The fake on a free port, unless told which."""
    desk = FakeDesk()
    runner = web.AppRunner(application(desk), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        desk.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield desk
    finally:
        desk.hang_up()
        await runner.cleanup()


async def _forever() -> None:
    async with serving(8099):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_forever())
