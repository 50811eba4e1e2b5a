"""Invented people and their talks, for the fake desk and the pictures in docs/coaches.md. Nobody here exists."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from tests.coach.fake_people import CARDS, COACHES, TEAMS, Coach

Json = dict[str, Any]
TITLES = {
    "debts": "Ik heb schulden",
    "interest_riba": "Zonder rente?",
    "study_fund": "Is er een fonds?",
    "student_finance": "Geld van DUO",
    "no_diploma": "Zonder diploma?",
    "study_route": "Welke opleiding?",
    "parent_support": "Mijn kind helpen",
    "urgent_help": "Geen bed of eten",
    "women": "Ook voor vrouwen?",
    "greet": "Hallo",
}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def ago(minutes: float) -> str:
    """An ISO time that many minutes ago; negative is to come."""
    return (now() - datetime.timedelta(minutes=minutes)).isoformat()


@dataclass
class Talk:
    """A case with its lines; `said` is what GET cases/KEY gives beside the case."""

    case: Json
    lines: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)

    def say(self, author: str, text: str, **more: Any) -> Json:
        """Add a line; returns it."""
        line: Json = {
            "position": len(self.lines) + 1,
            "author": author,
            "coach": None,
            "text": text,
            "dutch": None,
            "language": self.case["language"],
            "buttons": [],
            "topic": None,
            "topic_title": TITLES.get(more.get("topic", "")),
            "confidence": None,
            "at": ago(0),
            "attachment": None,
            "place": None,
            "delivery": None,
        }
        line.update(more)
        self.lines.append(line)
        return line


def case(key: str, **more: Any) -> Json:
    """A waiting case in Dutch, unless `more` says otherwise."""
    waiting: Json = {
        "key": key,
        "state": "waiting",
        "urgent": False,
        "topic": None,
        "language": "nl",
        "age_group": None,
        "area": None,
        "first_name": None,
        "channel": "webchat",
        "team": {"id": 1, "name": TEAMS[1]},
        "coach": None,
        "created_at": ago(20),
        "due_at": ago(-220),
        "overdue": False,
        "snoozed_until": None,
        "person_at": ago(20),
        "coach_at": None,
        "waiting_since": ago(20),
        "unread": 0,
        "wrote_again": False,
        "window_closes_at": None,
        "fit": [],
        "closed_at": None,
        "outcome": None,
        "rating": None,
        "reach": "chat",
        "contact": None,
        "guardian": None,
        "consent_at": ago(20),
        "rating_text": None,
    }
    waiting.update(more)
    waiting["consent_at"] = waiting["created_at"]
    waiting["topic_title"] = TITLES.get(waiting["topic"] or "")
    return waiting


def fit(coach: Coach, *, language: bool, topic: bool, area: bool, room: int) -> Json:
    return {"id": coach.id, "name": coach.name, "language": language, "topic": topic, "area": area, "room": room}


def talks() -> list[Talk]:
    """A morning at the desk: an urgent case, a mother who writes Arabic, and others."""
    return [_urgent(), _amina(), _emre(), _mehmet(), _snoozed(), *_closed()]


def _urgent() -> Talk:
    fatima, deniz, *_ = COACHES
    best = [
        fit(deniz, language=True, topic=False, area=True, room=6),
        fit(fatima, language=False, topic=True, area=True, room=5),
    ]
    found = Talk(
        case(
            "urgent0000000",
            urgent=True,
            topic="urgent_help",
            language="tr",
            area="nieuw_west",
            age_group="18-26",
            channel="telegram",
            waiting_since=ago(6),
            created_at=ago(6),
            unread=1,
            fit=best,
        )
    )
    found.say("person", "bu gece kalacak yerim yok, ne yapayim", topic="urgent_help", confidence=0.97, at=ago(7))
    found.say(
        "assistant",
        "Bu gece için acil bir yer gerekiyorsa 112'yi ya da belediyeyi arayabilirsiniz.",
        dutch="Heb je vannacht een bed nodig, bel dan 112 of de gemeente.",
        at=ago(7),
    )
    return found


def _amina() -> Talk:
    fatima, deniz, sanne, _ = COACHES
    best = [
        fit(fatima, language=True, topic=True, area=True, room=5),
        fit(deniz, language=False, topic=True, area=True, room=6),
        fit(sanne, language=False, topic=True, area=False, room=0),
    ]
    found = Talk(
        case(
            "amina00000000",
            topic="debts",
            language="ar",
            first_name="أمينة",
            age_group="27+",
            area="nieuw_west",
            channel="whatsapp",
            waiting_since=ago(134),
            created_at=ago(134),
            due_at=ago(-40),
            unread=2,
            fit=best,
            reach="call_morning",
            contact="06 12 34 56 78",
            window_closes_at=ago(-(21 * 60 + 46)),
        )
    )
    found.say(
        "person", "السلام عليكم، علي ديون وابني يريد أن يدرس البرمجة", topic="debts", confidence=0.91, at=ago(140)
    )
    dutch, arabic = CARDS["debts"]
    buttons = [{"title": "صندوق الدراسة"}, {"title": "التحدث مع مرشد"}]
    found.say("assistant", arabic, dutch=dutch, buttons=buttons, at=ago(140), topic="debts")
    found.say(
        "person",
        "هل يمكن أن أتحدث مع إنسان؟",
        topic="talk_to_coach",
        topic_title="Praat met een coach",
        confidence=0.99,
        at=ago(137),
    )
    found.say(
        "assistant",
        "وصل طلبك إلى المرشدين. عادة يستغرق ذلك حوالي ساعتين.",
        dutch="Je vraag ligt bij de coaches. Meestal duurt het ongeveer 2 uur.",
        at=ago(134),
    )
    found.say("person", "شكراً. عندي رسالة من البنك ولا أفهمها", confidence=0.31, at=ago(20))
    attached = {"name": "brief-bank.pdf", "mime": "application/pdf", "size": 184_320}
    found.say("person", "", attachment=attached, at=ago(19))
    found.notes.append({"coach": "Deniz", "text": "Zij komt vaak bij het Buurtteam op Plein '40-'45.", "at": ago(15)})
    return found


def _emre() -> Talk:
    found = Talk(
        case(
            "emre000000000",
            topic="study_route",
            language="tr",
            first_name="Emre",
            age_group="under_16",
            area="zaandam",
            guardian="parent",
            waiting_since=ago(300),
            created_at=ago(300),
            due_at=ago(60),
            overdue=True,
            fit=[fit(COACHES[1], language=True, topic=True, area=True, room=6)],
        )
    )
    found.say("person", "oyun yapmak istiyorum hangi okul", topic="study_route", confidence=0.88, at=ago(302))
    return found


def _mehmet() -> Talk:
    found = Talk(
        case(
            "mehmet0000000",
            state="taken",
            topic="no_diploma",
            language="nl",
            first_name="Mehmet",
            age_group="18-26",
            area="zuidoost",
            coach={"id": 2, "name": "Deniz"},
            waiting_since=ago(3),
            coach_at=ago(9),
            created_at=ago(50),
        )
    )
    found.say("person", "kan ik bij jullie zonder diploma?", topic="no_diploma", confidence=0.95, at=ago(55))
    found.say(
        "coach",
        "Hoi Mehmet, dat kan zeker. Wat deed je hiervoor?",
        coach="Deniz",
        at=ago(9),
        delivery={"status": "read", "reason": None},
    )
    found.say("person", "magazijn, drie jaar", confidence=0.2, at=ago(3))
    return found


def _snoozed() -> Talk:
    return Talk(
        case(
            "later00000000",
            state="taken",
            topic="women",
            first_name="Hatice",
            language="tr",
            coach={"id": 1, "name": "Fatima"},
            waiting_since=None,
            snoozed_until=ago(-20 * 60),
        )
    )


def _closed() -> list[Talk]:
    done = [("Samira", "ar", "helped", 3), ("Kees", "nl", "school", 2), ("Bilal", "ar", "no_answer", None)]
    return [
        Talk(
            case(
                f"closed{number:07}",
                state="closed",
                topic="study_route",
                first_name=name,
                language=language,
                coach={"id": 1, "name": "Fatima"},
                closed_at=ago(60 * 26 * (number + 1)),
                outcome=outcome,
                rating=rating,
                waiting_since=None,
                wrote_again=number == 0,
            )
        )
        for number, (name, language, outcome, rating) in enumerate(done)
    ]


def overview(days: int) -> Json:
    """Figures that look like a real month."""
    today = now().date()
    numbers = [3, 5, 4, 6, 2, 1, 0, 4, 7, 9, 5, 3, 1, 1]
    dates = [today - datetime.timedelta(days=back) for back in range(days - 1, -1, -1)]
    return {
        "days": [{"day": day.isoformat(), "cases": numbers[place % 14] + place % 3} for place, day in enumerate(dates)],
        "waiting": {"median_minutes": 42.5, "p90_minutes": 187.0},
        "outcomes": {"helped": 61, "school": 24, "referred": 17, "no_answer": 12, "handed_back": 7, "not_for_us": 3},
        "languages": {"nl": 58, "ar": 41, "tr": 25},
        "topics": {"Welke opleiding?": 38, "Ik heb schulden": 29, "Mijn kind helpen": 21, "Zonder diploma?": 19},
        "ratings": {"3": 44, "2": 13, "1": 4},
        "sources": {"bieb-osdorp": 33, "roc-west": 21, "": 70},
        "open_now": 6,
    }
