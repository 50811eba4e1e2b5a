"""Somebody with Telegram on their phone: writes, presses buttons, sends voice notes, blocks the bot."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tests.fakes.telegram import BOT, FakeTelegram
from tests.fakes.telegram_methods import Json

_ids = itertools.count(5_011_223_301)
_groups = itertools.count(1)
_queries = itertools.count(4_382_700_000_000_000_001)


class Person:
    """One private chat with the bot. What the bot wrote is in `chat`, as it looks now."""

    def __init__(self, fake: FakeTelegram, language: str | None = "nl") -> None:
        self.fake = fake
        self.id = next(_ids)
        self.user: Json = {"id": self.id, "is_bot": False, "first_name": "Samira"}
        self.user |= {"language_code": language} if language else {}
        self.where: Json = {"id": self.id, "type": "private", "first_name": "Samira"}
        self.heard = 0
        self.queries: set[str] = set()  # the buttons this person pressed

    @property
    def chat(self) -> list[Json]:
        return self.fake.messages[self.id]

    @property
    def texts(self) -> list[str]:
        return [message.get("text", "") for message in self.chat]

    def message(self, **content: Any) -> Json:
        """A message of this person, as Telegram describes it."""
        about = {"message_id": self.fake.number(), "from": self.user, "chat": self.where, "date": int(time.time())}
        return {**about, **content}

    def sends(self, **content: Any) -> int:
        """A message with any content; its update_id."""
        return self.fake.push({"message": self.message(**content)})

    def writes(self, text: str) -> int:
        command = text.split()[0] if text.startswith("/") else ""
        entities = [{"type": "bot_command", "offset": 0, "length": len(command)}] if command else None
        return self.sends(text=text, **({"entities": entities} if entities else {}))

    def presses(self, title: str) -> int:
        """The latest button with this title."""
        for message in reversed(self.chat):
            for button in buttons(message):
                if button["text"] == title:
                    return self.pushes(message, button["callback_data"])
        raise AssertionError(f"no button {title!r} in {[buttons(message) for message in self.chat]}")

    def pushes(self, message: Json, data: str) -> int:
        """A button with `data` under a message, also one that is not there."""
        query: Json = {
            "id": str(next(_queries)),
            "from": self.user,
            "message": message,
            "chat_instance": "-7412369852147",
        }
        self.queries.add(query["id"])
        return self.fake.push({"callback_query": {**query, "data": data}})

    def blocks(self) -> int:
        self.fake.blocked.add(self.id)
        return self.is_member("member", "kicked")

    def unblocks(self) -> int:
        self.fake.blocked.discard(self.id)
        return self.is_member("kicked", "member")

    def is_member(self, old: str, new: str) -> int:
        """We are let in or put out."""
        change = {"chat": self.where, "from": self.user, "date": int(time.time())}
        was, now = ({"user": BOT, "status": s} | ({"until_date": 0} if s == "kicked" else {}) for s in (old, new))
        return self.fake.push({"my_chat_member": {**change, "old_chat_member": was, "new_chat_member": now}})

    async def hears(self, replies: int = 1, seconds: float = 20.0) -> list[Json]:
        """The next `replies` messages of the bot."""
        wanted = self.heard + replies
        await self.fake.until(lambda: len(self.chat) >= wanted, seconds)
        new, self.heard = self.chat[self.heard : wanted], wanted
        return new

    async def says(self, text: str, replies: int = 1) -> list[Json]:
        self.writes(text)
        return await self.hears(replies)

    async def press(self, title: str, replies: int = 1) -> list[Json]:
        self.presses(title)
        return await self.hears(replies)


class Member(Person):
    """Somebody in a group with the bot: what they write is written there."""

    def __init__(self, fake: FakeTelegram, language: str | None = "nl") -> None:
        super().__init__(fake, language)
        self.person, self.id = self.id, -next(_groups) - 4_000_000_000
        self.before = self.id
        self.where = {"id": self.id, "type": "group", "title": "Buurthuis West", "all_members_are_administrators": True}

    def moves(self) -> int:
        """The group becomes a supergroup with another id; it was written to under the old one just before."""
        self.before, self.id = self.id, -1_000_000_000_000 + self.id
        self.fake.moved[self.before] = self.id
        self.fake.known[self.id] = {"id": self.id, "type": "supergroup", "title": "Buurthuis West"}
        return self.id


def buttons(message: Json) -> list[Json]:
    """All buttons under a message, row after row."""
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", ()) for button in row]


def titles(message: Json) -> list[str]:
    return [button["text"] for button in buttons(message)]
