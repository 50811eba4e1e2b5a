"""What a coach does in the coaches' group on Telegram: the same cases as at the desk. Used by answer.py.

In the topic of a case, what its own coach writes goes to the person; a line that begins with // is a note
for colleagues. Everything happens in the transaction that closes the message, so a crash repeats nothing.
"""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import transcript
from bot.claims import Answer, Claim
from bot.coach import cases
from bot.coach.case import OUTCOMES, By, NotYours, UnknownCase
from bot.handover import NotPossible
from bot.inbox import Outcome
from bot.messages import Author, InGroup, Reply
from bot.phrases import say

NOTE_SIGN = "//"
TAKE, GIVE_BACK, HAND_BACK, CLOSE = "take", "give_back", "hand_back", "close"
_DONE = f"{Outcome.IGNORED}:from_coach"
_DUTCH = "nl"  # what coaches read

_CASE = text("SELECT key FROM referral WHERE thread_id = :thread")
_COACH = text("SELECT id, name FROM coach WHERE telegram_id = :person AND active")


def answer(claimed: Claim) -> Answer:
    """The answer to a message of a coach: nothing is said to anybody here, all is done within the transaction."""
    incoming = claimed.incoming
    told = InGroup(**json.loads(incoming.payload or "{}"))

    async def within(link: AsyncConnection) -> None:
        problem = await _do(link, claimed, told)
        if problem:
            reply = Reply(say(problem, _DUTCH))
            await transcript.append(
                link, claimed.conversation_id, [reply], Author.ASSISTANT, language=_DUTCH, quote=incoming.message_id
            )

    return Answer(_DONE, (), claimed.language, claimed.language_from, claimed.dialogue, within=within)


async def _do(link: AsyncConnection, claimed: Claim, told: InGroup) -> str | None:
    """None when it worked, else the phrase that says why not."""
    key = (await link.execute(_CASE, {"thread": told.thread})).scalar()
    if key is None:
        return None  # talk among coaches
    coach = (await link.execute(_COACH, {"person": told.person})).one_or_none()
    if coach is None:
        return "group_unknown_coach"
    by = By(coach.id, coach.name)
    try:
        async with link.begin_nested():
            if told.does:
                await _press(link, key, by, told.does)
            elif claimed.incoming.text.startswith(NOTE_SIGN):
                await cases.note(link, key, by, claimed.incoming.text.removeprefix(NOTE_SIGN).strip())
            elif claimed.incoming.text:
                words = Reply(claimed.incoming.text)
                await cases.write(link, key, by, [words], inbox_id=claimed.inbox_id)
    except NotYours:
        return "group_not_yours"
    except (NotPossible, UnknownCase):
        return "group_too_late"
    return None


async def _press(link: AsyncConnection, key: str, by: By, does: str) -> None:
    action, _, detail = does.partition(":")
    if action == TAKE:
        await cases.take(link, key, by)
    elif action == GIVE_BACK:
        await cases.give_back(link, key, by)
    elif action == HAND_BACK:
        await cases.hand_back(link, key, by)
    elif action == CLOSE and detail in OUTCOMES:
        await cases.close(link, key, by, detail)
