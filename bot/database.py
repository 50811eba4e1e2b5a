"""The two ways into the database: an engine for statements, a bell that rings when rows arrive."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

logger = logging.getLogger(__name__)

# Everything that means "the database cannot be used right now"; asyncpg's own errors come through when connecting.
TROUBLE = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)

FRONT, AT_WORK = "tekkie front", "tekkie at work"  # what PostgreSQL shows the listening connections as
BELLS = ("inbox", "outbox", "transcript", "desk", "receipt", "typing")
_LOCK_SPACE = 7_335_543  # "tekkie" on a telephone keypad, cut to fit


def engine(url: str) -> AsyncEngine:
    """An engine for `url` (postgresql://...), with a small pool."""
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=12,
        max_overflow=4,
        hide_parameters=True,  # an error that is logged must not quote what somebody wrote
        connect_args={"server_settings": {"jit": "off", "application_name": "tekkie"}, "timeout": 5},
    )


@functools.lru_cache(maxsize=8)
def single(database: AsyncEngine) -> AsyncEngine:
    """The same engine for single statements: each is its own transaction, without BEGIN and COMMIT around it."""
    return database.execution_options(isolation_level="AUTOCOMMIT")


class Bell:
    """One listening connection per process: wakes waiters, and proves that this worker is alive.

    The connection holds an advisory lock on `worker`, a random number. A claim whose worker holds no
    lock any more is free, the moment PostgreSQL sees the connection die. After a broken connection
    the worker comes back under a new number.
    """

    def __init__(self, url: str, name: str = AT_WORK) -> None:
        self._name = name
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.worker = 0
        self._lost = asyncio.Event()
        self._link: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()
        self._leading: set[str] = set()
        self._asked: dict[str, float] = {}

    def drop(self) -> None:
        """After trouble with the database: come back under a new number, so that nothing stays claimed.

        A claim whose commit was never confirmed, or that could not be given back, is free again then.
        """
        self.worker = 0
        self._leading.clear()
        self._lost.set()

    async def leads(self, what: str) -> bool:
        """Whether this process, and no other on this database, does `what`; asks at most once a second.

        A lock on the listening connection: it is free the moment its process dies.
        """
        now = time.monotonic()
        if what in self._leading or now - self._asked.get(what, -1.0) < 1.0:
            return what in self._leading
        self._asked[what] = now
        async with self._asking:
            link = self._link
            if link is None or not self.worker:
                return False
            if await link.fetchval("SELECT pg_try_advisory_lock($1, hashtext($2))", _LOCK_SPACE + 1, what):
                self._leading.add(what)
        return what in self._leading

    async def listen(self, on_ready: Callable[[], Awaitable[None]]) -> None:
        """Stay connected until cancelled; `on_ready` runs after every (re)connection."""
        while True:
            try:
                await self._listen_once(on_ready)
            except TROUBLE as error:
                logger.warning("listening connection lost: %s", type(error).__name__)
            self.worker = 0
            await asyncio.sleep(0.25)

    async def _listen_once(self, on_ready: Callable[[], Awaitable[None]]) -> None:
        link = await asyncpg.connect(self._url, timeout=5, server_settings={"application_name": self._name})
        self._lost = lost = asyncio.Event()
        link.add_termination_listener(lambda _: lost.set())
        try:
            for bell in BELLS:
                await link.add_listener(bell, self._ring)
            worker = random.randint(1, 2**31 - 1)
            await link.execute("SELECT pg_advisory_lock($1, $2)", _LOCK_SPACE, worker)
            self.worker, self._link = worker, link
            await on_ready()
            self.ring_all()
            await lost.wait()
        finally:
            self._link = None
            self._leading.clear()
            with contextlib.suppress(Exception):
                await link.close(timeout=1)

    def _ring(self, _link: object, _pid: int, bell: str, payload: str) -> None:
        for event in self._waiting.get(f"{bell}:{payload}" if payload else bell, ()):
            event.set()

    def ring_all(self) -> None:
        """Wake everybody: something may have come in while nobody listened."""
        for events in self._waiting.values():
            for event in events:
                event.set()

    @contextlib.contextmanager
    def waiting_for(self, bell: str, event: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """An event (a new one, or `event`) that is set whenever `bell` ("inbox", "transcript:17") rings."""
        event = event or asyncio.Event()
        self._waiting[bell].add(event)
        try:
            yield event
        finally:
            self._waiting[bell].discard(event)
            if not self._waiting[bell]:
                del self._waiting[bell]


FREE_DEAD_CLAIMS = tuple(
    text(
        f"UPDATE {table} SET claimed_by = NULL WHERE claimed_by IS NOT NULL AND NOT EXISTS ("
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
        f" AND classid = {_LOCK_SPACE} AND objid = {table}.claimed_by)"
    )
    for table in ("conversation", "outbox")
)


async def free_dead_claims(database: AsyncEngine) -> int:
    """Take back what dead workers held; the number of rows."""
    async with database.begin() as link:
        return sum([(await link.execute(statement)).rowcount for statement in FREE_DEAD_CLAIMS])


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until `event` is set or `seconds` have passed; clears it."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    event.clear()
