"""A desk on a real port with coaches and people around it, over real HTTP and a real database.

A person here has no browser: what they say goes straight into the inbox, and is closed as respond.py would close it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from bot import claims, inbox
from bot.claims import Answer
from bot.coach import cases, desk, passwords, people, sessions
from bot.coach.case import Wish
from bot.coach.live import Live
from bot.coach.outside import Outside
from bot.coach.people import Coach, Newcomer, Role
from bot.coach.sessions import COOKIE
from bot.database import engine
from bot.inbox import Outcome
from bot.messages import Attachment, Failure, Incoming, Kind, NotSent, Outgoing, Reply
from bot.migrations.run import migrate
from bot.understanding import Understanding
from tests.coach.rasa import Rasa, small_rasa

Json = dict[str, Any]
PASSWORD = "vier gewone woorden samen"
WORKER = 7
PICTURE = b"\x89PNG\r\n\x1a\n picture"
_numbers = iter(range(1, 1_000_000))


@dataclass
class Platform:
    """The outside world of the channels: what was asked of it, and what it answers."""

    templates: list[tuple[str, str]] = field(default_factory=list)  # (address, language)
    typed: list[str] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    away: bool = False

    async def template(self, channel: str, outgoing: Outgoing) -> bool:
        if self.away:
            raise NotSent(Failure.AWAY, "test")
        self.templates.append((outgoing.address, outgoing.language))
        return outgoing.language != "ar"  # nobody made an Arabic one

    async def typing(self, channel: str, outgoing: Outgoing) -> None:
        self.typed.append(outgoing.address)

    async def fetch(self, channel: str, media_id: str) -> tuple[str, bytes]:
        if self.away:
            raise NotSent(Failure.AWAY, "test")
        return self.files[media_id]


@dataclass(frozen=True)
class World:
    """One desk. `team` West has Fatima and Kees, Oost has Dilek; Bea is admin, Eva editor."""

    url: str
    database: AsyncEngine
    database_url: str
    coaches: dict[str, Coach]
    platform: Platform
    rasa: Rasa
    live: Live

    def browser(self, name: str) -> Browser:
        """The browser of a coach, not logged in yet."""
        return Browser(self.url, self.coaches[name].email)

    @contextlib.asynccontextmanager
    async def at_work(self, *names: str) -> AsyncIterator[list[Browser]]:
        """Browsers of these coaches, logged in (without the work that a password takes)."""
        async with contextlib.AsyncExitStack() as stack:
            browsers = [await stack.enter_async_context(self.browser(name)) for name in names]
            for browser, name in zip(browsers, names, strict=True):
                browser.keep(await sessions.start(self.database, self.coaches[name].id, None))
            yield browsers

    async def rows(self, query: str, **values: object) -> list[Any]:
        async with self.database.begin() as link:
            result = await link.execute(sql(query), values)
            return list(result.all()) if result.returns_rows else []


class Browser:
    """One coach's browser: cookies, and the token that the page sends along."""

    def __init__(self, url: str, email: str) -> None:
        self.url = url
        self.email = email
        self.csrf = ""

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    @property
    def token(self) -> str:
        return next((cookie.value for cookie in self.session.cookie_jar if cookie.key == COOKIE), "")

    def keep(self, token: str) -> None:
        """Have this session in the cookie, as after logging in."""
        self.session.cookie_jar.update_cookies({COOKIE: token}, URL(f"{self.url}/desk/login"))
        self.csrf = sessions.csrf_of(token)

    async def log_in(self, password: str = PASSWORD) -> int:
        """The status of the answer; with 303 the token for changes is fetched too."""
        form = {"email": self.email, "password": password}
        async with self.session.post(f"{self.url}/desk/login", data=form, allow_redirects=False) as answer:
            if answer.status == 303:
                self.csrf = (await self.get("me"))["csrf"]
            return answer.status

    async def get(self, path: str, status: int = 200) -> Json:
        async with self.session.get(f"{self.url}/desk/api/{path}") as answer:
            assert answer.status == status, await answer.text()
            return dict(await answer.json())

    async def act(self, key: str, action: str, /, status: int = 200, **body: object) -> Json:
        """Do something with a case; the answer, or its error."""
        headers = {"X-CSRF-Token": self.csrf}
        url = f"{self.url}/desk/api/cases/{key}/{action}"
        async with self.session.post(url, json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            found = dict(await answer.json())
            return dict(found["error"]) if status >= 400 else found

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator[asyncio.Queue[tuple[str, Json]]]:
        """What the event stream tells, from now on."""
        heard: asyncio.Queue[tuple[str, Json]] = asyncio.Queue()
        async with self.session.get(f"{self.url}/desk/api/events") as stream:
            assert stream.status == 200, await stream.text()
            await stream.content.readline()  # "retry": it listens now
            listening = asyncio.create_task(_hear(stream, heard))
            try:
                yield heard
            finally:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening


async def _hear(stream: aiohttp.ClientResponse, heard: asyncio.Queue[tuple[str, Json]]) -> None:
    kind = ""
    async for raw in stream.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            heard.put_nowait((kind, json.loads(line.removeprefix("data: "))))


async def told(heard: asyncio.Queue[tuple[str, Json]], kind: str, **values: object) -> Json:
    """The next event of a kind with these values; what comes before it is skipped."""
    async with asyncio.timeout(10):
        while True:
            got, data = await heard.get()
            if got == kind and values.items() <= data.items():
                return data


@dataclass
class Person:
    """Somebody who writes, in one conversation."""

    database: AsyncEngine
    channel: str
    address: str
    language: str
    conversation: int = 0

    async def says(
        self, words: str = "hallo", attachment: Attachment | None = None, outcome: str = Outcome.TO_COACH, **answer: Any
    ) -> int:
        """One message, accepted and closed; its position. A case that is open hears of it."""
        number = next(_numbers)
        kind = Kind.MEDIA if attachment else Kind.TEXT
        message = Incoming(self.channel, f"{self.address}:{number}", self.address, kind, words, attachment=attachment)
        async with self.database.begin() as link:
            await inbox.store(link, [message])
        [claim] = await claims.claim(self.database, WORKER, 1)
        self.conversation = claim.conversation_id

        async def heard(link: Any) -> None:
            await cases.heard(link, claim.conversation_id)

        values = {"replies": (), "language_from": "detected", "dialogue": {"occupation": "tester"}, "within": heard}
        done = Answer(outcome, language=self.language, **{**values, **answer})
        await claims.finish(self.database, claim, done)
        return claim.last_position + 1

    async def asks(self, **wish: Any) -> str:
        """Ask for a coach, with consent; the key of the case."""
        if not self.conversation:
            replies = (Reply("Een antwoord", dutch="Een antwoord"),)
            await self.says("ik wil een coach", outcome=Outcome.ANSWERED, replies=replies, topic="cost", confidence=0.8)
        async with self.database.begin() as link:
            found = Wish(**{"topic": "cost", "language": self.language, "area": "nieuw_west", **wish})
            return await cases.request(link, self.conversation, found)


def somebody(world: World, language: str = "nl", channel: str = "webchat") -> Person:
    """A new person."""
    return Person(world.database, channel, f"someone-{next(_numbers)}", language)


async def a_case(world: World, language: str = "nl", channel: str = "webchat", **wish: Any) -> tuple[Person, str]:
    """A new person who waits for a coach, in Nieuw-West (team West) unless told otherwise."""
    person = somebody(world, language, channel)
    return person, await person.asks(**wish)


async def found_in(browser: Browser, view: str, key: str) -> Json:
    """The case in that view."""
    [case] = [case for case in (await browser.get(f"queue?view={view}"))["cases"] if case["key"] == key]
    return dict(case)


async def taken(world: World, browser: Browser, **how: Any) -> tuple[Person, str]:
    person, key = await a_case(world, **how)
    await browser.act(key, "take")
    return person, key


async def send(
    world: World, browser: Browser, path: str, body: object = None, method: str = "POST", **headers: str
) -> tuple[int, str]:
    """(status, answer) of a request made by hand."""
    data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    given = {"Content_Type": "application/json", "X_CSRF_Token": browser.csrf, **headers}
    shown = {name.replace("_", "-"): value for name, value in given.items() if value}
    async with browser.session.request(
        method, world.url + path, data=data, headers=shown, allow_redirects=False
    ) as answer:
        return answer.status, await answer.text()


@contextlib.asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[World]:
    """A whole world on an empty database."""
    database, platform = engine(database_url), Platform()
    await migrate(database)
    async with small_rasa() as (rasa_url, rasa), Understanding(rasa_url) as understanding:
        outside = Outside({"whatsapp": 24.0}, platform.template, platform.typing, platform.fetch)
        made = desk.opened(database_url, database, understanding, outside)
        app = web.Application(client_max_size=0)
        app.add_routes(made.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        listening = asyncio.create_task(made.live.run())
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield World(url, database, database_url, await _coaches(database), platform, rasa, made.live)
        finally:
            await runner.cleanup()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await database.dispose()


async def _coaches(database: AsyncEngine) -> dict[str, Coach]:
    rows = [
        Newcomer("Fatima", "fatima@example.org", team="West", languages=("nl", "ar")),
        Newcomer("Kees", "kees@example.org", team="West", topics=("money",)),
        Newcomer("Dilek", "dilek@example.org", team="Oost", languages=("nl", "tr")),
        Newcomer("Bea", "bea@example.org", Role.ADMIN, team="Oost"),
        Newcomer("Eva", "eva@example.org", Role.EDITOR, team="West"),
    ]
    for row in rows:
        await people.add(database, row)
    async with database.begin() as link:
        hashed = {"hash": await passwords.hashed(PASSWORD)}  # one for all: a hash takes its time
        await link.execute(sql("UPDATE coach SET password_hash = :hash"), hashed)
        await link.execute(sql("UPDATE team SET areas = '[\"nieuw_west\"]' WHERE name = 'West'"))
        await link.execute(sql("UPDATE team SET areas = '[\"oost\"]' WHERE name = 'Oost'"))
    return {coach.name: coach for coach in await people.everybody(database)}
