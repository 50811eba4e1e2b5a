"""A small WhatsApp Cloud API that speaks real HTTP: takes messages under Meta's rules, and calls our webhook.

whatsapp_rules.py says what is allowed, whatsapp_calls.py writes the calls. Every outgoing message is checked against
Meta's schema; what it would not take is refused as Meta does and kept in `violations`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.settings import WhatsApp as Account
from tests.channels.meta_schema import problems
from tests.fakes import whatsapp_calls as calls
from tests.fakes.whatsapp_rules import Person, Rules, error

TOKEN, SECRET, VERIFY = "EAAfakefakefakefakefake", "fake app secret", "fake verify token"
NUMBER = {
    "id": calls.NUMBER_ID,
    "display_phone_number": "+31 20 123 4567",
    "verified_name": "Tekkie",
    "quality_rating": "GREEN",
}
_MOST_TRIES = 600
_PAUSE = 0.05  # Meta waits longer before it comes again
Json = dict[str, Any]


@dataclass
class Fault:
    """The next `times` messages (to `to`, if given) go wrong: an error code, an HTTP status without one, a connection
    that is cut, before (`lost`) or after (`cut`) the message was taken, or an answer that waits for `until`."""

    code: int | None = None
    status: int | None = None
    lost: bool = False
    cut: bool = False
    until: asyncio.Event | None = None
    to: str | None = None
    times: int = 1


@dataclass(frozen=True)
class Call:
    """One request that came in, how it ended, when, and the id of the message if it was taken."""

    payload: Json
    outcome: str  # taken, read, or the error code or status
    at: float
    key: str | None = None

    @property
    def to(self) -> str:
        return str(self.payload.get("to") or self.payload.get("recipient") or "")


@dataclass
class FakeWhatsApp:
    """One business number; open it with `async with`. `webhook` is where Meta calls us."""

    templates: Mapping[str, str] = field(default_factory=dict)
    token: str = TOKEN
    webhook: str = ""
    url: str = ""
    rules: Rules = field(default_factory=Rules)
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    refused: int = 0  # requests with a wrong token
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # media id -> (mime type, bytes)
    before_answer: Callable[[Json, str], Awaitable[None]] | None = None  # a message was taken, under this id
    check: Callable[[Json], list[str]] = problems  # what Meta would say of a payload

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{version}/{number}/messages", self._messages)
        app.router.add_get("/lookaside/{key}", self._file)
        app.router.add_get("/{version}/{number}", self._number)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._moved = asyncio.Condition()
        self._known: set[str] = set()
        self._dice = random.Random(20261122)
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    @property
    def account(self) -> Account:
        """Settings that make the bot use this fake."""
        return Account(TOKEN, calls.NUMBER_ID, SECRET, VERIFY, "v23.0", self.url, self.templates)

    def taken(self, person: Person | None = None) -> list[Json]:
        """The messages that were taken, in order."""
        whose = {person.phone, person.user_id} if person else None
        return [call.payload for call in self.calls if call.outcome == "taken" and (whose is None or call.to in whose)]

    def outcomes(self) -> list[str]:
        """How every request but read marks ended, in order."""
        return [call.outcome for call in self.calls if call.outcome != "read"]

    def know(self, *keys: str) -> None:
        """Message ids that people sent, and we may quote or mark as read."""
        self._known.update(keys)

    async def until(self, what: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something to be true; looked at whenever a request came in."""
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(what)

    async def next_request(self, seconds: float) -> None:
        """Until something comes in, but not for longer than `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait()

    async def deliver(self, body: Json, *, in_other_bytes: bool = False) -> list[int]:
        """Call our webhook until it answers 200, each time in other bytes; the statuses on the way."""
        self._hear(body)
        statuses: list[int] = []
        for number in range(_MOST_TRIES):
            data = calls.raw(body, self._dice if number or in_other_bytes else None)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                statuses.append(await self.post(data, {"X-Hub-Signature-256": calls.signature(data, SECRET)}))
                if statuses[-1] == 200:
                    return statuses
            await asyncio.sleep(_PAUSE)
        raise AssertionError(f"our webhook never took it: {statuses}")

    async def post(self, data: bytes, headers: Mapping[str, str]) -> int:
        """One call of our webhook as it is; the status."""
        async with self._session.post(
            self.webhook, data=data, headers={"Content-Type": "application/json", **headers}
        ) as answer:
            await answer.read()
            return answer.status

    def _hear(self, body: Json) -> None:
        for change in (change["value"] for entry in body["entry"] for change in entry["changes"]):
            people = {person.get("wa_id"): person.get("user_id") for person in change.get("contacts", [])}
            for message in change.get("messages", []):
                self.know(message["id"])
                if message["type"] != "system":
                    phone = message.get("from")
                    self.rules.heard(phone, message.get("from_user_id"), people.get(phone))

    async def _number(self, request: web.Request) -> web.StreamResponse:
        file = self.files.get(request.match_info["number"])
        if file and request.headers.get("Authorization") == f"Bearer {self.token}":
            return web.json_response(
                {
                    "messaging_product": "whatsapp",
                    "url": f"{self.url}/lookaside/{request.match_info['number']}",
                    "mime_type": file[0],
                    "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
                    "file_size": len(file[1]),
                    "id": request.match_info["number"],
                }
            )
        refused = self._refused_account(request)
        wanted = request.query.get("fields", "id").split(",")
        return refused or web.json_response({key: NUMBER[key] for key in ("id", *wanted) if key in NUMBER})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, only with the token: that is how Meta keeps them."""
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        mime, content = self.files[request.match_info["key"]]
        return web.Response(body=content, content_type=mime.partition(";")[0])

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        payload: Json = await request.json()
        answer: web.StreamResponse | None = self._refused_account(request) or self._refused_payload(payload)
        if answer is None:
            answer = self._read(payload) if "status" in payload else await self._message(request, payload)
        async with self._moved:
            self._moved.notify_all()
        return answer

    def _refused_account(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.refused += 1
            return self._error({}, 190)
        if request.match_info["number"] != calls.NUMBER_ID or not request.match_info["version"].startswith("v"):
            status, body = error(100)
            body["error"]["error_subcode"] = 33
            return web.json_response(body, status=status)
        return None

    def _refused_payload(self, payload: Json) -> web.Response | None:
        wrong = self.check(payload)
        for key in (payload.get("message_id"), payload.get("context", {}).get("message_id")):
            if key is not None and key not in self._known:
                wrong.append("a message id nobody sent")
        self.violations += wrong
        return self._error(payload, 100) if wrong else None

    def _read(self, payload: Json) -> web.Response:
        self._note(payload, "read")
        return web.json_response({"success": True})

    async def _message(self, request: web.Request, payload: Json) -> web.StreamResponse:
        to = str(payload.get("to") or payload.get("recipient"))
        fault = next((fault for fault in self.faults if fault.times and fault.to in (None, to)), Fault())
        fault.times -= 1
        if fault.lost:
            return self._hang_up(request, payload, "lost")
        if fault.status:
            self._note(payload, str(fault.status))
            return web.Response(text="<html>Sorry, something went wrong.</html>", status=fault.status)
        if fault.until:
            await fault.until.wait()
        code = fault.code or self.rules.refusal(payload)
        if code:
            return self._error(payload, code)
        key = calls.wamid()
        self._note(payload, "taken", key)
        if self.before_answer:
            await self.before_answer(payload, key)
        if fault.cut:
            return self._hang_up(request, payload, "cut")
        whose = {"wa_id": to} if "to" in payload else {"user_id": to}
        sent = {"contacts": [{"input": to, **whose}], "messages": [{"id": key}]}
        return web.json_response({"messaging_product": "whatsapp", **sent})

    def _note(self, payload: Json, outcome: str, key: str | None = None) -> None:
        self.calls.append(Call(payload, outcome, self.rules.clock.now(), key))

    def _hang_up(self, request: web.Request, payload: Json, outcome: str) -> web.Response:
        if outcome == "lost":
            self._note(payload, outcome)
        if request.transport:
            request.transport.close()
        return web.Response()

    def _error(self, payload: Json, code: int) -> web.Response:
        status, body = error(code)
        if payload:
            self._note(payload, str(code))
        return web.json_response(body, status=status)


def key_of(fake: FakeWhatsApp, payload: Json) -> str:
    """The id Meta gave to a message that was taken."""
    return next(call.key for call in fake.calls if call.payload is payload and call.key)


def choices(payload: Json) -> Sequence[tuple[str, str]]:
    """(title, id) of the buttons or rows under a message."""
    action = payload.get("interactive", {}).get("action", {})
    rows = [row for section in action.get("sections", []) for row in section["rows"]]
    return [(row["title"], row["id"]) for row in rows or [button["reply"] for button in action.get("buttons", [])]]


def said(payload: Json) -> str:
    """The words of a message."""
    if payload["type"] == "interactive":
        return str(payload["interactive"]["body"]["text"])
    return str(payload.get("text", {}).get("body", ""))
