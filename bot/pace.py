"""How fast a channel may send: over all, to one person, and when the platform said "slower". Pure, no I/O.

Every limit is one "theoretical arrival time" (the generic cell rate algorithm): a message is allowed `burst - 1`
intervals before it, and moves it one interval on.
"""

from __future__ import annotations

from bot.messages import Limits

_MARGIN = 1.05  # timers are not exact: stay a little under what is allowed
_MOST_REMEMBERED = 20_000


class Pace:
    """Times are seconds of any clock that only goes forward."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._interval = _MARGIN / limits.per_second if limits.per_second else 0.0
        self._next = 0.0
        self._people: dict[str, float] = {}
        self._held: dict[str, float] = {}
        self._all_held = 0.0

    def reserve(self, address: str, now: float, most_wait: float) -> tuple[float, bool]:
        """(seconds to wait, reserved): the next free moment is taken unless it is further off than `most_wait`."""
        person = self._limits.person_seconds
        early = (self._limits.burst - 1) * person
        at = max(now, self._next, self._all_held, self._held.get(address, 0.0), self._people.get(address, 0.0) - early)
        if at - now > most_wait:
            return at - now, False
        self._next = at + self._interval
        if person:
            self._people[address] = max(self._people.get(address, 0.0), at) + person
            self._tidy(now)
        return at - now, True

    def hold(self, address: str | None, until: float) -> None:
        """Nothing to `address` (None: to nobody) before `until`."""
        if address is None:
            self._all_held = max(self._all_held, until)
        else:
            self._held[address] = max(self._held.get(address, 0.0), until)

    def _tidy(self, now: float) -> None:
        if len(self._people) + len(self._held) > _MOST_REMEMBERED:
            self._people = {address: at for address, at in self._people.items() if at > now}
            self._held = {address: at for address, at in self._held.items() if at > now}
