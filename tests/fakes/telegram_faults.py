"""What can go wrong with a call: what the Bot API answers then, or does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """An error answer, or (`taken`) something else while the message is in the chat all the same."""

    status: int = 200
    description: str = ""
    parameters: dict[str, int] = field(default_factory=dict)
    taken: bool = False
    dropped: bool = False  # the connection breaks, no answer comes
    answers: asyncio.Event | None = None  # the answer comes when this is set
    html: bool = False  # a proxy answers, not Telegram


class Failed(Exception):
    """Ends a call with an error answer."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.description)
        self.fault = fault


def slower(seconds: int) -> Fault:
    return Fault(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def moved(chat: int) -> Fault:
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    return Fault(400, description, {"migrate_to_chat_id": chat})


def slow(answers: asyncio.Event) -> Fault:
    return Fault(taken=True, answers=answers)


BROKEN = Fault(500, "Internal Server Error")
BAD_GATEWAY = Fault(502, html=True)
DROPPED = Fault(taken=True, dropped=True)
REFUSED = Fault(400, "Bad Request: BUTTON_DATA_INVALID")
BLOCKED = Fault(403, "Forbidden: bot was blocked by the user")
KICKED = Fault(403, "Forbidden: bot was kicked from the supergroup chat")
DEACTIVATED = Fault(403, "Forbidden: user is deactivated")
NOT_FOUND = Fault(400, "Bad Request: chat not found")
UNAUTHORIZED = Fault(401, "Unauthorized")
NO_METHOD = Fault(404, "Not Found")
OLD_QUERY = Fault(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
NO_MESSAGE = Fault(400, "Bad Request: message to edit not found")
NO_THREAD = Fault(400, "Bad Request: message thread not found")
TOPIC_NOT_MODIFIED = Fault(400, "Bad Request: TOPIC_NOT_MODIFIED")
NOT_MODIFIED = Fault(
    400,
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message",
)
WEBHOOK_SET = Fault(
    409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
TWO_READERS = Fault(
    409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
