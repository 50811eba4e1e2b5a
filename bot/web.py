"""The HTTP side of the bot: health, the chat page, and the web chat API on top of inbox and transcript."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import inbox, transcript
from bot.channels import webchat
from bot.channels.http import Refused
from bot.channels.webchat import Visitor
from bot.coach.typing import person_types
from bot.database import AT_WORK, TROUBLE, Bell, wait
from bot.messages import LANGUAGES
from bot.phrases import refuse
from bot.understanding import Understanding

logger = logging.getLogger(__name__)

_SOMEBODY_AT_WORK = sql(f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '{AT_WORK}')")
_PAGES = Path(__file__).parent / "pages"
_HEARTBEAT_SECONDS = 15.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Web:
    """What the handlers need, opened and closed by commands/serve.py."""

    database: AsyncEngine
    bell: Bell
    understanding: Understanding
    acceptor: inbox.Acceptor
    visitor: Visitor
    routes: Sequence[web.RouteDef] = ()  # of the phone channels and the coaches' desk

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=0)
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/", self.page),
                web.get("/chat", self.page),
                web.post("/api/webchat/messages", self.write),
                web.post("/api/webchat/typing", self.typing),
                web.get("/api/webchat/events", self.events),
                web.get("/api/webchat/history", self.history),
                web.static("/static", _PAGES / "static"),
                *self.routes,
            ]
        )
        return app

    async def health(self, request: web.Request) -> web.Response:
        """200 when database and Rasa side both answer and some process is at work, else 503 and which is missing."""
        parts = {**await self._by_the_database(), "understanding": await self.understanding.ready()}
        return web.json_response({"ready": all(parts.values()), **parts}, status=200 if all(parts.values()) else 503)

    async def page(self, request: web.Request) -> web.Response:
        response = web.Response(body=(_PAGES / "chat.html").read_bytes(), content_type="text/html", charset="utf-8")
        response.headers["Cache-Control"] = "no-store"
        try:
            known = self.visitor.address(request)
        except Refused:
            known = None
        if known is None:
            self.visitor.welcome(response)
        return response

    async def write(self, request: web.Request) -> web.Response:
        """202 once the message is on disk; the same id again is the same message."""
        address = self.visitor.address(request)
        response = web.json_response(status=202)
        if address is None:
            address = self.visitor.welcome(response)
        incoming = await webchat.parse(request, address)
        fresh = await self.acceptor.accept(incoming)
        response.text = json.dumps({"id": webchat.client_id(incoming.external_id), "repeated": not fresh})
        return response

    async def typing(self, request: web.Request) -> web.Response:
        """204: the coach of this conversation, if it has one, sees that the person writes."""
        webchat.from_our_page(request)
        if (address := self.visitor.address(request)) and (talk := await self._talk(address)):
            await person_types(self.database, talk[0])
        return web.Response(status=204)

    async def history(self, request: web.Request) -> web.Response:
        """{lines: [...], open: [...]}: what was said after ?after=, and own messages still waiting."""
        seen, address = webchat.last_seen(request), self.visitor.address(request)
        talk = await self._talk(address) if address else None
        if talk is None:
            return web.json_response({"lines": [], "open": []})
        conversation, waiting = talk  # read first, so that nothing falls between
        lines = await transcript.lines(self.database, conversation, seen)
        return web.json_response({"lines": [webchat.as_json(line) for line in lines], "open": waiting})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A stream of `line` and `typing` events from Last-Event-ID on; 204 while there is no conversation yet."""
        seen, address = webchat.last_seen(request), self.visitor.address(request)
        talk = await self._talk(address) if address else None
        if talk is None or address is None:
            return web.Response(status=204)
        conversation, waiting = talk
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        coach = webchat.typing_bell(address)
        with (
            self.bell.waiting_for(f"transcript:{conversation}") as rung,
            self.bell.waiting_for(coach) as typed,
            self.bell.waiting_for(coach, rung),
        ):
            await response.prepare(request)
            await response.write(f"retry: 1000\nevent: waiting\ndata: {json.dumps(waiting)}\n\n".encode())
            await self._stream(response, conversation, seen, rung, typed)
        return response

    async def _stream(
        self, response: web.StreamResponse, conversation: int, seen: int, rung: asyncio.Event, typed: asyncio.Event
    ) -> None:
        while True:
            try:
                lines = await transcript.lines(self.database, conversation, seen)
                told = b"".join(map(webchat.as_event, lines))
                if typed.is_set() and not lines:
                    told = webchat.TYPING
                typed.clear()
                await response.write(told or b": still here\n\n")
                if lines:
                    seen = lines[-1].position
                if len(lines) < transcript.MOST_LINES:
                    await wait(rung, _HEARTBEAT_SECONDS)
            except TROUBLE:
                return  # the page comes back by itself and asks for what it missed

    async def _talk(self, address: str) -> tuple[int, list[dict[str, str]]] | None:
        """The conversation's id and own messages still waiting; None when nothing was written yet."""
        talk = await transcript.open_talk(self.database, webchat.NAME, address)
        if talk is None:
            return None
        conversation, waiting = talk
        return conversation, [{"id": webchat.client_id(key), "text": text} for key, text in waiting]

    async def _by_the_database(self) -> dict[str, bool]:
        try:
            async with asyncio.timeout(2), self.database.connect() as link:
                return {"database": True, "worker": bool((await link.execute(_SOMEBODY_AT_WORK)).scalar())}
        except TROUBLE:
            return {"database": False, "worker": False}

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every failure becomes a clear answer, every answer gets the security headers."""
        try:
            response = await handler(request)
        except Refused as problem:
            response = _refusal(request, problem.status, problem.code)
            if problem.code == "unknown_conversation":
                response.del_cookie(webchat.COOKIE)
        except web.HTTPException as problem:
            if problem.status < 400:
                raise
            codes = {404: "not_found", 405: "not_allowed", 413: "too_big"}
            response = _refusal(request, problem.status, codes.get(problem.status, "wrong_shape"))
        except TROUBLE as problem:
            logger.warning("%s %s: %s", request.method, request.path, type(problem).__name__)
            response = _refusal(request, 503, "later")
            response.headers["Retry-After"] = "2"
        except Exception as problem:
            logger.error("%s %s: %s", request.method, request.path, type(problem).__name__)
            response = _refusal(request, 500, "broken")
        if not response.prepared:
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)  # the desk has its own
            response.headers.setdefault("Cache-Control", "no-cache")  # asked again after an upgrade, not mixed
        return response


def _refusal(request: web.Request, status: int, code: str) -> web.Response:
    language = (webchat.language_of(request) or "").split("-")[0]
    message = refuse(code, language if language in LANGUAGES else "nl")
    body = json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False)
    response = web.Response(text=body, status=status, content_type="application/json")
    if status in (400, 408, 413):
        response.force_close()  # do not read the rest
    return response
