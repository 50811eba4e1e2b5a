"""The end of the path: takes replies from the outbox, lets the channel send them, records how it ended.

One Sender per channel. The channel only says what happened; what to do about it is decided here, in `after`.
Where a platform limits how fast we may send, one process at a time sends for that channel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from bot import outbox, receipts
from bot.database import TROUBLE, Bell, wait
from bot.messages import Failure, Limits, NotSent, Outgoing
from bot.outbox import Sent, Waiting
from bot.pace import Pace, Window

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 60  # some four hours: a platform may be away for long
_MOST_MOVES = 3  # the new address may belong to another conversation; then it stays where it is
_LONGEST_PAUSE = 300.0
_ALARM_PAUSE = 60.0
_POLL_SECONDS = 1.0
_GATHER_SECONDS = 0.03  # under load, claim and close in batches; the first reply after a silence goes at once
_MOST_WAIT = 2.5  # a reply that may go sooner keeps its place; one that must wait longer is put back
_AT_ONCE = 50
_TIDY_SECONDS = 5.0


class Channel(Protocol):
    """What every channel can do; `send` gives the platform's id of the message or raises NotSent."""

    @property
    def limits(self) -> Limits: ...

    async def send(self, outgoing: Outgoing) -> str | None: ...

    async def knock(self, outgoing: Outgoing) -> bool:
        """Ask a person who was silent too long to write again; False when the channel has no way to."""
        ...


@dataclass(frozen=True)
class Deliverer:
    """Sends replies; `run` until cancelled."""

    database: AsyncEngine
    bell: Bell
    channels: Mapping[str, Channel]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as senders:
            for name, channel in self.channels.items():
                senders.create_task(Sender(self.database, self.bell, name, channel).run())
            senders.create_task(self._tidy())

    async def _tidy(self) -> None:
        """What is too old to send, and failures that were told before we knew the message."""
        while True:
            try:
                await outbox.expire(self.database)
                await receipts.apply(self.database)
            except TROUBLE as error:
                logger.warning("outbox out of reach: %s", type(error).__name__)
            await asyncio.sleep(_TIDY_SECONDS)


class Sender:
    """Sends what waits for one channel."""

    def __init__(self, database: AsyncEngine, bell: Bell, name: str, channel: Channel) -> None:
        self._database = database
        self._bell = bell
        self._name = name
        self._channel = channel
        self._pace = Pace(channel.limits)
        self._window = Window(channel.limits.per_second)
        self._paced = channel.limits.per_second is not None
        self._places = int(2 * channel.limits.per_second) if channel.limits.per_second else _AT_ONCE
        self._at_work: set[asyncio.Task[None]] = set()
        self._done: list[Sent] = []

    async def run(self) -> None:
        """Until cancelled; what is being sent then is finished and marked."""
        try:
            with self._bell.waiting_for("outbox") as rung:
                while True:
                    busy = await self._round(rung)
                    if not busy:
                        await wait(rung, _POLL_SECONDS)
                    await asyncio.sleep(_GATHER_SECONDS if busy else 0)
        finally:
            if self._at_work:
                await asyncio.wait(self._at_work, timeout=10)
            await self._mark()

    async def _round(self, rung: asyncio.Event) -> bool:
        """Mark what is done and take more; whether there was anything to take."""
        try:
            await self._mark()
            free = self._places - len(self._at_work)
            if not free or not self._bell.worker or (self._paced and not await self._bell.leads(self._name)):
                return False
            claimed = await outbox.claim(self._database, self._bell.worker, [self._name], free)
        except TROUBLE as error:
            logger.warning("outbox out of reach: %s", type(error).__name__)
            self._bell.drop()
            await asyncio.sleep(0.5)
            return False
        for waiting in claimed:
            task = asyncio.create_task(self._send(waiting))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)
            task.add_done_callback(lambda _: rung.set())
            await asyncio.sleep(0)  # one by one: whoever brings a message does not wait for a whole batch
        if claimed and not self._paced:
            await asyncio.wait(set(self._at_work), timeout=_GATHER_SECONDS)
        return bool(claimed)

    async def _mark(self) -> None:
        """Record what was sent; kept for the next try when the database is away."""
        if self._done:
            results = list(self._done)
            await outbox.close(self._database, results)
            del self._done[: len(results)]

    async def _send(self, waiting: Waiting) -> None:
        self._done.append(await self._try(waiting))

    async def _try(self, waiting: Waiting) -> Sent:
        limits, address = self._channel.limits, waiting.outgoing.address
        if waiting.blocked:
            return Sent(waiting.outbox_id, outbox.failed(Failure.BLOCKED))
        seconds, reserved = self._pace.reserve(address, time.monotonic(), _MOST_WAIT)
        if not reserved:
            return Sent(waiting.outbox_id, None, retry_in=seconds, counted=False)
        if seconds:
            await asyncio.sleep(seconds)
        try:
            if limits.window_hours is not None and waiting.silent_hours >= limits.window_hours:
                raise NotSent(Failure.CLOSED, "window")
            return Sent(waiting.outbox_id, outbox.SENT, await self._give(waiting.outgoing))
        except NotSent as problem:
            logger.warning("outbox %d: %s", waiting.outbox_id, problem)
            await self._follow(waiting, problem)
            return after(waiting, problem)
        except Exception as error:
            logger.error("outbox %d: %s", waiting.outbox_id, type(error).__name__)
            return after(waiting, NotSent(Failure.AWAY))

    async def _give(self, outgoing: Outgoing) -> str | None:
        try:
            async with self._window:
                return await self._channel.send(outgoing)
        finally:
            self._pace.arrived(outgoing.address, time.monotonic())

    async def _follow(self, waiting: Waiting, problem: NotSent) -> None:
        """What a failure means beyond this one reply."""
        try:
            if problem.failure is Failure.BLOCKED:
                await outbox.block(self._database, waiting.conversation_id)
            elif problem.failure is Failure.MOVED and problem.address:
                await outbox.move(self._database, waiting.conversation_id, problem.address)
            elif problem.failure is Failure.SLOWER:
                until = time.monotonic() + problem.seconds
                self._pace.hold(None if problem.everyone else waiting.outgoing.address, until)
            elif problem.failure is Failure.ALARM:
                logger.error("%s does not take our account any more: %s", self._name, problem)
                self._pace.hold(None, time.monotonic() + _ALARM_PAUSE)
            elif problem.failure is Failure.CLOSED and not await self._channel.knock(waiting.outgoing):
                logger.info("outbox %d waits until the person writes again", waiting.outbox_id)
        except (*TROUBLE, NotSent) as error:
            logger.warning("outbox %d, afterwards: %s", waiting.outbox_id, type(error).__name__)


def after(waiting: Waiting, problem: NotSent) -> Sent:
    """How a reply goes on after a failure: tried again, parked, or given up."""
    match problem.failure:
        case Failure.SLOWER:
            return Sent(waiting.outbox_id, None, retry_in=problem.seconds, counted=False)
        case Failure.ALARM:
            return Sent(waiting.outbox_id, None, retry_in=_ALARM_PAUSE, counted=False)
        case Failure.MOVED if waiting.attempts < _MOST_MOVES:
            return Sent(waiting.outbox_id, None)
        case Failure.CLOSED:
            return Sent(waiting.outbox_id, None, counted=False, parked=True)
        case Failure.AWAY if waiting.attempts < MOST_ATTEMPTS:
            return Sent(waiting.outbox_id, None, retry_in=min(_LONGEST_PAUSE, 2.0 ** (waiting.attempts - 1)))
    return Sent(waiting.outbox_id, outbox.failed(problem.failure))
