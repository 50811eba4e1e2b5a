"""Who is offered a case first: one table of requests and colleagues."""

from __future__ import annotations

import random

import pytest

from bot.coach.routing import Colleague, Fit, Request, fit, ranked

FATIMA = Colleague(1, "Fatima", ("nl", "ar"), topics=("money", "family"), areas=("Utrecht",))
MEHMET = Colleague(2, "Mehmet", ("nl", "tr"))  # no wishes: everything, everywhere
SARA = Colleague(3, "Sara", ("nl",), topics=("school",), areas=("Almere",), room=3)
BUSY = Colleague(4, "Busy", ("nl", "ar", "tr"), room=2, taken=2)
OVERFULL = Colleague(5, "Overfull", ("ar",), room=2, taken=5)
YUSUF = Colleague(6, "Yusuf", ("ar",), topics=("money",), areas=("Utrecht",), taken=6)


@pytest.mark.parametrize(
    ("request_", "colleague", "expected"),
    [
        (Request("ar", "money", "Utrecht"), FATIMA, Fit(True, True, True, 8)),
        (Request("tr", "money", "Utrecht"), FATIMA, Fit(False, True, True, 8)),
        (Request("ar", "school", "Utrecht"), FATIMA, Fit(True, False, True, 8)),
        (Request("ar", "money", "Almere"), FATIMA, Fit(True, True, False, 8)),
        (Request("tr", "anything", "anywhere"), MEHMET, Fit(True, True, True, 8)),
        (Request("ar"), FATIMA, Fit(True, True, True, 8)),  # no wish fits everybody
        (Request("ar", "", ""), FATIMA, Fit(True, True, True, 8)),
        (Request("nl", "school", "Almere"), SARA, Fit(True, True, True, 3)),
        (Request("ar"), BUSY, Fit(True, True, True, 0)),
        (Request("ar"), OVERFULL, Fit(True, True, True, 0)),  # never below nothing
    ],
)
def test_fit(request_: Request, colleague: Colleague, expected: Fit) -> None:
    assert fit(request_, colleague) == expected


@pytest.mark.parametrize(
    ("request_", "colleagues", "expected"),
    [
        # language before everything
        (Request("ar", "money", "Utrecht"), (MEHMET, FATIMA), "Fatima Mehmet"),
        (Request("tr", "money", "Utrecht"), (FATIMA, MEHMET), "Mehmet Fatima"),
        (Request("ar", "school", "Almere"), (SARA, FATIMA), "Fatima Sara"),  # also when nothing else fits
        # then topic and area
        (Request("nl", "school", "Almere"), (FATIMA, SARA), "Sara Fatima"),
        (Request("nl", "school", "Almere"), (FATIMA, SARA, MEHMET), "Mehmet Sara Fatima"),  # as good, but more room
        (Request("nl", "money", "Almere"), (FATIMA, SARA, MEHMET), "Mehmet Fatima Sara"),
        # then who has room
        (Request("ar", "money", "Utrecht"), (YUSUF, FATIMA), "Fatima Yusuf"),
        # whoever is full comes last whatever they speak
        (Request("ar"), (BUSY, SARA), "Sara Busy"),
        (Request("ar"), (OVERFULL, BUSY, SARA, FATIMA), "Fatima Sara Busy Overfull"),
        # all the same: by name
        (Request("nl"), (Colleague(8, "Bo", ("nl",)), Colleague(7, "An", ("nl",))), "An Bo"),
        (Request("ar"), (), ""),
    ],
)
def test_order(request_: Request, colleagues: tuple[Colleague, ...], expected: str) -> None:
    assert [colleague.name for colleague in ranked(request_, colleagues)] == expected.split()


def test_the_order_does_not_depend_on_the_order_given_and_nobody_is_left_out() -> None:
    everybody = [FATIMA, MEHMET, SARA, BUSY, OVERFULL, YUSUF]
    expected = ranked(Request("ar", "money", "Utrecht"), everybody)
    for seed in range(20):
        shuffled = random.Random(seed).sample(everybody, len(everybody))
        assert ranked(Request("ar", "money", "Utrecht"), shuffled) == expected
    assert sorted(colleague.id for colleague in expected) == [1, 2, 3, 4, 5, 6]
