"""A small Rasa side that speaks the real HTTP of nlu/service.py and knows four topics."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

Json = dict[str, Any]

TOPICS: list[Json] = [
    {
        "topic": "cost",
        "group": "programme",
        "titles": {"nl": "Wat kost het?", "tr": "Ücreti ne kadar?", "ar": "كم التكلفة؟"},
        "answers": {"nl": "De school is gratis.", "tr": "Okul ücretsizdir.", "ar": "المدرسة مجانية."},
    },
    {
        "topic": "salary",
        "group": "work",
        "titles": {"nl": "Wat verdien je?", "tr": "Ne kazanılır?", "ar": "كم الراتب؟"},
        "answers": {"nl": "Ongeveer 2.500 euro.", "tr": "Yaklaşık 2.500 avro.", "ar": "حوالي 2500 يورو."},
    },
    {
        "topic": "crisis_suicide",
        "group": "safety",
        "titles": {"nl": "Denk je aan zelfmoord?", "tr": "İntihar düşüncesi", "ar": "أفكار انتحار"},
        "answers": {"nl": "Bel 113.", "tr": "113'ü arayın.", "ar": "اتصل بالرقم 113."},
    },
    {
        "topic": "greet",
        "group": "small_talk",
        "titles": {"nl": "Hallo", "tr": "Merhaba", "ar": "مرحبا"},
        "answers": {"nl": "Hoi!", "tr": "Merhaba!", "ar": "أهلاً!"},
    },
]
_ANSWERS = {row["topic"]: row["answers"] for row in TOPICS}


class Rasa:
    """`away` makes it answer 500 to everything."""

    def __init__(self) -> None:
        self.away = False

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._perhaps_away])
        app.add_routes(
            [web.get("/topics", self._topics), web.post("/turn", self._turn), web.post("/parse", self._parse)]
        )
        return app

    async def _topics(self, request: web.Request) -> web.Response:
        return web.json_response({"topics": TOPICS})

    async def _turn(self, request: web.Request) -> web.Response:
        """Says the answer; the occupation that the state remembers comes with it."""
        body = await request.json()
        topic = str(body["payload"]).removeprefix("/")
        if topic not in _ANSWERS:
            return web.json_response({"error": "unknown topic"}, status=400)
        about = (body["state"] or {}).get("occupation", "")
        answers = {code: f"{text} {about}".strip() for code, text in _ANSWERS[topic].items()}
        dutch = None if body["language"] == "nl" else answers["nl"]
        buttons = [{"title": "Meer", "payload": "/cost"}]
        said = {"text": answers[body["language"]], "buttons": buttons, "place": None, "dutch": dutch}
        return web.json_response({"messages": [said], "state": {}, "understood": _understood(topic), "referral": None})

    async def _parse(self, request: web.Request) -> web.Response:
        texts = (await request.json())["texts"]
        return web.json_response({"results": [_understood("salary" if "loon" in text else "greet") for text in texts]})

    @web.middleware
    async def _perhaps_away(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.away:
            return web.json_response({"error": "away"}, status=500)
        answer: web.StreamResponse = await handler(request)
        return answer


def _understood(topic: str) -> Json:
    ranking = [{"topic": topic, "confidence": 0.9}]
    return {"topic": topic, "confidence": 0.9, "decision": "answer", "ranking": ranking, "entities": {}}


@contextlib.asynccontextmanager
async def small_rasa() -> AsyncIterator[tuple[str, Rasa]]:
    """(address, the server)"""
    rasa = Rasa()
    runner = web.AppRunner(rasa.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", rasa
    finally:
        await runner.cleanup()
