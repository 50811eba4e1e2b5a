"""The end of the path: takes replies from the outbox, lets the channel send them, records how it ended.

The channel only says what happened; what to do about it is decided here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from bot import outbox
from bot.database import TROUBLE, Bell, wait
from bot.messages import Failure, NotSent, Reply
from bot.outbox import Outgoing, Sent

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 8
_AT_ONCE = 50
_POLL_SECONDS = 1.0
_GATHER_SECONDS = 0.03  # under load, send in batches; the first reply after a silence goes at once


class Channel(Protocol):
    """What every channel can do: send one reply and give the platform's id of it, or raise NotSent."""

    async def send(self, address: str, reply: Reply) -> str | None: ...


@dataclass(frozen=True)
class Deliverer:
    """Sends replies; `run` until cancelled."""

    database: AsyncEngine
    bell: Bell
    channels: Mapping[str, Channel]

    async def run(self) -> None:
        with self.bell.waiting_for("outbox") as rung:
            while True:
                try:
                    busy = await _to_the_end(self._deliver_some())
                except TROUBLE as error:
                    logger.warning("outbox out of reach: %s", type(error).__name__)
                    self.bell.drop()
                    busy = False
                    await asyncio.sleep(0.5)
                if not busy:
                    await wait(rung, _POLL_SECONDS)
                await asyncio.sleep(_GATHER_SECONDS if busy else 0)

    async def _deliver_some(self) -> bool:
        if not self.bell.worker:
            return False
        claimed = await outbox.claim(self.database, self.bell.worker, _AT_ONCE)
        if claimed:
            results = await asyncio.gather(*(self._send(outgoing) for outgoing in claimed))
            await outbox.close(self.database, list(results))
        return bool(claimed)

    async def _send(self, outgoing: Outgoing) -> Sent:
        channel = self.channels.get(outgoing.channel)
        if channel is None:
            return Sent(outgoing.outbox_id, f"{outbox.FAILED}:no_channel")
        try:
            return Sent(outgoing.outbox_id, outbox.SENT, await channel.send(outgoing.address, outgoing.reply))
        except NotSent as problem:
            logger.warning("outbox %d: %s", outgoing.outbox_id, problem.failure)
            return after_failure(outgoing, problem.failure)
        except Exception as error:
            logger.error("outbox %d: %s", outgoing.outbox_id, type(error).__name__)
            return after_failure(outgoing, Failure.AWAY)


async def _to_the_end(work: Coroutine[None, None, bool]) -> bool:
    """Stopping never tears a batch in half: what was sent is also marked."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=10)
        raise


def after_failure(outgoing: Outgoing, failure: Failure) -> Sent:
    """Try again later, twice as long each time, or give up."""
    if failure is Failure.REFUSED or outgoing.attempts >= MOST_ATTEMPTS:
        return Sent(outgoing.outbox_id, f"{outbox.FAILED}:{failure}")
    return Sent(outgoing.outbox_id, None, retry_in=2.0 ** (outgoing.attempts - 1))
