"""Who works at the fake desk, and what they can send: quick replies and answer cards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Coach:
    """Somebody who may log in to the fake desk."""

    id: int
    name: str
    team: int
    languages: tuple[str, ...]
    role: str = "coach"
    room: int = 8

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@example.nl"


COACHES = (
    Coach(1, "Fatima", 1, ("nl", "ar")),
    Coach(2, "Deniz", 1, ("nl", "tr")),
    Coach(3, "Sanne", 1, ("nl",), role="admin", room=3),
    Coach(4, "Yusuf", 2, ("nl", "tr", "ar")),
)
TEAMS = {1: "Nieuw-West", 2: "Zuidoost"}
OUTCOMES = {
    "helped": "Geholpen",
    "referred": "Doorverwezen naar andere hulp",
    "school": "Naar een opleiding of school",
    "no_answer": "Geen antwoord meer",
    "not_for_us": "Niet voor ons",
}
QUICK = (
    {
        "id": "hello",
        "title": "Begroeten",
        "slots": ["name", "coach"],
        "nl": "Hoi {name}, ik ben {coach}. Fijn dat je schrijft. Vertel eens: waar loop je tegenaan?",
        "tr": "Merhaba {name}, ben {coach}. İyi ki yazdınız. Size nasıl yardımcı olabilirim?",
        "ar": "أهلاً {name}، معك {coach}. سعيد بتواصلك معنا. بماذا أستطيع أن أساعد؟",
    },
    {
        "id": "meet",
        "title": "Afspraak maken",
        "slots": ["place", "time"],
        "nl": "Zullen we afspreken? Ik kan op {time}, bij {place}.",
        "tr": "Görüşelim mi? {time} zamanında {place} yerinde olabilirim.",
        "ar": "هل نلتقي؟ يمكنني الحضور في {time}، في {place}.",
    },
)
CARDS = {  # topic: (Dutch, Arabic)
    "debts": (
        "Schulden zijn geen schande en hoeven je plan voor een opleiding niet te stoppen, maar zoek eerst hulp. "
        "Bel Geldfit op 0800-8115, of loop binnen bij het Buurtteam in Amsterdam.",
        "الديون ليست عيباً، وليس من الضروري أن توقف خطة الدراسة، لكن طلب المساعدة يأتي أولاً. "
        "يمكن الاتصال بـGeldfit على الرقم 0800-8115، أو زيارة Buurtteam في أمستردام.",
    ),
    "interest_riba": (
        "Bij DUO betaal je rente over een lening. Wie dat niet wil, kan kijken naar een fonds, werken en leren (bbl) "
        "of een gratis programmeerschool.",
        "قرض DUO عليه فائدة. من لا يريد ذلك يمكنه البحث عن صندوق دعم، "
        "أو العمل مع الدراسة (bbl)، أو مدرسة برمجة مجانية.",
    ),
    "study_fund": (
        "Er zijn fondsen die helpen met schoolgeld, een laptop of reiskosten. De meeste vragen een hulpverlener om de "
        "aanvraag te doen.",
        "هناك صناديق تساعد في رسوم الدراسة أو شراء حاسوب أو تكاليف النقل، ومعظمها يطلب أن يقدم الطلب مساعد اجتماعي.",
    ),
}
