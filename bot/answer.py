"""What is said to one message: by its kind, as a command, as a pressed button, or by asking the Rasa side.

Called by respond.py with a claimed message; gives the Answer that claims.finish saves. Changes nothing itself.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from bot.claims import MANY_WAITING, UNREADABLE, Answer, Claim
from bot.conversation import (
    CHOSEN,
    Command,
    Tongue,
    asked_for_language,
    command,
    first_tongue,
    introduces_itself,
    outcome,
    typed_button,
)
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
    say,
    welcome,
)
from bot.understanding import Turn, Understanding, UnknownButton

_SURE_OF_A_SIGN = 0.6  # a thumb is yes, a heart is thanks; other emoji say too little
_SILENT = (Kind.EDITED, Kind.REACTION, Kind.BLOCKED, Kind.UNBLOCKED, Kind.IDLE)
_TOPICS = {Command.COACH: "/talk_to_coach", Command.PRIVACY: "/privacy", Command.HELP: "/capabilities"}


@dataclass(frozen=True)
class Answerer:
    """Finds the answer to a claimed message."""

    understanding: Understanding
    detector: Detector

    async def answer(self, claimed: Claim) -> Answer:
        """Raises what understanding.py raises; then the message is tried again."""
        incoming = claimed.incoming
        if incoming.kind in _SILENT:
            reason = incoming.payload if incoming.kind is Kind.IDLE else incoming.kind
            return _nothing(claimed, f"{Outcome.IGNORED}:{reason}", blocked=incoming.kind is Kind.BLOCKED)
        if incoming.kind is Kind.UNREADABLE:
            return _nothing(claimed, UNREADABLE)
        tongue = first_tongue(claimed.language, claimed.language_from, incoming.language_hint)
        answer = await self._answer_kind(claimed, tongue)
        if claimed.waiting >= MANY_WAITING and not claimed.slowed:
            notice = Reply(say("slow_down", answer.language or tongue.language))
            answer = replace(answer, replies=(*answer.replies, notice), slowed=True)
        if not claimed.last_position and not introduces_itself(incoming, answer.topic):
            answer = _led(say("automatic", answer.language or tongue.language), answer)
        return answer

    async def _answer_kind(self, claimed: Claim, tongue: Tongue) -> Answer:
        incoming = claimed.incoming
        match incoming.kind:
            case Kind.GROUP if claimed.slowed:  # once a minute is enough
                return _nothing(claimed, f"{Outcome.IGNORED}:{Kind.GROUP}")
            case Kind.GROUP:
                return replace(_notice(claimed, Reply(say("group", tongue.language))), slowed=True)
            case Kind.CONTACT:
                return _notice(claimed, Reply(say("contact", tongue.language), (coach_button(tongue.language),)))
            case Kind.LOCATION:
                return _led(say("location", tongue.language), await self._press("/school_where", claimed, tongue))
            case Kind.MEDIA if has_words(incoming.text):
                lead = say("media_caption", tongue.language)
                return _led(lead, await self._answer_text(claimed, tongue))
            case Kind.MEDIA:
                return _notice(claimed, Reply(say(f"media_{incoming.payload}", tongue.language)))
        payload = incoming.payload or typed_button(incoming.text, claimed.offered)
        if payload is not None:
            if payload.startswith(LANGUAGE_PAYLOAD):
                return await self._switch(claimed, payload.removeprefix(LANGUAGE_PAYLOAD))
            if payload == FORGET_PAYLOAD:
                done = Reply(say("forgotten", tongue.language))
                return Answer(Outcome.COMMAND, (done,), tongue.language, tongue.origin, None, forget=True)
            with contextlib.suppress(UnknownButton):  # an old or forged button: its title is read instead
                return await self._press(payload, claimed, tongue)
        if not incoming.text:
            return _notice(claimed, Reply(say("stale_button", tongue.language)))
        given = command(incoming.text)
        return await (self._obey(given, claimed, tongue) if given else self._answer_text(claimed, tongue))

    async def _answer_text(self, claimed: Claim, tongue: Tongue) -> Answer:
        text = claimed.incoming.text
        chosen = choose(self.detector.detect(text, tongue.language), tongue)
        if chosen is None:
            return _notice(claimed, choose_language())
        if not has_words(text):
            return await self._answer_signs(claimed, tongue)
        turn = await self.understanding.turn(chosen.language, claimed.dialogue, text=text)
        wanted = asked_for_language(turn.understood.topic, turn.understood.entities)
        if wanted and wanted != chosen.language:
            return await self._switch(claimed, wanted, turn)
        return _answered(turn, chosen)

    async def _answer_signs(self, claimed: Claim, tongue: Tongue) -> Answer:
        """A thumb or a question mark may be an answer; anything else gets a friendly line."""
        turn = await self.understanding.turn(tongue.language, claimed.dialogue, text=claimed.incoming.text)
        if turn.understood.decision == "answer" and turn.understood.confidence >= _SURE_OF_A_SIGN:
            return _answered(turn, tongue)
        return _notice(claimed, Reply(say("no_words", tongue.language)))

    async def _press(self, payload: str, claimed: Claim, tongue: Tongue) -> Answer:
        return _answered(await self.understanding.turn(tongue.language, claimed.dialogue, payload=payload), tongue)

    async def _obey(self, given: Command, claimed: Claim, tongue: Tongue) -> Answer:
        """A command like /help: the same in every channel."""
        if given in _TOPICS:
            return replace(await self._press(_TOPICS[given], claimed, tongue), outcome=Outcome.COMMAND)
        if given is Command.FORGET:
            reply = Reply(say("forget_question", tongue.language), (forget_button(tongue.language),))
        elif given is Command.START:
            reply = welcome(tongue.language)
        elif given is Command.LANGUAGE:
            reply = choose_language()
        else:
            reply = Reply(say("stopped", tongue.language))
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


def _notice(claimed: Claim, reply: Reply) -> Answer:
    return Answer(Outcome.NOTICE, (reply,), claimed.language, claimed.language_from, claimed.dialogue)


def _nothing(claimed: Claim, outcome: str, blocked: bool = False) -> Answer:
    return Answer(outcome, (), claimed.language, claimed.language_from, claimed.dialogue, blocked=blocked)


def _led(lead: str, answer: Answer) -> Answer:
    """The same answer with a sentence in front of its first bubble."""
    return replace(answer, replies=_with_lead(answer.replies, lead))


def _with_lead(replies: tuple[Reply, ...], lead: str) -> tuple[Reply, ...]:
    """`lead` before the first text; a pin on the map stays a pin."""
    at = next((number for number, reply in enumerate(replies) if not reply.place), 0)
    return tuple(
        replace(reply, text=f"{lead}\n\n{reply.text}") if number == at else reply
        for number, reply in enumerate(replies)
    )
