"""How fast a channel may send: over all, to one person, and when the platform said "slower".

Over all, time is cut into slots, one message in each: who must wait for a turn of their own takes a later slot and
leaves the ones before it to others. To one person it is one "theoretical arrival time" (the generic cell rate
algorithm): a message is allowed `burst - 1` intervals before it, and moves it one interval on.

A message arrives some time between leaving and its answer, and one that was held up on its way is close to the next.
So a distance counts from the answer on (`arrived`), and a Window lets no more on their way than may arrive together.
"""

from __future__ import annotations

import asyncio
import math

from bot.messages import Limits

_MARGIN = 1.05  # timers are not exact: stay a little under what is allowed
_MOST_REMEMBERED = 20_000
_MOST_SLOTS = 1_000


class Window:
    """`async with`: at most `per_second` messages that are on their way or arrived within the last second."""

    def __init__(self, per_second: float | None) -> None:
        self._free = asyncio.Semaphore(max(1, int(per_second))) if per_second else None

    async def __aenter__(self) -> None:
        if self._free:
            await self._free.acquire()

    async def __aexit__(self, *_: object) -> None:
        if self._free:
            asyncio.get_running_loop().call_later(1.0, self._free.release)


class Pace:
    """Times are seconds of any clock that only goes forward."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slot = _MARGIN / limits.per_second if limits.per_second else 0.0
        self._taken: set[int] = set()
        self._people: dict[str, float] = {}
        self._held: dict[str, float] = {}
        self._all_held = 0.0

    def reserve(self, address: str, now: float, most_wait: float) -> tuple[float, bool]:
        """(seconds to wait, reserved): the next free moment is taken unless it is further off than `most_wait`."""
        person = self._limits.person_seconds
        early = (self._limits.burst - 1) * person
        at = max(now, self._all_held, self._held.get(address, 0.0), self._people.get(address, 0.0) - early)
        slot = self._free_slot(at) if self._slot else 0
        at = max(at, slot * self._slot)
        if at - now > most_wait:
            return at - now, False
        if self._slot:
            self._taken.add(slot)
        if person:
            self._people[address] = max(self._people.get(address, 0.0), at) + person
        self._tidy(now)
        return at - now, True

    def arrived(self, address: str, now: float) -> None:
        """The platform has answered: one that took long is not followed at once."""
        if address in self._people:
            self._people[address] = max(self._people[address], now + self._limits.person_seconds)

    def hold(self, address: str | None, until: float) -> None:
        """Nothing to `address` (None: to nobody) before `until`."""
        if address is None:
            self._all_held = max(self._all_held, until)
        else:
            self._held[address] = max(self._held.get(address, 0.0), until)

    def _free_slot(self, at: float) -> int:
        slot = math.floor(at / self._slot)
        while slot in self._taken:
            slot += 1
        return slot

    def _tidy(self, now: float) -> None:
        if len(self._taken) > _MOST_SLOTS:
            past = math.floor(now / self._slot)
            self._taken = {slot for slot in self._taken if slot >= past}
        if len(self._people) + len(self._held) > _MOST_REMEMBERED:
            self._people = {address: at for address, at in self._people.items() if at > now}
            self._held = {address: at for address, at in self._held.items() if at > now}
