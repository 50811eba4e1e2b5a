"""What WhatsApp allows, for tests/fakes/whatsapp.py: limits and windows over a clock of our own. Pure, no I/O.

Written differently from bot/pace.py on purpose: it counts what came in, it does not plan.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PER_SECOND = 80
BURST, PAIR_SECONDS = 45, 6.0
WINDOW_HOURS = 24
_TITLES = {
    100: "Invalid parameter",
    190: "Error validating access token",
    130429: "Rate limit hit",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    131062: "Business-scoped User ID (BSUID) recipients are not supported for this message",
}
_STATUS = {190: 401, 130429: 429, 80007: 429, 4: 429, 1: 500, 2: 503, 131000: 500, 131016: 503}


@dataclass(frozen=True)
class Person:
    """Somebody on WhatsApp; either of phone and user id may be unknown to the business."""

    name: str
    phone: str | None = None
    user_id: str | None = None

    @property
    def address(self) -> str:
        """Who this is for the business: the user id before the phone number."""
        return self.user_id or self.phone or ""


@dataclass
class Clock:
    """Seconds that go by themselves, and can be moved on."""

    real: Callable[[], float] = time.monotonic
    ahead: float = 0.0

    def now(self) -> float:
        return self.real() + self.ahead

    def skip(self, hours: float) -> None:
        self.ahead += hours * 3600


@dataclass
class Rules:
    """What was sent and heard so far, and so what is allowed now."""

    clock: Clock = field(default_factory=Clock)
    _taken: deque[float] = field(default_factory=deque)
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)  # person -> (left, at)
    _heard: dict[str, float] = field(default_factory=dict)

    def heard(self, *addresses: str | None) -> None:
        """Somebody wrote: their window is open again, under every address they have."""
        self._heard |= dict.fromkeys(filter(None, addresses), self.clock.now())

    def refusal(self, payload: dict[str, Any]) -> int | None:
        """The error code this message gets, None when it is taken (and then it counts)."""
        now, to = self.clock.now(), str(payload.get("to") or payload.get("recipient"))
        while self._taken and self._taken[0] <= now - 1.0:
            self._taken.popleft()
        if len(self._taken) >= PER_SECOND:
            return 130429
        left, at = self._tokens.get(to, (float(BURST), now))
        left = min(float(BURST), left + (now - at) / PAIR_SECONDS)
        if left < 1.0 - 1e-9:
            return 131056
        if payload.get("type") != "template" and now - self._heard.get(to, float("-inf")) > WINDOW_HOURS * 3600:
            return 131047
        self._taken.append(now)
        self._tokens[to] = (left - 1.0, now)
        return None


def error(code: int, details: str = "") -> tuple[int, dict[str, Any]]:
    """(HTTP status, body) of an error as the Graph API answers it."""
    title = _TITLES.get(code, "Something went wrong")
    said = {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or title},
        "fbtrace_id": "AZx1fakefakefakefakefake",
    }
    return _STATUS.get(code, 400), {"error": said}
