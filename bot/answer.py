"""What is said to one message: by its kind, as a command, as a pressed button, or by asking the Rasa side.

Called by respond.py with a claimed message; gives the Answer that claims.finish saves. Changes nothing itself.
What concerns coaches is in bot/coach/person.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.claims import MANY_WAITING, UNREADABLE, Answer, Claim
from bot.coach import colleague, person
from bot.conversation import (
    CHOSEN,
    SMALL_TALK,
    Command,
    Tongue,
    asked_for_language,
    command,
    first_tongue,
    introduces_itself,
    outcome,
    typed_button,
)
from bot.handover import Mode
from bot.inbox import Outcome
from bot.language import Detector, choose
from bot.messages import LANGUAGES, Kind, Reply, has_words
from bot.phrases import (
    FORGET_PAYLOAD,
    LANGUAGE_PAYLOAD,
    choose_language,
    coach_button,
    forget_button,
    language_buttons,
    spoken,
    welcome,
)
from bot.privacy import was_masked
from bot.understanding import Turn, Understanding, UnknownButton

_SURE_OF_A_SIGN = 0.6  # a thumb is yes, a heart is thanks; other emoji say too little
_SILENT = (Kind.EDITED, Kind.REACTION, Kind.BLOCKED, Kind.UNBLOCKED, Kind.IDLE)
_TOPICS = {Command.COACH: "/talk_to_coach", Command.PRIVACY: "/privacy", Command.HELP: "/capabilities"}


@dataclass(frozen=True)
class Answerer:
    """Finds the answer to a claimed message. `coaches` tells whether there is any coach at all."""

    understanding: Understanding
    detector: Detector
    coaches: Callable[[], Awaitable[bool]]

    async def answer(self, claimed: Claim) -> Answer:
        """Raises what understanding.py raises; then the message is tried again."""
        incoming = claimed.incoming
        if incoming.kind in _SILENT:
            reason = incoming.payload if incoming.kind is Kind.IDLE else incoming.kind
            return _nothing(claimed, f"{Outcome.IGNORED}:{reason}", blocked=incoming.kind is Kind.BLOCKED)
        if incoming.kind is Kind.COLLEAGUE:
            return colleague.answer(claimed)
        if incoming.kind is Kind.UNREADABLE:
            return _nothing(claimed, UNREADABLE)
        tongue = first_tongue(claimed.language, claimed.language_from, incoming.language_hint)
        answer = await self._answer_kind(claimed, tongue)
        language = answer.language or tongue.language
        if was_masked(incoming.text):
            answer = replace(answer, replies=(*answer.replies, spoken("masked", language)))
        if claimed.waiting >= MANY_WAITING and not claimed.slowed:
            answer = replace(answer, replies=(*answer.replies, spoken("slow_down", language)), slowed=True)
        if claimed.mode == Mode.WAITING:
            answer = person.while_waiting(claimed, answer, language)
        if not claimed.last_position and not introduces_itself(incoming, answer.topic):
            answer = _led("automatic", language, answer)
        return answer

    async def _answer_kind(self, claimed: Claim, tongue: Tongue) -> Answer:
        incoming, language = claimed.incoming, tongue.language
        if incoming.kind is Kind.GROUP:
            if claimed.slowed:  # once a minute is enough
                return _nothing(claimed, f"{Outcome.IGNORED}:{Kind.GROUP}")
            return replace(_notice(claimed, spoken("group", language)), slowed=True)
        if incoming.kind in (Kind.TEXT, Kind.CHOICE):
            return await self._answer_words(claimed, tongue)
        if claimed.mode == Mode.COACH:
            return person.to_coach(claimed, language, None)
        match incoming.kind:
            case Kind.CONTACT:
                return _notice(claimed, spoken("contact", language, (coach_button(language),)))
            case Kind.LOCATION:
                return _led("location", language, await self._press("/school_where", claimed, tongue))
            case Kind.MEDIA if has_words(incoming.text):
                return _led("media_caption", language, await self._answer_text(claimed, tongue))
        return _notice(claimed, spoken(f"media_{incoming.payload}", language))

    async def _answer_words(self, claimed: Claim, tongue: Tongue) -> Answer:
        """Something that was typed or pressed: a button, a command, or words to understand."""
        incoming = claimed.incoming
        payload = incoming.payload or typed_button(incoming.text, claimed.offered)
        if payload is not None:
            if payload.startswith(LANGUAGE_PAYLOAD):
                return await self._switch(claimed, payload.removeprefix(LANGUAGE_PAYLOAD))
            if payload == FORGET_PAYLOAD:
                done, within = spoken("forgotten", tongue.language), person.forget(claimed)
                return Answer(
                    Outcome.COMMAND, (done,), tongue.language, tongue.origin, None, forget=True, within=within
                )
            if about_coach := person.pressed(claimed, payload, tongue.language):
                return about_coach
            with contextlib.suppress(UnknownButton):  # an old or forged button: its title is read instead
                if claimed.mode != Mode.COACH:
                    return await self._press(payload, claimed, tongue)
        if not incoming.text:
            return _notice(claimed, spoken("stale_button", tongue.language))
        given = command(incoming.text)
        return await (self._obey(given, claimed, tongue) if given else self._answer_text(claimed, tongue))

    async def _answer_text(self, claimed: Claim, tongue: Tongue) -> Answer:
        text = claimed.incoming.text
        chosen = choose(self.detector.detect(text, tongue.language), tongue)
        if claimed.mode == Mode.COACH:
            turn = await self._turn((chosen or tongue).language, claimed, text=text) if has_words(text) else None
            return person.to_coach(claimed, tongue.language, turn)
        if chosen is None:
            return _notice(claimed, choose_language())
        if not has_words(text):
            return await self._answer_signs(claimed, tongue)
        turn = await self._turn(chosen.language, claimed, text=text)
        understood = turn.understood
        clear = understood.decision == "answer" and understood.topic not in SMALL_TALK
        is_question = clear or "?" in text or "؟" in text
        if remark := person.awaited(claimed, tongue.language, is_question):
            return remark
        wanted = asked_for_language(understood.topic, understood.entities)
        if wanted and wanted != chosen.language:
            return await self._switch(claimed, wanted, turn)
        return _answered(claimed, turn, chosen)

    async def _answer_signs(self, claimed: Claim, tongue: Tongue) -> Answer:
        """A thumb or a question mark may be an answer; anything else gets a friendly line."""
        turn = await self._turn(tongue.language, claimed, text=claimed.incoming.text)
        if turn.understood.decision == "answer" and turn.understood.confidence >= _SURE_OF_A_SIGN:
            return _answered(claimed, turn, tongue)
        return _notice(claimed, spoken("no_words", tongue.language))

    async def _press(self, payload: str, claimed: Claim, tongue: Tongue) -> Answer:
        return _answered(claimed, await self._turn(tongue.language, claimed, payload=payload), tongue)

    async def _turn(self, language: str, claimed: Claim, text: str | None = None, payload: str | None = None) -> Turn:
        situation = "waiting" if claimed.mode == Mode.WAITING else "free" if await self.coaches() else "none"
        return await self.understanding.turn(language, claimed.dialogue, text, payload, situation)

    async def _obey(self, given: Command, claimed: Claim, tongue: Tongue) -> Answer:
        """A command like /help: the same in every channel."""
        if given is Command.COACH and (asked := person.asks_about_coach(claimed, tongue.language)):
            return asked
        if given in _TOPICS:
            answer = await self._press(_TOPICS[given], claimed, tongue)
            return answer if answer.within else replace(answer, outcome=Outcome.COMMAND)
        if given is Command.FORGET:
            reply = spoken("forget_question", tongue.language, (forget_button(tongue.language),))
        elif given is Command.START:
            reply = welcome(tongue.language)
        elif given is Command.LANGUAGE:
            reply = choose_language()
        else:
            reply = spoken("stopped", tongue.language)
        answer = replace(_notice(claimed, reply), outcome=Outcome.COMMAND, muted=given is Command.STOP)
        return answer if answer.language else replace(answer, language=tongue.language, language_from=tongue.origin)

    async def _switch(self, claimed: Claim, language: str, asked: Turn | None = None) -> Answer:
        """Go on in another language, with the talk carried along."""
        if language not in LANGUAGES:
            return _notice(claimed, choose_language())
        answer = await self._press("/change_language", claimed, Tongue(language, CHOSEN))
        if asked is None:
            return replace(answer, outcome=Outcome.COMMAND, topic=None, confidence=None)
        return replace(answer, topic=asked.understood.topic, confidence=asked.understood.confidence)


def _answered(claimed: Claim, turn: Turn, tongue: Tongue) -> Answer:
    understood = turn.understood
    replies = turn.replies
    if understood.topic == "change_language" and understood.decision == "answer":
        replies = tuple(replace(reply, buttons=language_buttons()) for reply in replies)
    if understood.topic == "delete_my_data" and understood.decision == "answer":
        button = forget_button(tongue.language)
        replies = tuple(replace(reply, buttons=(button, *reply.buttons[:2])) for reply in replies)
    answer = Answer(
        outcome=outcome(understood.decision),
        replies=replies,
        language=tongue.language,
        language_from=tongue.origin,
        dialogue=turn.state,
        topic=understood.topic,
        confidence=understood.confidence,
    )
    return person.requested(claimed, turn, answer) if turn.referral else answer


def _notice(claimed: Claim, reply: Reply) -> Answer:
    return Answer(Outcome.NOTICE, (reply,), claimed.language, claimed.language_from, claimed.dialogue)


def _nothing(claimed: Claim, outcome: str, blocked: bool = False) -> Answer:
    return Answer(outcome, (), claimed.language, claimed.language_from, claimed.dialogue, blocked=blocked)


def _led(phrase: str, language: str, answer: Answer) -> Answer:
    """The same answer with a sentence before its first text; a pin on the map stays a pin."""
    lead, replies = spoken(phrase, language), list(answer.replies)
    at = next((number for number, reply in enumerate(replies) if not reply.place), None)
    if at is None:
        return answer
    replies[at] = lead.before(replies[at])
    return replace(answer, replies=tuple(replies))
