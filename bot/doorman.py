"""Lets messages of a phone channel in: on disk first, then the courtesies (read mark, typing) that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from bot.inbox import Acceptor
from bot.messages import Incoming

logger = logging.getLogger(__name__)


class Polite(Protocol):
    """A channel that can show a person their message came in: read marks, a typing sign."""

    async def received(self, incoming: Incoming) -> None: ...


@dataclass
class Doorman:
    """Accepts messages of one channel, and lets the channel be polite about them without anybody waiting."""

    acceptor: Acceptor
    channel: Polite
    _at_work: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, messages: Iterable[Incoming]) -> None:
        """Returns when all are on disk. Raises when the database is away."""
        batch = list(messages)
        fresh = await asyncio.gather(*(self.acceptor.accept(incoming) for incoming in batch))
        for incoming, new in zip(batch, fresh, strict=True):
            if new:
                self._later(self.channel.received(incoming))

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.warning("politeness failed: %s", type(error).__name__)
