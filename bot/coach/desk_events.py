"""The event stream of the desk: tells a page that a case changed, who looks at it too, and who is typing."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.coach import sessions
from bot.coach.door import HEADERS, Door, Problem, token_of
from bot.coach.live import Live, Stream
from bot.coach.people import Role
from bot.coach.sessions import Session
from bot.database import TROUBLE, wait

_HEARTBEAT_SECONDS = 15.0
_SESSION_SECONDS = 5.0  # how soon a stream ends after its session
_LOOK_SECONDS = 2.0  # how soon we see that a page was closed
_MOST_SCREENS = 12


@dataclass(frozen=True)
class Events:
    """`GET /desk/api/events`."""

    door: Door
    live: Live

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/desk/api/events", self.door.reading(self.events), allow_head=False)]

    async def events(self, request: web.Request, session: Session) -> web.StreamResponse:
        """`case` {key, case}, `typing` {key, who}, `viewers` {key, names}; a comment every 15 s.

        `case` is as in the queue, or null for a case that this coach may not see any more.
        The page fetches everything anew when the stream opens: what happened while it was away is not told.
        """
        if session.coach.role is Role.EDITOR:
            raise Problem(403, "no_cases")
        if self.live.screens(session.coach) >= _MOST_SCREENS:
            raise Problem(409, "too_many_screens")
        response = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        with self.live.stream(session.coach) as stream:
            await response.prepare(request)
            try:
                await response.write(b"retry: 1000\n\n")
                await self._tell(request, response, stream)
            except TROUBLE:
                pass  # the page is gone, or comes back by itself
        await self.live.leaves(session.coach)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse, stream: Stream) -> None:
        """Until the page is closed, the session is over, or news no longer reaches us."""
        said = known = time.monotonic()
        while not stream.over:
            await wait(stream.rung, _LOOK_SECONDS)
            if request.transport is None or request.transport.is_closing():
                return
            if time.monotonic() - known >= _SESSION_SECONDS:
                known = time.monotonic()
                session = await sessions.find(self.door.database, token_of(request), active=False)
                if session is None:
                    return
                stream.coach = session.coach
            if news := stream.take():
                await response.write(b"".join(_event(kind, data) for kind, data in news))
            if time.monotonic() - said >= _HEARTBEAT_SECONDS:
                said = time.monotonic()
                await response.write(b": still here\n\n")


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
