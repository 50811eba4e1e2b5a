"""Who is fit for a request: language first, then topic and area, then who has room. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What matters for the choice. `group` is a topic group such as "money"; None and "" mean no wish."""

    language: str
    group: str | None = None
    area: str | None = None


@dataclass(frozen=True)
class Colleague:
    """A coach as routing sees one. No topics or areas means all; `taken` is how many cases they have open."""

    id: int
    name: str
    languages: tuple[str, ...]
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    room: int = 8
    taken: int = 0


@dataclass(frozen=True)
class Fit:
    """How well a coach fits, best first when sorted in reverse: language, topic, area, room left."""

    language: bool
    topic: bool
    area: bool
    room: int


def fit(request: Request, colleague: Colleague) -> Fit:
    """Without the language a coach can still follow the talk in Dutch, so nobody is excluded."""
    return Fit(
        language=request.language in colleague.languages,
        topic=not request.group or not colleague.topics or request.group in colleague.topics,
        area=not request.area or not colleague.areas or request.area in colleague.areas,
        room=max(0, colleague.room - colleague.taken),
    )


def ranked(request: Request, colleagues: Iterable[Colleague]) -> list[Colleague]:
    """Best first; whoever has no room left comes last whatever they speak."""

    def order(colleague: Colleague) -> tuple[bool, bool, int, int, str]:
        found = fit(request, colleague)
        return (not found.room, not found.language, -(found.topic + found.area), -found.room, colleague.name)

    return sorted(colleagues, key=order)
