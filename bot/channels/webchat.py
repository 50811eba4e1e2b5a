"""The web chat channel: a JSON and server-sent-events API (docs/webchat-api.md) for pages/chat.html.

Who somebody is, is an opaque random address in a signed cookie. A reply needs no sending: the page
reads the transcript, and is told over its event stream when there is something new.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from aiohttp import web
from itsdangerous import BadSignature, URLSafeSerializer

from bot.channels.http import Refused, read_body
from bot.messages import MOST_CHARACTERS, WEBCHAT, Incoming, Kind, Line, clean

NAME = WEBCHAT
COOKIE = "tekkie_chat"
_MOST_BYTES = 65_536
_SOURCE = re.compile(r"[\w-]{1,64}", re.ASCII)
_MOST_ID = 64
_MOST_PAYLOAD = 256
_COOKIE_SECONDS = 180 * 24 * 3600


@dataclass(frozen=True)
class Visitor:
    """Signs and reads the cookie that says which conversation a browser has."""

    secret: str
    secure: bool = False

    def address(self, request: web.Request) -> str | None:
        """The conversation of this browser, None without a cookie. Raises Refused when it was tampered with."""
        cookie = request.cookies.get(COOKIE)
        if cookie is None:
            return None
        try:
            return str(self._signer().loads(cookie))
        except BadSignature as error:
            raise Refused(401, "unknown_conversation") from error

    def welcome(self, response: web.StreamResponse) -> str:
        """Give a browser a conversation of its own."""
        address = secrets.token_urlsafe(18)
        response.set_cookie(
            COOKIE,
            str(self._signer().dumps(address)),
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=self.secure,
        )
        return address

    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=NAME)


def from_our_page(request: web.Request) -> None:
    """Raises Refused with 403 for a request that another website made a browser send."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise Refused(403, "wrong_origin")


async def parse(request: web.Request, address: str) -> Incoming:
    """The message in a POST. Raises Refused with 400, 403, 413, 415 or 422."""
    from_our_page(request)
    if request.content_type != "application/json":
        raise Refused(415, "wrong_type")
    body = _json(await read_body(request, _MOST_BYTES))
    key, text, payload = body.get("id"), body.get("text"), body.get("payload")
    if not isinstance(key, str) or not key.isascii() or not 0 < len(key) <= _MOST_ID or not isinstance(text, str):
        raise Refused(422, "wrong_shape")
    if payload is not None and (not isinstance(payload, str) or not 0 < len(payload) <= _MOST_PAYLOAD):
        raise Refused(422, "wrong_shape")
    if len(text) > MOST_CHARACTERS:
        raise Refused(422, "too_long")
    words = clean(text)
    if not words:
        raise Refused(422, "empty")
    return Incoming(
        channel=NAME,
        external_id=f"{address}:{clean(key)}",
        address=address,
        kind=Kind.TEXT if payload is None else Kind.CHOICE,
        text=words,
        payload=clean(payload) if isinstance(payload, str) else None,
        language_hint=language_of(request),
        source=_source(request),
    )


def language_of(request: web.Request) -> str | None:
    """What the browser asks for first: Accept-Language, or ?language= of the page."""
    wanted = request.query.get("language") or request.headers.get("Accept-Language") or ""
    return wanted.split(",")[0].split(";")[0].strip().lower()[:8] or None


def _source(request: web.Request) -> str | None:
    """The poster or link that brought somebody to the page: ?source=, letters, digits, - and _."""
    found = request.query.get("source", "")
    return found if _SOURCE.fullmatch(found) else None


def client_id(external_id: str) -> str:
    """The id the page gave to its own message."""
    return external_id.partition(":")[2]


TYPING = b"event: typing\ndata: {}\n\n"  # a coach writes


def typing_bell(address: str) -> str:
    """What rings when a coach writes to this person; with NOTIFY typing, 'address'."""
    return f"typing:{address}"


def as_event(line: Line) -> bytes:
    """One line of the transcript as a server-sent event; its id is the position."""
    return f"id: {line.position}\nevent: line\ndata: {json.dumps(as_json(line), ensure_ascii=False)}\n\n".encode()


def as_json(line: Line) -> dict[str, object]:
    shown: dict[str, object] = asdict(line)
    external_id = shown.pop("external_id")
    return {**shown, "id": client_id(external_id) if isinstance(external_id, str) else None}


def last_seen(request: web.Request) -> int:
    """The position after which the page wants to hear: Last-Event-ID or ?after=. Raises Refused."""
    value: str = request.headers.get("Last-Event-ID") or request.query.get("after") or "0"
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Refused(400, "wrong_shape")
    return int(value)


def _json(body: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not_json") from error
    if not isinstance(parsed, dict):
        raise Refused(422, "wrong_shape")
    return parsed
