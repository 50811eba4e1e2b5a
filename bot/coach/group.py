"""Shows every open case in the coaches' group on Telegram: a forum topic per case, with its lines and buttons.

One process at a time does it. How far a case was shown stands with the case (`mirrored`, `thread_says`), and moves on
only after Telegram took it: a crash may repeat a bubble, never lose one. A topic that somebody deleted is made again,
with all that was said. What coaches write there comes in like any message (colleague.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels.fit import pieces
from bot.coach.colleague import CLOSE, GIVE_BACK, HAND_BACK, TAKE
from bot.coach.group_text import in_brief, link_to, state_line, thread_name
from bot.database import TROUBLE, Bell, single
from bot.messages import Author, Button, Limits, NotSent, ThreadGone
from bot.pace import Pace
from bot.phrases import say

logger = logging.getLogger(__name__)

Case = Row[Any]
_EVERY = 1.0
_MOST_TEXT = 3500
_LIMITS = Limits(person_seconds=4.0, burst=5)  # at most 20 messages a minute in one group, whatever the minute
_ACTIONS = {
    "waiting": ((TAKE, "group_take"),),
    "taken": ((GIVE_BACK, "group_give_back"), (HAND_BACK, "group_hand_back"), (f"{CLOSE}:helped", "group_close")),
}


class Forum(Protocol):
    """What the group must be able to do (bot/channels/telegram_group.py). All raise NotSent."""

    async def open_thread(self, name: str) -> int: ...

    async def post(self, thread: int, words: str, buttons: Sequence[Button] = ()) -> None:
        """Raises ThreadGone when the topic was deleted."""
        ...

    async def close_thread(self, thread: int) -> None: ...


@dataclass(frozen=True)
class Group:
    """`desk` is the address of the desk, for a link in every topic; `titles` gives topics in Dutch."""

    database: AsyncEngine
    bell: Bell
    forum: Forum
    desk: str
    titles: Callable[[], Awaitable[Mapping[str, str]]]

    async def run(self) -> None:
        """Until cancelled."""
        pace = Pace(_LIMITS)
        while True:
            try:
                if await self.bell.leads("coaches group"):
                    await self.show(pace)
            except TROUBLE as error:
                logger.warning("the coaches' group waits, no database: %s", type(error).__name__)
            except NotSent as problem:
                logger.warning("the coaches' group: %s", problem)
                await asyncio.sleep(max(problem.seconds, 5.0))
            await asyncio.sleep(_EVERY)

    async def show(self, pace: Pace) -> None:
        """Bring every topic up to date, as far as the pace allows."""
        async with single(self.database).connect() as link:
            rows = (await link.execute(_BEHIND)).all()
        for case in rows:
            await _in_turn(pace)
            try:
                await self._show_one(case)
            except ThreadGone:
                await self._save(case.id, thread_id=None, thread_says=None, mirrored=0)

    async def _show_one(self, case: Case) -> None:
        """One message about one case: the next of topic, state, lines."""
        if case.thread_id is None:
            if case.state != "closed":
                name = thread_name(await self._brief(case), case.key)
                await self._save(case.id, thread_id=await self.forum.open_thread(name))
            return
        state = f"{case.state}:{case.coach_id or ''}"
        if case.mirrored < case.last_position:
            async with single(self.database).connect() as link:
                lines = (await link.execute(_LINES, {"talk": case.conversation_id, "after": case.mirrored})).all()
            shown, position = _bubble(lines, case.last_position)
            if shown:
                await self.forum.post(case.thread_id, shown)
            await self._save(case.id, mirrored=position)
        elif case.thread_says != state:
            words = f"{await self._brief(case)}\n{state_line(case.state, case.coach)}\n{link_to(self.desk, case.key)}"
            buttons = [Button(say(title, "nl"), does) for does, title in _ACTIONS.get(case.state, ())]
            await self.forum.post(case.thread_id, words, buttons)
            if case.state == "closed":
                await self.forum.close_thread(case.thread_id)
            await self._save(case.id, thread_says=state)

    async def _brief(self, case: Case) -> str:
        title = (await self.titles()).get(case.topic or "")
        return in_brief(case.language, title, case.area, case.age_group, case.urgent)

    async def _save(self, case: int, **columns: object) -> None:
        setting = ", ".join(f"{name} = :{name}" for name in columns)
        async with single(self.database).connect() as link:
            await link.execute(text(f"UPDATE referral SET {setting} WHERE id = :id"), {"id": case, **columns})


async def _in_turn(pace: Pace) -> None:
    seconds, _ = pace.reserve("group", time.monotonic(), most_wait=60.0)
    await asyncio.sleep(seconds)


def _bubble(lines: Sequence[Case], last: int) -> tuple[str, int]:
    """(one message with as many lines as fit, the position it reaches). A coach's own words from here are left out."""
    shown: list[str] = []
    length, position = 0, last
    for line in lines:
        words = pieces(_line(line), _MOST_TEXT)[0]
        if shown and length + len(words) > _MOST_TEXT:
            break
        if not (line.author == Author.COACH and line.inbox_id):
            shown.append(words)
            length += len(words) + 2
        position = line.position
    return "\n\n".join(shown), position


def _line(line: Case) -> str:
    who = {Author.PERSON: "👤", Author.ASSISTANT: "🤖"}.get(Author(line.author), f"🧑‍🏫 {line.coach}:")
    dutch = f"\n(NL) {line.dutch}" if line.dutch else ""
    return f"{who} {line.text}{dutch}"


_BEHIND = text(
    """
    SELECT r.id, r.key, r.state, r.coach_id, r.urgent, r.topic, r.language, r.age_group, r.area, r.first_name,
        r.conversation_id, r.thread_id, r.thread_says, r.mirrored, c.last_position, o.name AS coach
    FROM referral r JOIN conversation c ON c.id = r.conversation_id LEFT JOIN coach o ON o.id = r.coach_id
    WHERE (r.state <> 'closed' AND (r.thread_id IS NULL OR r.mirrored < c.last_position))
       OR (r.thread_id IS NOT NULL AND r.thread_says IS DISTINCT FROM r.state || ':' || coalesce(r.coach_id::text, ''))
    ORDER BY r.urgent DESC, r.id LIMIT 20
    """
)
_LINES = text(
    """
    SELECT position, author, coach, text, dutch, inbox_id FROM transcript
    WHERE conversation_id = :talk AND position > :after ORDER BY position LIMIT 50
    """
)
