"""What a coach does with a case of the fake desk: action -> function(talk, coach, body)."""

from __future__ import annotations

from collections.abc import Callable

from tests.coach.fake_cases import Json, Talk, ago
from tests.coach.fake_people import CARDS, COACHES, QUICK, TEAMS, Coach

SENT: Json = {"status": "sent", "reason": None}


class Conflict(Exception):
    """Somebody else was first, or it is in another state; the text is Dutch."""


def _own(talk: Talk, coach: Coach) -> None:
    has = talk.case["coach"]
    if talk.case["state"] != "taken" or has is None or has["id"] != coach.id:
        raise Conflict(f"{has['name'] if has else 'Niemand'} heeft dit gesprek nu.")


def take(talk: Talk, coach: Coach, body: Json) -> None:
    if talk.case["state"] != "waiting":
        raise Conflict(f"{talk.case['coach']['name']} was je voor.")
    talk.case.update(state="taken", coach={"id": coach.id, "name": coach.name})
    dutch = f"{coach.name}, een coach, is er nu bij. Vanaf nu praat je met een mens."
    turkish = f"Danışman {coach.name} sohbete katıldı. Artık bir insanla konuşuyorsunuz."
    arabic = f"انضم المرشد {coach.name} إلى المحادثة. من الآن أنت تتحدث مع إنسان."
    talk.say("assistant", {"nl": dutch, "tr": turkish, "ar": arabic}[talk.case["language"]], dutch=dutch)


def write(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    talk.say("coach", body["text"], coach=coach.name, language=None, delivery=dict(SENT))
    talk.case.update(waiting_since=None, coach_at=ago(0))


def card(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    dutch, text = CARDS[body["topic"]]
    talk.say("coach", text, coach=coach.name, dutch=dutch, topic=body["topic"], delivery=dict(SENT))


def quick(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    found = next(one for one in QUICK if one["id"] == body["id"])
    dutch, text = (str(found[language]).format(**body["values"]) for language in ("nl", talk.case["language"]))
    talk.say("coach", text, coach=coach.name, dutch=dutch, delivery=dict(SENT))


def pass_on(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    to = next(c for c in COACHES if c.id == body["coach"])
    talk.case.update(coach={"id": to.id, "name": to.name})


def move(talk: Talk, coach: Coach, body: Json) -> None:
    team = {"id": body["team"], "name": TEAMS[body["team"]]}
    talk.case.update(state="waiting", coach=None, team=team, waiting_since=ago(0))


def give_back(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    talk.case.update(state="waiting", coach=None, waiting_since=ago(0))


def hand_back(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    talk.case.update(state="closed", closed_at=ago(0), outcome="handed_back", waiting_since=None)


def close(talk: Talk, coach: Coach, body: Json) -> None:
    talk.case.update(state="closed", closed_at=ago(0), outcome=body["outcome"], waiting_since=None)


def reopen(talk: Talk, coach: Coach, body: Json) -> None:
    talk.case.update(state="taken", coach={"id": coach.id, "name": coach.name}, closed_at=None, outcome=None)


def snooze(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    talk.case.update(snoozed_until=body["until"])


def note(talk: Talk, coach: Coach, body: Json) -> None:
    talk.notes.append({"coach": coach.name, "text": body["text"], "at": ago(0)})


def retry(talk: Talk, coach: Coach, body: Json) -> None:
    talk.lines[body["position"] - 1]["delivery"] = dict(SENT)


def template(talk: Talk, coach: Coach, body: Json) -> None:
    _own(talk, coach)
    talk.say("assistant", "هناك رد جاهز لك. أرسل أي رسالة هنا لتقرأه.", dutch="Er staat een antwoord voor je klaar.")


ACTIONS: dict[str, Callable[[Talk, Coach, Json], None]] = {
    act.__name__: act
    for act in (
        take,
        write,
        card,
        quick,
        pass_on,
        move,
        give_back,
        hand_back,
        close,
        reopen,
        snooze,
        note,
        retry,
        template,
    )
}
