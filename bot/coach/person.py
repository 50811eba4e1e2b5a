"""What a person's message means where a coach is asked for, expected or talking. Used by answer.py.

Here stand the answers that the Rasa side cannot give, because they change a case (bot/coach/cases.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.claims import Answer, Claim
from bot.coach import cases
from bot.coach.case import Wish
from bot.coach.cases import RATING_PAYLOAD
from bot.handover import Mode
from bot.inbox import Outcome
from bot.messages import Button, Kind, Reply
from bot.phrases import spoken
from bot.understanding import Turn

CANCEL_PAYLOAD = "referral:cancel"
TOLD = "told"  # conversation.awaits while waiting: the person knows that a coach is coming
_SAFETY = ("crisis_suicide", "crisis_violence", "urgent_help")
_FROM_PERSON = (Kind.TEXT, Kind.CHOICE, Kind.MEDIA, Kind.LOCATION, Kind.CONTACT)
Within = Callable[[AsyncConnection], Awaitable[None]]


def requested(claimed: Claim, turn: Turn, answer: Answer) -> Answer:
    """The form was sent: the case is opened in the same transaction, which also tells the person what happens next."""
    wish = Wish(**(turn.referral or {}))

    async def within(link: AsyncConnection) -> None:
        await cases.request(link, claimed.conversation_id, wish)

    return replace(answer, outcome=Outcome.TO_COACH, topic=None, confidence=None, within=within)


def pressed(claimed: Claim, payload: str, language: str) -> Answer | None:
    """Buttons about a coach: stop with the coach, and whether it helped. None for any other button."""
    if payload == CANCEL_PAYLOAD:
        return _cancelled(claimed, language)
    if payload.startswith(RATING_PAYLOAD):
        key, _, number = payload.removeprefix(RATING_PAYLOAD).partition(":")
        if number in ("1", "2", "3"):
            return _rated(claimed, key, int(number), language)
    return None


def awaited(claimed: Claim, language: str, is_question: bool) -> Answer | None:
    """One line about whether it helped, when that was asked for and this is not a question."""
    if not (claimed.awaits or "").startswith(RATING_PAYLOAD) or is_question:
        return None
    key = (claimed.awaits or "").removeprefix(RATING_PAYLOAD)

    async def within(link: AsyncConnection) -> None:
        await cases.rate(link, claimed.conversation_id, key, None, claimed.incoming.text)

    return replace(_said(claimed, spoken("rated_words", language)), within=within)


def while_waiting(claimed: Claim, answer: Answer, language: str) -> Answer:
    """The assistant goes on answering, and says once that a coach is coming. The case hears that the person wrote."""
    asked = answer.outcome in (Outcome.ANSWERED, Outcome.ASKED_BACK, Outcome.NOT_UNDERSTOOD)
    if asked and claimed.awaits != TOLD and answer.replies:
        first, *rest = answer.replies
        answer = replace(answer, replies=(spoken("coach_coming", language).before(first), *rest))
    return replace(_heard(claimed, answer), awaits=answer.awaits or TOLD)


def to_coach(claimed: Claim, language: str, turn: Turn | None) -> Answer:
    """A coach has the talk: nothing is answered, except that a crisis gets its numbers at once.

    `turn` is what the message means by itself, None when there were no words.
    """
    base = Answer(Outcome.TO_COACH, (), claimed.language or language, claimed.language_from, claimed.dialogue)
    if turn is None:
        return _heard(claimed, base)
    understood = turn.understood
    sure = understood.decision == "answer"
    base = replace(base, topic=understood.topic, confidence=understood.confidence)
    if sure and understood.topic in _SAFETY:
        lead = spoken("crisis_while_coached", language)
        replies = tuple(lead.before(reply) if at == 0 else reply for at, reply in enumerate(turn.replies))
        return _heard(claimed, replace(base, replies=replies), urgent=True)
    if sure and understood.topic == "cancel_referral":
        return _heard(claimed, replace(base, replies=(_stop_question(language),)))
    return _heard(claimed, base)


def forget(claimed: Claim) -> Within:
    """With everything else, who they are also leaves their cases."""

    async def within(link: AsyncConnection) -> None:
        await cases.forget(link, claimed.conversation_id)

    return within


def asks_about_coach(claimed: Claim, language: str) -> Answer | None:
    """/coach while a coach is talking: stop, or go on."""
    return _said(claimed, _stop_question(language)) if claimed.mode == Mode.COACH else None


def _cancelled(claimed: Claim, language: str) -> Answer:
    if claimed.mode == Mode.BOT:
        return _said(claimed, spoken("no_request", language))

    async def within(link: AsyncConnection) -> None:
        await cases.cancel(link, claimed.conversation_id)

    return replace(_said(claimed), outcome=Outcome.TO_COACH, within=within)


def _rated(claimed: Claim, key: str, rating: int, language: str) -> Answer:
    async def within(link: AsyncConnection) -> None:
        await cases.rate(link, claimed.conversation_id, key, rating, None)

    return replace(_said(claimed, spoken("rated", language)), within=within, awaits=RATING_PAYLOAD + key)


def _heard(claimed: Claim, answer: Answer, urgent: bool = False) -> Answer:
    if claimed.incoming.kind not in _FROM_PERSON:
        return answer
    before = answer.within

    async def within(link: AsyncConnection) -> None:
        if before:
            await before(link)
        await cases.heard(link, claimed.conversation_id, urgent)

    return replace(answer, within=within)


def _stop_question(language: str) -> Reply:
    cancel = spoken("cancel_button", language)
    return spoken("stop_coach_question", language, (Button(cancel.text, CANCEL_PAYLOAD),))


def _said(claimed: Claim, *replies: Reply) -> Answer:
    return Answer(Outcome.COMMAND, replies, claimed.language, claimed.language_from, claimed.dialogue)
