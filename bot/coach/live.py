"""What happens, as it happens, for every desk that is open in this process.

One listening connection per process. PostgreSQL tells it about changed cases and new lines, and the processes tell each
other who looks at a case and who is typing (NOTIFY desk_presence; there is no table). A case that changed is read once
for all desks of the process, and each stream hears only of cases that its coach may see.

What it cannot do: a coach looks at one case at a time, the last one opened or read in any of their windows; whoever's
machine dies without a word is seen for up to a minute longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach.people import Coach, Role
from bot.coach.reading_changes import Changed, Changes
from bot.database import TROUBLE, single, wait

logger = logging.getLogger(__name__)

PRESENCE = "desk_presence"
_SEEN_SECONDS, _AGAIN_SECONDS = 60.0, 20.0  # how long a coach is taken to look at a case, how often that is renewed
_RECEIPT_SECONDS = 1.0
_LAST_LINES = 20  # whose delivery is watched

# The open cases, to know at once whose they were before a change.
_OPEN = text("SELECT key, team_id, coach_id FROM referral WHERE state <> 'closed'")
# A line belongs to the open case of its conversation, or else to the last one that was closed.
_OWNERS = text(
    """
    SELECT key, team_id, coach_id, state FROM referral WHERE key = ANY(:keys)
    UNION
    SELECT key, team_id, coach_id, state FROM (
        SELECT DISTINCT ON (conversation_id) key, team_id, coach_id, state FROM referral
        WHERE conversation_id = ANY(:talks) ORDER BY conversation_id, state = 'closed', id DESC) AS latest
    """
).bindparams(bindparam("keys", type_=ARRAY(Text)), bindparam("talks", type_=ARRAY(BigInteger)))
_DELIVERED = text(
    f"""
    SELECT r.key, max(greatest(o.closed_at, told.at)) AS at
    FROM referral r JOIN conversation c ON c.id = r.conversation_id
    JOIN transcript l ON l.conversation_id = c.id AND l.position > c.last_position - {_LAST_LINES}
    JOIN outbox o ON o.transcript_id = l.id
    LEFT JOIN LATERAL (SELECT max(x.at) AS at FROM receipt x
        WHERE x.channel = o.channel AND x.platform_id = o.platform_id) AS told ON true
    WHERE r.key = ANY(:keys) GROUP BY r.key
    """
).bindparams(bindparam("keys", type_=ARRAY(Text)))
_TELL = text(f"SELECT pg_notify('{PRESENCE}', :message)")


@dataclass(frozen=True)
class Owner:
    """Whose case it is: decides who may hear of it."""

    team_id: int
    coach_id: int | None

    def may_hear(self, coach: Coach) -> bool:
        return coach.role is Role.ADMIN or coach.team_id == self.team_id or coach.id == self.coach_id


@dataclass(frozen=True)
class Present:
    """Who looks at which case; `heard` is on this process's own clock."""

    name: str
    key: str
    heard: float


class Stream:
    """One open desk: what it must still be told, each thing once however often it happened."""

    def __init__(self, coach: Coach) -> None:
        self.coach = coach
        self.rung = asyncio.Event()
        self.over = False  # to be closed: the page comes back by itself and asks for what it missed
        self._pending: dict[tuple[str, str, str], dict[str, Any]] = {}

    def put(self, kind: str, key: str, more: Mapping[str, Any]) -> None:
        """The newest word on one thing counts; two colleagues who type are two things."""
        self._pending[kind, key, str(more.get("who", ""))] = {"key": key, **more}
        self.rung.set()

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """(event, data) in the order in which they happened first."""
        taken = [(kind, data) for (kind, _, _), data in self._pending.items()]
        self._pending.clear()
        return taken


class Live:
    """Opened once per process; `run` until cancelled. Without `changes` a page is only told which case to fetch."""

    def __init__(self, url: str, database: AsyncEngine, changes: Changes | None = None) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._database = database
        self._changes = changes
        self._streams: set[Stream] = set()
        self._owners: dict[str, Owner] = {}
        self._present: dict[int, Present] = {}
        self._delivered: dict[str, Any] = {}
        self._news = asyncio.Event()
        self._keys: set[str] = set()
        self._talks: set[int] = set()
        self._looked: set[str] = set()  # cases whose viewers changed
        self._typed: dict[tuple[str, int], str] = {}

    async def run(self) -> None:
        """Stay connected until cancelled; whatever was missed in between, the pages fetch when they come back."""
        while True:
            try:
                await self._listen()
            except TROUBLE as error:
                logger.warning("the desk's listening connection is lost: %s", type(error).__name__)
            for stream in self._streams:
                stream.over = True
                stream.rung.set()
            await asyncio.sleep(0.25)

    @contextlib.contextmanager
    def stream(self, coach: Coach) -> Iterator[Stream]:
        """What this coach must be told from now on."""
        stream = Stream(coach)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def screens(self, coach: Coach) -> int:
        """How many streams of this coach are open in this process."""
        return sum(stream.coach.id == coach.id for stream in self._streams)

    def viewers(self, key: str, without: int) -> list[str]:
        """The names of the other coaches who look at this case now."""
        return sorted(p.name for coach, p in self._present.items() if p.key == key and coach != without)

    async def looks(self, coach: Coach, key: str) -> bool:
        """This coach looks at this case. True when that is news, so that it was opened just now."""
        before = self._present.get(coach.id)
        news = before is None or before.key != key
        if before is None or news or time.monotonic() - before.heard > _AGAIN_SECONDS:
            self._place(coach.id, coach.name, key)
            await self._tell(coach, key=key)
        return news

    async def leaves(self, coach: Coach) -> None:
        """The last window of this coach was closed."""
        if coach.id in self._present and not self.screens(coach):
            self._place(coach.id, coach.name, None)
            await self._tell(coach, key=None)

    async def types(self, coach: Coach, key: str) -> None:
        """This coach is writing."""
        await self._tell(coach, key=key, typing=True)

    async def _tell(self, coach: Coach, **what: Any) -> None:
        message = json.dumps({"coach": coach.id, "name": coach.name, **what})
        async with single(self._database).connect() as link:
            await link.execute(_TELL, {"message": message})

    async def _listen(self) -> None:
        link = await asyncpg.connect(self._url, timeout=5)
        lost = asyncio.Event()
        link.add_termination_listener(lambda _: lost.set())
        try:
            for bell, hear in self._ears().items():
                await link.add_listener(bell, hear)
            async with single(self._database).connect() as reader:
                self._owners = {r.key: Owner(r.team_id, r.coach_id) for r in await reader.execute(_OPEN)}
            await self._pass_on_news(lost)
        finally:
            with contextlib.suppress(Exception):
                await link.close(timeout=1)

    def _ears(self) -> dict[str, Callable[[object, int, str, str], None]]:
        def on_desk(_link: object, _pid: int, _bell: str, payload: str) -> None:
            self._keys.add(payload)
            self._news.set()

        def on_transcript(_link: object, _pid: int, _bell: str, payload: str) -> None:
            if self._streams:
                self._talks.add(int(payload))
                self._news.set()

        def on_presence(_link: object, _pid: int, _bell: str, payload: str) -> None:
            told = json.loads(payload)
            if told.get("typing"):
                self._typed[told["key"], told["coach"]] = told["name"]
                self._news.set()
            else:
                self._place(told["coach"], told["name"], told["key"])

        return {"desk": on_desk, "transcript": on_transcript, PRESENCE: on_presence}

    async def _pass_on_news(self, lost: asyncio.Event) -> None:
        checked = time.monotonic()
        while not lost.is_set():
            await wait(self._news, _RECEIPT_SECONDS)
            await self._spread()
            if time.monotonic() - checked >= _RECEIPT_SECONDS:
                checked = time.monotonic()
                self._forget_the_absent()
                await self._watch_deliveries()

    async def _spread(self) -> None:
        """One look at the database for all that came in meanwhile, then every stream is told its part."""
        keys, self._keys = self._keys, set()
        talks, self._talks = self._talks, set()
        looked, self._looked = self._looked, set()
        typed, self._typed = self._typed, {}
        if not (keys or talks or looked or typed):
            return
        asked = keys | looked | {key for key, _ in typed}
        async with single(self._database).connect() as link:
            rows = (await link.execute(_OWNERS, {"keys": list(asked), "talks": list(talks)})).all()
        news = {row.key for row in rows if row.key in keys or row.key not in asked}
        changed = await self._read(news)
        for row in rows:
            now = Owner(row.team_id, row.coach_id)
            before = self._owners.get(row.key, now)
            self._remember(row.key, now, row.state)
            hearing = [stream for stream in self._streams if now.may_hear(stream.coach)]
            if row.key in news:
                for stream in hearing:
                    more = {"case": changed[row.key].seen_by(stream.coach.id)} if row.key in changed else {}
                    stream.put("case", row.key, more)
                for stream in self._streams.difference(hearing):
                    if before.may_hear(stream.coach):
                        stream.put("case", row.key, {"case": None})  # somebody else's from now on
            if row.key in looked:
                for stream in hearing:
                    stream.put("viewers", row.key, {"names": self.viewers(row.key, stream.coach.id)})
            for (key, coach), name in typed.items():
                if key == row.key:
                    self._say_typing((stream for stream in hearing if stream.coach.id != coach), key, name)

    async def _read(self, keys: set[str]) -> Mapping[str, Changed]:
        if not (keys and self._streams and self._changes):
            return {}
        return await self._changes.read(keys, {stream.coach.id for stream in self._streams})

    def _say_typing(self, streams: Iterable[Stream], key: str, name: str) -> None:
        for stream in streams:
            stream.put("typing", key, {"who": name})

    def _remember(self, key: str, owner: Owner, state: str) -> None:
        if state == "closed":
            self._owners.pop(key, None)
        else:
            self._owners[key] = owner

    def _place(self, coach_id: int, name: str, key: str | None) -> None:
        """Put a coach in front of a case, or nowhere; whoever looks at either is told."""
        before = self._present.pop(coach_id, None)
        if key is not None:
            self._present[coach_id] = Present(name, key, time.monotonic())
        if (before.key if before else None) != key:
            self._looked |= {shown for shown in (before.key if before else None, key) if shown}
            self._news.set()

    def _forget_the_absent(self) -> None:
        late = time.monotonic() - _SEEN_SECONDS
        for coach_id, present in list(self._present.items()):
            if present.heard < late:
                self._place(coach_id, present.name, None)

    async def _watch_deliveries(self) -> None:
        """What was sent, delivered or read since a second ago in a case that somebody looks at."""
        shown = {present.key for present in self._present.values()} if self._streams else set()
        self._delivered = {key: at for key, at in self._delivered.items() if key in shown}
        if not shown:
            return
        async with single(self._database).connect() as link:
            rows = (await link.execute(_DELIVERED, {"keys": list(shown)})).all()
        for row in rows:
            if self._delivered.get(row.key) != row.at:
                self._delivered[row.key] = row.at
                self._keys.add(row.key)
                self._news.set()
