"""Passwords of coaches: which are good enough, and argon2, so that whoever reads the database has none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 200
_LEAST_DIFFERENT = 5
_FIRST_GUESSES = ("wachtwoord", "password", "welkom", "tekkie", "qwertyuiop", "qwerty", "azerty", "coach", "amsterdam")
_hasher = PasswordHasher(parallelism=1)  # RFC 9106, low memory: 64 MiB and some 150 ms for each
# One at a time on one core: a flood of logins waits in line, the talks of people go on.
_at_once = asyncio.Semaphore(1)
# The hash of a password nobody has, so that an unknown address takes as long as a known one.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5IG9mIHRla2tpZQ$" + "A" * 43


class WeakPassword(Exception):
    """The password is too short, too long or too easy to guess."""


def check(password: str, known: Collection[str]) -> None:
    """Raises WeakPassword. Length counts most; what everybody tries first, or is `known`, counts little."""
    plain = password.casefold()
    told = {
        *_FIRST_GUESSES,
        *(word.casefold() for word in known),
        *(word.partition("@")[0].casefold() for word in known),
    }
    for word in sorted((word for word in told if len(word) > 2), key=len, reverse=True):
        plain = plain.replace(word, "")
    enough = LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS and len(set(plain)) >= _LEAST_DIFFERENT
    if not enough or _is_a_row(plain):
        raise WeakPassword


async def hashed(password: str) -> str:
    """What is kept of it."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password; the same work when there is none to compare with."""
    async with _at_once:
        return await asyncio.to_thread(_fits, password[: MOST_CHARACTERS + 1], kept or _NOBODYS) and kept is not None


def is_old(kept: str) -> bool:
    """Made with other settings than today's."""
    return _hasher.check_needs_rehash(kept)


def _fits(password: str, kept: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_a_row(plain: str) -> bool:
    """ "abcdefghijkl" or "123456789012": every character follows the one before."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return steps <= {1, -9} or steps <= {-1, 9}
