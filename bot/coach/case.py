"""What is known of a case, and what can go wrong with one. No I/O; cases.py changes them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.handover import Mode

OUTCOMES = ("helped", "referred", "school", "no_answer", "not_for_us")


class UnknownCase(Exception):
    """There is no case under this key (for this coach)."""


class NotYours(Exception):
    """Another coach has the case."""


@dataclass(frozen=True)
class Wish:
    """What a person filled in. `reach` is how and when, `contact` a phone number when they want to be called."""

    topic: str | None
    language: str
    age_group: str | None = None
    area: str | None = None
    reach: str | None = None
    contact: str | None = None
    first_name: str | None = None
    guardian: str | None = None  # who is brought in for somebody under 16
    urgent: bool = False


@dataclass(frozen=True)
class Case:
    """One case as it is now, locked for this transaction."""

    id: int
    key: str
    conversation_id: int
    mode: Mode
    language: str  # of the conversation: in which the person is told things
    muted: bool  # asked us not to write first
    team_id: int
    coach_id: int | None
    state: str


@dataclass(frozen=True)
class By:
    """The coach who acts."""

    id: int
    name: str
