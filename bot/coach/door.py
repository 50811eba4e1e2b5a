"""Who may come in at the desk: sessions, forged requests, the shape of what was sent, and how a refusal reads.

Every handler of the desk is behind one of the doors of Door. A refusal is a Problem: JSON in Dutch for the API, and for
a page the way to the login page or a plain sentence.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels.http import Refused, read_body
from bot.coach import sessions
from bot.coach.sessions import COOKIE, Session
from bot.coach.wording import PROBLEMS
from bot.database import TROUBLE
from bot.messages import clean

logger = logging.getLogger(__name__)

# Like those of bot/web.py, but forms may be sent here and pictures and sounds of people are shown. With "no-referrer" a
# browser would hide where a form comes from, and we could not tell it from a forged one.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_MOST_BYTES = 65_536
_MOST_FORM_BYTES = 8_192
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OWN_PAGES = ("same-origin", "none")  # of Sec-Fetch-Site: our own page, or typed by hand
LOGIN = "/desk/login"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Known = Callable[[web.Request, Session], Awaitable[web.StreamResponse]]
Json = dict[str, Any]


class Problem(Exception):
    """A request that is not done: status, a code for the page, and a sentence in Dutch for the coach."""

    def __init__(self, status: int, code: str, **values: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = PROBLEMS[code].format(**values)


@dataclass(frozen=True)
class Door:
    """`secure`: the cookie goes over https only."""

    database: AsyncEngine
    secure: bool = False

    def open(self, handler: Handler) -> Handler:
        """A page for whoever is not logged in yet; a POST must come from our own page."""

        async def enter(request: web.Request) -> web.StreamResponse:
            if request.method == "POST":
                same_site(request)
            return await handler(request)

        return _answering(enter, _sentence)

    def page(self, handler: Known) -> Handler:
        """A page for coaches; others are shown the way to log in. A POST is a form with the csrf token in it."""

        async def enter(request: web.Request) -> web.StreamResponse:
            session = await self._session(request, active=True)
            if session is None:
                return go_to(LOGIN)
            return await handler(request, session)

        return _answering(enter, _sentence)

    def reading(self, handler: Known) -> Handler:
        """The API, only looking. What a page fetches by itself does not keep a session alive."""

        async def enter(request: web.Request) -> web.StreamResponse:
            return await handler(request, await self.known(request, active=False))

        return _answering(enter, _as_json)

    def acting(self, handler: Known) -> Handler:
        """The API, changing something: from our own page, with the token that belongs to the session."""

        async def enter(request: web.Request) -> web.StreamResponse:
            same_site(request)
            session = await self.known(request, active=True)
            if not sessions.same(request.headers.get("X-CSRF-Token", ""), session.csrf):
                raise Problem(403, "wrong_token")
            return await handler(request, session)

        return _answering(enter, _as_json)

    async def known(self, request: web.Request, active: bool) -> Session:
        """Raises Problem with 401."""
        session = await self._session(request, active)
        if session is None:
            raise Problem(401, "logged_out")
        return session

    async def let_in(self, request: web.Request, coach_id: int) -> web.Response:
        """To the desk, with a new session in a cookie."""
        token = await sessions.start(self.database, coach_id, token_of(request))
        response = go_to("/desk")
        response.set_cookie(
            COOKIE,
            token,
            max_age=sessions.DAYS * 24 * 3600,
            path="/desk",
            httponly=True,
            samesite="Strict",
            secure=self.secure,
        )
        return response

    async def _session(self, request: web.Request, active: bool) -> Session | None:
        return await sessions.find(self.database, token_of(request), active)


def token_of(request: web.Request) -> str | None:
    """The session's token. Of two different ones none: one was set by somebody else, and we cannot tell which."""
    pairs = (pair.strip().partition("=") for pair in request.headers.get("Cookie", "").split(";"))
    found = {value for name, _, value in pairs if name == COOKIE}
    return found.pop() if len(found) == 1 else None


def same_site(request: web.Request) -> None:
    """Raises Problem with 403 for a request that another website made a browser send."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if (origin and urlsplit(origin).netloc != request.host) or (site and site not in _OWN_PAGES):
        raise Problem(403, "other_site")


def go_to(path: str) -> web.Response:
    """Look there next."""
    return web.Response(status=303, headers={"Location": path})


def key_of(request: web.Request) -> str:
    """The key of the case in the address. Raises Problem with 404."""
    return as_key(request.match_info["key"])


def as_key(key: str) -> str:
    """Raises Problem with 404 for what can be no key."""
    if not _KEY.fullmatch(key):
        raise Problem(404, "not_found")
    return key


async def body_of(request: web.Request) -> Json:
    """The JSON object that was posted, {} when nothing was. Raises Problem."""
    if request.content_type not in ("application/json", "application/octet-stream"):  # the latter: none was named
        raise Problem(422, "wrong_shape")
    raw = await read_body(request, _MOST_BYTES)
    try:
        found = json.loads(raw.decode("utf-8")) if raw else {}
    except (ValueError, RecursionError) as error:
        raise Problem(400, "wrong_shape") from error
    if not isinstance(found, dict):
        raise Problem(422, "wrong_shape")
    return found


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a posted form; the last one of a name counts. Raises Problem."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Problem(422, "wrong_shape")
    raw = await read_body(request, _MOST_FORM_BYTES)
    try:
        return dict(
            parse_qsl(raw.decode("ascii", "replace"), keep_blank_values=True, errors="replace", max_num_fields=10)
        )
    except ValueError as error:
        raise Problem(422, "wrong_shape") from error


def text_in(body: Mapping[str, object], name: str, most: int) -> str:
    """What was written, cleaned. Raises Problem with 422: no text, empty, or more than `most` characters."""
    value = body.get(name)
    if not isinstance(value, str):
        raise Problem(422, "wrong_shape")
    words = clean(value)
    if not words:
        raise Problem(422, "empty")
    if len(words) > most:
        raise Problem(422, "too_long")
    return words


def number_in(body: Mapping[str, object], name: str) -> int:
    """A whole number that fits the database, from 0 on. Raises Problem with 422."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise Problem(422, "wrong_shape")
    return value


def asked_number(request: web.Request, name: str, default: int, most: int) -> int:
    """?name=7 of the address. Raises Problem with 422."""
    value: str = request.query.get(name, str(default))
    if not value.isascii() or not value.isdigit() or len(value) > 9 or int(value) > most:
        raise Problem(422, "wrong_shape")
    return int(value)


def _answering(enter: Handler, refusal: Callable[[Problem], web.Response]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response = await enter(request)
        except web.HTTPException:
            raise
        except Problem as problem:
            response = refusal(problem)
        except Refused as problem:
            response = refusal(Problem(problem.status, problem.code))
            response.force_close()  # what is still coming is not read
        except TROUBLE as problem:
            logger.warning("%s %s: %s", request.method, _route(request), type(problem).__name__)
            response = refusal(Problem(503, "later"))
        except Exception as problem:
            # The address itself is not logged: an invitation stands in it.
            logger.error("%s %s: %s", request.method, _route(request), type(problem).__name__)
            response = refusal(Problem(500, "broken"))
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return handle


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _as_json(problem: Problem) -> web.Response:
    return web.json_response({"error": {"code": problem.code, "message": problem.message}}, status=problem.status)


def _sentence(problem: Problem) -> web.Response:
    return web.Response(text=problem.message, status=problem.status, content_type="text/plain", charset="utf-8")
