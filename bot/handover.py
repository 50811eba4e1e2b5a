"""Assistant or coach: who talks to a person, and what may happen. All rules are in one table; no I/O.

A conversation is in one of three modes. In BOT the assistant answers. In WAITING it goes on answering while a request
for a coach is open. In COACH it is silent (but never about a crisis). A pair of mode and event that is not in TABLE is
not possible: `advance` raises and nothing changes. The README's diagram is drawn from TABLE (`mermaid`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """Who talks."""

    BOT = "bot"
    WAITING = "waiting"
    COACH = "coach"


class Event(StrEnum):
    """What a person, a coach or a clock does."""

    REQUESTED = "requested"  # the person asked for a coach, and agreed to what is kept
    CANCELLED = "cancelled"  # the person does not want it any more
    TAKEN = "taken"  # a coach took it
    OVERDUE = "overdue"  # nobody took it in time
    MOVED = "moved"  # to another team
    PASSED_ON = "passed on"  # to another coach
    RETURNED = "returned"  # back to the queue: the coach was silent too long, or gave it back
    HANDED_BACK = "handed back"  # to the assistant
    CLOSED = "closed"  # by a coach, with an outcome
    SILENT = "silent"  # the person does not answer
    GONE = "gone"  # the person still does not answer
    REOPENED = "reopened"  # the person wrote again after it was closed, and a coach takes it up


@dataclass(frozen=True)
class Step:
    """The next mode, and the phrase (bot/coach/phrases.yml) that tells the person, if any."""

    mode: Mode
    says: str | None = None


class NotPossible(Exception):
    """This cannot happen now: somebody else was first, or the case is in another state."""

    def __init__(self, mode: Mode, event: Event) -> None:
        super().__init__(f"{event} in {mode}")
        self.mode = mode
        self.event = event


TABLE: dict[tuple[Mode, Event], Step] = {
    (Mode.BOT, Event.REQUESTED): Step(Mode.WAITING, "referral_sent"),
    (Mode.BOT, Event.REOPENED): Step(Mode.COACH, "coach_joins"),
    (Mode.WAITING, Event.REQUESTED): Step(Mode.WAITING, "referral_changed"),
    (Mode.WAITING, Event.CANCELLED): Step(Mode.BOT, "referral_cancelled"),
    (Mode.WAITING, Event.TAKEN): Step(Mode.COACH, "coach_joins"),
    (Mode.WAITING, Event.OVERDUE): Step(Mode.WAITING, "still_waiting"),
    (Mode.WAITING, Event.MOVED): Step(Mode.WAITING),
    (Mode.WAITING, Event.CLOSED): Step(Mode.BOT, "referral_closed"),
    (Mode.COACH, Event.CANCELLED): Step(Mode.BOT, "coach_stopped"),
    (Mode.COACH, Event.PASSED_ON): Step(Mode.COACH, "coach_changes"),
    (Mode.COACH, Event.MOVED): Step(Mode.WAITING, "coach_returned"),
    (Mode.COACH, Event.RETURNED): Step(Mode.WAITING, "coach_returned"),
    (Mode.COACH, Event.HANDED_BACK): Step(Mode.BOT, "coach_leaves"),
    (Mode.COACH, Event.CLOSED): Step(Mode.BOT, "coach_leaves"),
    (Mode.COACH, Event.SILENT): Step(Mode.COACH, "reminder"),
    (Mode.COACH, Event.GONE): Step(Mode.BOT, "closed_silent"),
}


def advance(mode: Mode, event: Event) -> Step:
    """What follows from `event`. Raises NotPossible."""
    try:
        return TABLE[mode, event]
    except KeyError:
        raise NotPossible(mode, event) from None


def mermaid() -> str:
    """TABLE as a state diagram, for the README."""
    arrows: dict[tuple[Mode, Mode], list[str]] = {}
    for (mode, event), step in TABLE.items():
        arrows.setdefault((mode, step.mode), []).append(event)
    lines = [f"    {old} --> {new}: {', '.join(events)}" for (old, new), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> bot", *lines])
