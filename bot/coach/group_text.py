"""A case in a few Dutch words, for the coaches' group and for pings. Nothing that says who somebody is."""

from __future__ import annotations

from collections.abc import Mapping

_LANGUAGES = {"nl": "Nederlands", "tr": "Turks", "ar": "Arabisch"}
_AREAS = {
    "nieuw_west": "Nieuw-West",
    "zuidoost": "Zuidoost",
    "noord": "Noord",
    "amsterdam": "Amsterdam",
    "zaandam": "Zaandam",
    "almere": "Almere",
    "elsewhere": "elders",
}
_AGES = {"under_16": "onder 16", "16-17": "16-17", "18-26": "18-26", "27+": "27+"}
_STATES = {"waiting": "Wacht op een coach", "taken": "Gesprek met {coach}", "closed": "Afgerond"}
_MOST_NAME = 128


def in_brief(language: str, topic_title: str | None, area: str | None, age_group: str | None, urgent: bool) -> str:
    """ "Turks · Schulden · Nieuw-West · 18-26", with a sign in front when it is urgent."""
    parts = (_LANGUAGES.get(language, language), topic_title, _AREAS.get(area or ""), _AGES.get(age_group or ""))
    return ("❗ " if urgent else "") + " · ".join(part for part in parts if part)


def thread_name(brief: str, key: str) -> str:
    """The name of a topic: what it is about, and a piece of the key to tell two of them apart."""
    return f"{brief[: _MOST_NAME - 8]} #{key[:4]}"


def link_to(public_url: str, key: str) -> str:
    """The address of a case at the desk, for use outside the desk."""
    return f"{public_url}/desk/case/{key}"


def state_line(state: str, coach: str | None) -> str:
    return _STATES.get(state, state).format(coach=coach or "een coach")


def titles(topics: list[Mapping[str, object]]) -> dict[str, str]:
    """topic -> Dutch title, of what GET /topics of the Rasa side gives."""
    return {str(t["topic"]): str(found["nl"]) for t in topics if isinstance(found := t["titles"], Mapping)}
