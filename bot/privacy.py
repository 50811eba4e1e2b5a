"""Masks what must never be kept: citizen service numbers (BSN) and card numbers. Pure, no I/O.

Runs when a message is accepted, before anything is on disk. Both kinds have a check digit, so that hardly any other
number is taken for one.
"""

from __future__ import annotations

import re

MASK = "•••••••••"
_PHONE = r"(?:\+|\b00)[\d ().-]{9,16}\d"  # with a country code, so that its last nine digits are not looked at
_BSN = re.compile(_PHONE + r"|(?<!\d)(?P<bsn>\d{3}[ .-]?\d{3}[ .-]?\d{3}|\d{4}[ .-]\d{2}[ .-]\d{3})(?!\d)")
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def mask(text: str) -> str:
    """`text` with every BSN and card number replaced by MASK."""
    if sum(c.isdigit() for c in text) < len(_BSN_WEIGHTS):
        return text
    masked = _CARD.sub(lambda found: MASK if _is_card(found.group()) else found.group(), text)
    return _BSN.sub(lambda found: MASK if found["bsn"] and _is_bsn(found["bsn"]) else found.group(), masked)


def was_masked(text: str) -> bool:
    return MASK in text


def _is_bsn(written: str) -> bool:
    """The eleven-test of the Dutch government."""
    digits = _digits(written)
    return any(digits) and sum(w * d for w, d in zip(_BSN_WEIGHTS, digits, strict=True)) % 11 == 0


def _is_card(written: str) -> bool:
    """The Luhn test."""
    digits = _digits(written)
    doubled = [d if at % 2 == 0 else d * 2 - 9 * (d > 4) for at, d in enumerate(reversed(digits))]
    return any(digits) and sum(doubled) % 10 == 0


def _digits(written: str) -> list[int]:
    return [int(c) for c in written if c.isdigit()]
