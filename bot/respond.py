"""The middle of the path: takes claimed messages, has them answered, saves what follows.

inbox -> answer (language, understanding, dialogue) -> claims.finish (which fills the outbox). Rasa is asked
outside any transaction; a crash anywhere leaves the old state and the message is tried again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims
from bot.answer import Answerer
from bot.claims import Answer, Claim
from bot.conversation import first_tongue
from bot.database import TROUBLE, Bell, free_dead_claims, wait
from bot.inbox import Outcome
from bot.phrases import apology
from bot.understanding import Unavailable

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = 8  # conversations one process answers at the same time
_POLL_SECONDS = 0.5
_GATHER_SECONDS = 0.001  # claim what arrives together in one statement
_BUSY_SECONDS = 0.01  # the same while many are being answered: fewer and larger claims
_MANY = 3  # messages at the same time
_RETRY_SECONDS = (0.5, 3.0)
_MOST_CRASHES = 6  # a message that was claimed this often and never closed takes its worker down


@dataclass(frozen=True)
class Responder:
    """Answers messages; `run` until cancelled."""

    database: AsyncEngine
    bell: Bell
    answerer: Answerer

    async def run(self) -> None:
        """Claim and answer until cancelled; a message in the middle is finished first."""
        at_work: set[asyncio.Task[None]] = set()
        try:
            with self.bell.waiting_for("inbox") as rung:
                while True:
                    await self._take(at_work, rung)
        finally:
            if at_work:
                await asyncio.wait(at_work, timeout=10)

    async def _take(self, at_work: set[asyncio.Task[None]], rung: asyncio.Event) -> None:
        free = SIDE_BY_SIDE - len(at_work)
        worker = self.bell.worker
        try:
            taken = await claims.claim(self.database, worker, free) if worker and free else []
        except TROUBLE as error:
            logger.warning("inbox out of reach: %s", type(error).__name__)
            self.bell.drop()
            await asyncio.sleep(0.5)
            return
        for claimed in taken:
            task = asyncio.create_task(self._handle(claimed))
            at_work.add(task)
            task.add_done_callback(at_work.discard)
            task.add_done_callback(lambda _: rung.set())
            await asyncio.sleep(0)  # one by one: whoever brings a message does not wait for a whole batch
        if len(taken) < free or not free:
            await wait(rung, _POLL_SECONDS)
            await asyncio.sleep(_BUSY_SECONDS if len(at_work) >= _MANY else _GATHER_SECONDS)

    async def _handle(self, claimed: Claim) -> None:
        """One message from claim to closed row; whatever goes wrong is logged here by id."""
        if claimed.attempts > _MOST_CRASHES:
            await self._fail(claimed, RuntimeError("crashed"))
            return
        try:
            await claims.finish(self.database, claimed, await self.answerer.answer(claimed))
        except claims.LostClaim:
            logger.info("inbox %d is not ours any more, or a coach came or went", claimed.inbox_id)
            await self._give_back(claimed, 0.0, counted=False)
        except Unavailable:
            await self._give_back(claimed, 0.2, counted=False)
            await self.answerer.understanding.wait_until_ready()
        except Exception as error:
            logger.error("inbox %d, attempt %d: %s", claimed.inbox_id, claimed.attempts, type(error).__name__)
            await self._fail(claimed, error)

    async def _fail(self, claimed: Claim, error: Exception) -> None:
        if claimed.attempts < claims.MOST_ATTEMPTS:
            await self._give_back(claimed, _RETRY_SECONDS[claimed.attempts - 1], counted=True)
            return
        tongue = first_tongue(claimed.language, claimed.language_from, claimed.incoming.language_hint)
        reason = f"{Outcome.DEAD}:{type(error).__name__}"
        dead = Answer(reason, (apology(tongue.language),), claimed.language, claimed.language_from, claimed.dialogue)
        try:
            await claims.finish(self.database, claimed, dead)
        except (*TROUBLE, claims.LostClaim) as failure:
            logger.error("inbox %d cannot be closed: %s", claimed.inbox_id, type(failure).__name__)
            self.bell.drop()

    async def _give_back(self, claimed: Claim, seconds: float, counted: bool) -> None:
        try:
            await claims.release(self.database, claimed, seconds, counted)
        except TROUBLE as error:
            logger.warning("inbox %d cannot be given back: %s", claimed.inbox_id, type(error).__name__)
            self.bell.drop()


async def watch_claims(database: AsyncEngine, every: float = 2.0) -> None:
    """Free what dead workers held, again and again."""
    while True:
        try:
            if freed := await free_dead_claims(database):
                logger.info("took back %d claims of dead workers", freed)
        except TROUBLE as error:
            logger.warning("database out of reach: %s", type(error).__name__)
        await asyncio.sleep(every)
