"""How fast a bot may send, as Telegram judges it on arrival: too fast is counted and answered 429."""

from __future__ import annotations

import time
from collections import deque

_TOLERANCE = 0.15  # of the second to one chat: two calls on their way do not keep their distance to the millisecond


class Limits:
    """30 messages in any second over all, one a second to one chat, none to a chat that was told to wait."""

    def __init__(self, per_second: int = 30, chat_seconds: float = 1.0) -> None:
        self.too_fast: list[str] = []
        self._per_second = per_second
        self._chat_seconds = chat_seconds
        self._recent: deque[float] = deque()
        self._last: dict[int, float] = {}
        self._held: dict[int, float] = {}

    def take(self, chat: int) -> int | None:
        """Count one message; seconds to wait (retry_after) when it came too soon."""
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1.0:
            self._recent.popleft()
        since = now - self._last.get(chat, float("-inf"))
        if now < self._held.get(chat, 0.0):
            return self._refuse(chat, "was told to wait")
        if since < self._chat_seconds - _TOLERANCE:
            return self._refuse(chat, f"{since:.2f} s after the one before")
        if len(self._recent) >= self._per_second:
            return self._refuse(chat, f"number {len(self._recent) + 1} in one second")
        self._recent.append(now)
        self._last[chat] = now
        return None

    def hold(self, chat: int, seconds: float) -> None:
        """Whatever comes for `chat` in the next `seconds` comes too soon."""
        self._held[chat] = time.monotonic() + seconds * 0.98

    def _refuse(self, chat: int, why: str) -> int:
        self.too_fast.append(f"{chat}: {why}")
        return 1
