"""What an error of Telegram means, in our words."""

from __future__ import annotations

from datetime import timedelta

from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.messages import Failure, NotSent

_GONE = ("chat not found", "user is deactivated", "user not found", "peer_id_invalid")


def failure(error: TelegramError) -> NotSent:
    """What an error of the library means, in our words."""
    match error:
        case RetryAfter():
            pause = error.retry_after
            seconds = pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
            return NotSent(Failure.SLOWER, "429", seconds=seconds)
        case ChatMigrated():
            return NotSent(Failure.MOVED, "migrated", address=str(error.new_chat_id))
        case Forbidden():
            return NotSent(Failure.BLOCKED, "403")
        case InvalidToken():
            return NotSent(Failure.ALARM, "token")
        case Conflict():
            return NotSent(Failure.ALARM, "somebody else fetches with this token", seconds=5)
        case BadRequest() if any(words in error.message.lower() for words in _GONE):
            return NotSent(Failure.BLOCKED, "gone")
        case BadRequest():
            return NotSent(Failure.REFUSED, "400")
    return NotSent(Failure.AWAY, type(error).__name__)
