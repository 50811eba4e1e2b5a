"""BSN and card numbers are masked before anything is stored; other numbers are left alone."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.inbox import Acceptor
from bot.messages import Incoming, Kind
from bot.privacy import MASK, mask, was_masked

CASES = [
    # (written, kept)
    ("mijn bsn is 111222333", f"mijn bsn is {MASK}"),
    ("BSN: 1112.22.333.", f"BSN: {MASK}."),
    ("bsn 111 222 333 help", f"bsn {MASK} help"),
    ("رقم BSN الخاص بي 111222333", f"رقم BSN الخاص بي {MASK}"),
    ("kart 4111 1111 1111 1111 son 12/27", f"kart {MASK} son 12/27"),
    ("pas 4111111111111111", f"pas {MASK}"),
    ("twee: 111222333 en 123456782", f"twee: {MASK} en {MASK}"),
    ("bel me op 0612345678", "bel me op 0612345678"),
    ("06-1234 5678 na 17.00", "06-1234 5678 na 17.00"),
    ("+31 612345678", "+31 612345678"),
    ("0031 6 12345678", "0031 6 12345678"),
    ("+90 532 123 45 67", "+90 532 123 45 67"),
    ("111222334 is er geen", "111222334 is er geen"),  # fails the eleven-test
    ("4111 1111 1111 1112", "4111 1111 1111 1112"),  # fails Luhn
    ("schuld van 12.000 en 345.678 euro", "schuld van 12.000 en 345.678 euro"),
    ("000000000", "000000000"),
    ("order 1234567890123456789012", "order 1234567890123456789012"),
    ("ik ben 16 en woon in 1068", "ik ben 16 en woon in 1068"),
]


@pytest.mark.parametrize(("written", "kept"), CASES)
def test_masking(written: str, kept: str) -> None:
    assert mask(written) == kept
    assert was_masked(mask(written)) == (kept != written)


async def test_nothing_of_it_is_stored(database: AsyncEngine) -> None:
    await Acceptor(database).accept(Incoming("webchat", "anna:1", "anna", Kind.TEXT, "mijn bsn is 111222333"))
    async with database.connect() as link:
        assert (await link.execute(text("SELECT text FROM inbox"))).scalar() == f"mijn bsn is {MASK}"
