"""Forum topics of a supergroup: opened and closed by the bot, written in by it, deleted by people."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from tests.fakes import telegram_faults as faults
from tests.fakes.telegram_faults import Failed
from tests.fakes.telegram_methods import Json


@dataclass
class Topic:
    name: str
    closed: bool = False


@dataclass
class Topics:
    """`there` is every topic that was not deleted, by (chat, message_thread_id)."""

    there: dict[tuple[int, int], Topic] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(31))

    def open(self, chat: int, name: str) -> Json:
        number = next(self._numbers)
        self.there[chat, number] = Topic(name)
        return {"message_thread_id": number, "name": name, "icon_color": 7322096}

    def close(self, chat: int, number: int) -> None:
        topic = self.find(chat, {"message_thread_id": number})
        if topic is None or topic.closed:
            raise Failed(faults.TOPIC_NOT_MODIFIED)
        topic.closed = True

    def find(self, chat: int, values: Json) -> Topic | None:
        """The topic that a call is about, if it is about one. Raises Failed when it is gone."""
        if "message_thread_id" not in values:
            return None
        if (chat, values["message_thread_id"]) not in self.there:
            raise Failed(faults.NO_THREAD)
        return self.there[chat, values["message_thread_id"]]

    def delete(self, chat: int, number: int) -> None:
        """Somebody deletes a topic with all that is in it."""
        del self.there[chat, number]
