"""Pacing over a virtual clock: never more than allowed in any window, in order, and nobody waits for somebody else."""

from __future__ import annotations

import asyncio
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messages import Limits
from bot.pace import Pace, Window

WHATSAPP = Limits(per_second=80.0, person_seconds=6.0, burst=45)
TELEGRAM = Limits(per_second=30.0, person_seconds=1.0)
FREE = Limits()
FOR_EVER = 1e9


def most_in_a_window(times: list[float], seconds: float) -> int:
    ordered = sorted(times)
    return max(bisect_left(ordered, at + seconds - 1e-9) - number for number, at in enumerate(ordered))


# limits, who asks (all at once, at 100 s) -> when each may go, in seconds from then
TABLE: dict[str, tuple[Limits, str, list[float]]] = {
    "no limits": (FREE, "aaab", [0, 0, 0, 0]),
    "one person on Telegram": (TELEGRAM, "aaa", [0, 1, 2]),
    "who waits leaves room for others": (TELEGRAM, "aabc", [0, 1, 1 / 30, 2 / 30]),
    "45 at once to one person on WhatsApp": (WHATSAPP, "a" * 45, [n / 80 for n in range(45)]),
}


@pytest.mark.parametrize("name", TABLE)
def test_when_each_may_go(name: str) -> None:
    limits, people, wanted = TABLE[name]
    pace = Pace(limits)
    waits = [pace.reserve(person, 100.0, FOR_EVER) for person in people]
    assert [wait for wait, _ in waits] == pytest.approx(wanted, abs=0.1)  # a little later than allowed is right
    assert all(reserved for _, reserved in waits)


def test_the_46th_to_one_person_waits_six_seconds() -> None:
    pace = Pace(WHATSAPP)
    waits = [pace.reserve("a", 100.0, FOR_EVER)[0] for _ in range(48)]
    assert waits[44] < 1
    assert waits[45:] == pytest.approx([6, 12, 18], abs=0.1)
    assert pace.reserve("b", 100.0, 0.7)[1]  # somebody else is not held by them


def test_too_far_off_takes_nothing() -> None:
    pace = Pace(TELEGRAM)
    pace.reserve("a", 100.0, 2.5)
    assert {pace.reserve("a", 100.0, 0.5) for _ in range(5)} == {(1.0, False)}
    assert pace.reserve("a", 101.0, 0.5) == (0.0, True)


def test_a_hold_of_one_person_and_of_all() -> None:
    pace = Pace(WHATSAPP)
    pace.hold("a", 110.0)
    assert pace.reserve("a", 100.0, 2.5) == (10.0, False)
    assert pace.reserve("b", 100.0, 2.5)[1]
    pace.hold(None, 105.0)
    pace.hold(None, 103.0)  # a shorter one does not end it
    assert pace.reserve("b", 100.0, 2.5) == (5.0, False)
    assert pace.reserve("a", 105.0, 5.0) == (5.0, True)
    assert pace.reserve("b", 105.0, 2.5)[0] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("limits", [WHATSAPP, TELEGRAM])
def test_a_thousand_people_at_once(limits: Limits) -> None:
    assert limits.per_second
    pace = Pace(limits)
    waits = [pace.reserve(f"p{number}", 100.0, FOR_EVER)[0] for number in range(1000)]
    assert waits == sorted(waits)  # first come, first served
    assert limits.per_second * 0.9 < most_in_a_window(waits, 1.0) <= limits.per_second


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([WHATSAPP, TELEGRAM]),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 0.2)), min_size=1, max_size=300),
)
def test_never_more_than_allowed_in_any_window(limits: Limits, asked: list[tuple[str, float]]) -> None:
    assert limits.per_second
    pace, now = Pace(limits), 1000.0
    sent: list[tuple[str, float]] = []
    for person, later in asked:
        now += later
        wait, _ = pace.reserve(person, now, FOR_EVER)
        assert wait >= 0
        sent.append((person, now + wait))
    assert most_in_a_window([at for _, at in sent], 1.0) <= limits.per_second
    for person in {person for person, _ in sent}:
        own = [at for whose, at in sent if whose == person]
        assert own == sorted(own)  # in order
        for burst in range(limits.burst + 1, len(own) + 1):
            assert most_in_a_window(own, limits.person_seconds * (burst - limits.burst) - 1e-6) < burst


def test_a_message_that_took_long_is_not_followed_at_once() -> None:
    pace = Pace(TELEGRAM)
    pace.reserve("a", 100.0, 2.5)
    pace.arrived("a", 100.8)
    pace.arrived("nobody", 100.8)
    assert pace.reserve("a", 100.9, 2.5)[0] == pytest.approx(0.9, abs=0.02)


async def test_no_more_on_their_way_than_may_arrive_together() -> None:
    """With 3 a second: the fourth waits until the first of them arrived a second ago, however late that was."""
    window, order, arrive = Window(3.0), [], asyncio.Event()

    async def send(number: int) -> None:
        async with window:
            order.append(f"{number} leaves")
            await (arrive.wait() if number < 3 else asyncio.sleep(0))
            order.append(f"{number} arrives")

    sending = [asyncio.create_task(send(number)) for number in range(4)]
    await asyncio.sleep(0.05)
    assert order == ["0 leaves", "1 leaves", "2 leaves"]
    arrive.set()
    arrived = asyncio.get_running_loop().time()
    await asyncio.gather(*sending)
    assert order[-2:] == ["3 leaves", "3 arrives"]
    assert asyncio.get_running_loop().time() - arrived >= 0.95
    async with Window(None):
        pass  # no limit


def test_a_busy_day_is_forgotten() -> None:
    """Memory stays bounded: only who must still wait is remembered."""
    pace = Pace(WHATSAPP)
    for number in range(60_000):
        pace.reserve(f"p{number}", number / 70, 2.5)
        pace.hold(f"h{number}", number / 70)
    assert len(pace._people) + len(pace._held) < 25_000
    assert len(pace._taken) < 2_000
