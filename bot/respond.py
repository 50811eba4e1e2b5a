"""The middle of the path: takes claimed messages, finds language and meaning, saves the answer.

inbox -> language -> understanding -> conversation -> claims.finish (which fills the outbox). Rasa is asked
outside any transaction; a crash anywhere leaves the old state and the message is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncEngine

from bot import claims
from bot.claims import Answer, Claim
from bot.conversation import CHOSEN, Tongue, asked_for_language, first_tongue, outcome, typed_button
from bot.database import TROUBLE, Bell, free_dead_claims, wait
from bot.inbox import Outcome
from bot.language import Detector, choose
from bot.messages import LANGUAGES, Kind, Reply, has_words
from bot.phrases import (
    FORGET_PAYLOAD,
    LANGUAGE_PAYLOAD,
    apology,
    choose_language,
    forget_button,
    language_buttons,
    say,
)
from bot.understanding import Turn, Unavailable, Understanding, UnknownButton

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = 8  # conversations one process answers at the same time
_POLL_SECONDS = 0.5
_GATHER_SECONDS = 0.003  # claim what arrives together in one statement
_RETRY_SECONDS = (0.5, 3.0)
_SURE_OF_A_SIGN = 0.6  # a thumb is yes, a heart is thanks; other emoji say too little
_MOST_CRASHES = 6  # a message that was claimed this often and never closed takes its worker down


@dataclass(frozen=True)
class Responder:
    """Answers messages; `run` until cancelled."""

    database: AsyncEngine
    bell: Bell
    understanding: Understanding
    detector: Detector

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
        if len(taken) < free or not free:
            await wait(rung, _POLL_SECONDS)
            await asyncio.sleep(_GATHER_SECONDS)

    async def _handle(self, claimed: Claim) -> None:
        """One message from claim to closed row; whatever goes wrong is logged here by id."""
        if claimed.attempts > _MOST_CRASHES:
            await self._fail(claimed, RuntimeError("crashed"))
            return
        try:
            await claims.finish(self.database, claimed, await self._answer(claimed))
        except claims.LostClaim:
            logger.warning("inbox %d went to another worker", claimed.inbox_id)
        except Unavailable:
            await self._give_back(claimed, 0.2, counted=False)
            await self.understanding.wait_until_ready()
        except Exception as error:
            logger.error("inbox %d, attempt %d: %s", claimed.inbox_id, claimed.attempts, type(error).__name__)
            await self._fail(claimed, error)

    async def _answer(self, claimed: Claim) -> Answer:
        tongue = first_tongue(claimed.language, claimed.language_from, claimed.incoming.language_hint)
        answer = await self._answer_kind(claimed, tongue)
        if claimed.waiting < claims.MANY_WAITING or claimed.slowed:
            return answer
        notice = Reply(say("slow_down", answer.language or tongue.language))
        return replace(answer, replies=(*answer.replies, notice), slowed=True)

    async def _answer_kind(self, claimed: Claim, tongue: Tongue) -> Answer:
        incoming = claimed.incoming
        if incoming.kind is Kind.MEDIA:
            return _notice(claimed, tongue, Reply(say("media", tongue.language)))
        payload = incoming.payload or typed_button(incoming.text, claimed.offered)
        if payload is not None:
            if payload.startswith(LANGUAGE_PAYLOAD):
                return await self._switch(claimed, payload.removeprefix(LANGUAGE_PAYLOAD))
            if payload == FORGET_PAYLOAD:
                done = Reply(say("forgotten", tongue.language))
                return Answer(Outcome.COMMAND, (done,), tongue.language, tongue.origin, None, forget=True)
            with contextlib.suppress(UnknownButton):  # an old or forged button: its title is read instead
                turn = await self.understanding.turn(tongue.language, claimed.dialogue, payload=payload)
                return _answered(turn, tongue)
        chosen = choose(self.detector.detect(incoming.text, tongue.language), tongue)
        if chosen is None:
            return _notice(claimed, tongue, choose_language())
        if not has_words(incoming.text):
            return await self._answer_signs(claimed, tongue)
        turn = await self.understanding.turn(chosen.language, claimed.dialogue, text=incoming.text)
        wanted = asked_for_language(turn.understood.topic, turn.understood.entities)
        if wanted and wanted != chosen.language:
            return await self._switch(claimed, wanted, turn)
        return _answered(turn, chosen)

    async def _answer_signs(self, claimed: Claim, tongue: Tongue) -> Answer:
        """A thumb or a question mark may be an answer; anything else gets a friendly line."""
        turn = await self.understanding.turn(tongue.language, claimed.dialogue, text=claimed.incoming.text)
        if turn.understood.decision == "answer" and turn.understood.confidence >= _SURE_OF_A_SIGN:
            return _answered(turn, tongue)
        return _notice(claimed, tongue, Reply(say("no_words", tongue.language)))

    async def _switch(self, claimed: Claim, language: str, asked: Turn | None = None) -> Answer:
        """Go on in another language, with the talk carried along."""
        if language not in LANGUAGES:
            return _notice(claimed, first_tongue(claimed.language, claimed.language_from, None), choose_language())
        turn = await self.understanding.turn(language, claimed.dialogue, payload="/change_language")
        answer = _answered(turn, Tongue(language, CHOSEN))
        if asked is None:
            return replace(answer, outcome=Outcome.COMMAND, topic=None, confidence=None)
        return replace(answer, topic=asked.understood.topic, confidence=asked.understood.confidence)

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


def _answered(turn: Turn, tongue: Tongue) -> Answer:
    understood = turn.understood
    replies = turn.replies
    if understood.topic == "change_language" and understood.decision == "answer":
        replies = tuple(replace(reply, buttons=language_buttons()) for reply in replies)
    if understood.topic == "delete_my_data" and understood.decision == "answer":
        button = forget_button(tongue.language)
        replies = tuple(replace(reply, buttons=(button, *reply.buttons[:2])) for reply in replies)
    return Answer(
        outcome=outcome(understood.decision),
        replies=replies,
        language=tongue.language,
        language_from=tongue.origin,
        dialogue=turn.state,
        topic=understood.topic,
        confidence=understood.confidence,
    )


def _notice(claimed: Claim, tongue: Tongue, reply: Reply) -> Answer:
    return Answer(Outcome.NOTICE, (reply,), claimed.language, claimed.language_from, claimed.dialogue)
