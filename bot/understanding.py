"""Asks the Rasa side what a message means and what to say: the client of nlu/service.py."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.messages import Place, Reply, read_buttons

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=2)


class Unavailable(Exception):
    """The Rasa side could not be reached: the message was not looked at, try again later."""


class Broken(Exception):
    """The Rasa side failed on this message."""


class UnknownButton(Broken):
    """The payload names nothing that exists (any more)."""


@dataclass(frozen=True)
class Understood:
    """`decision`: answer, ask_back or not_understood; `confidence` and ranking probabilities 0-1."""

    topic: str
    confidence: float
    decision: str
    ranking: tuple[tuple[str, float], ...]
    entities: dict[str, str]


@dataclass(frozen=True)
class Turn:
    """What the assistant says, and the dialogue state to come back with next time."""

    replies: tuple[Reply, ...]
    state: dict[str, Any]
    understood: Understood
    referral: dict[str, Any] | None = None  # a finished form for a coach, see actions/referral.py


class Understanding:
    """One HTTP session to the Rasa side; open it with `async with`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Understanding:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, connector=aiohttp.TCPConnector(limit=32))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def turn(
        self,
        language: str,
        state: dict[str, Any] | None,
        text: str | None = None,
        payload: str | None = None,
        situation: str = "none",
    ) -> Turn:
        """One turn of the dialogue, by what was written or which button was pressed.

        `situation`: none (there are no coaches), free, or waiting (a request is open).
        """
        body = {"language": language, "state": state, "situation": situation}
        body |= {"text": text} if payload is None else {"payload": payload}
        answer = await self._post("/turn", body)
        return Turn(
            replies=tuple(_reply(message) for message in answer["messages"]),
            state=answer["state"],
            understood=_understood(answer["understood"]),
            referral=answer.get("referral"),
        )

    async def parse(self, language: str, texts: list[str]) -> list[Understood]:
        """Understanding without dialogue, at most 1,000 texts."""
        answer = await self._post("/parse", {"language": language, "texts": texts})
        return [_understood(result) for result in answer["results"]]

    async def topics(self) -> list[dict[str, Any]]:
        """Every topic: {topic, group, titles, answers}, the last two per language."""
        try:
            async with self._session.get(self._url + "/topics") as response:
                return list((await response.json())["topics"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise Unavailable("/topics") from error

    async def models(self) -> dict[str, str]:
        """The model file it serves per language; empty when it does not answer."""
        try:
            async with self._session.get(self._url + "/health") as response:
                return dict((await response.json())["languages"]) if response.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
            return {}

    async def ready(self) -> bool:
        return bool(await self.models())

    async def wait_until_ready(self, every: float = 0.25) -> None:
        while not await self.ready():  # noqa: ASYNC110 - another process, no event to wait for
            await asyncio.sleep(every)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            async with self._session.post(self._url + path, json=body) as response:
                answer = await response.json(content_type=None)
                if response.status == 400 and "payload" in body:
                    raise UnknownButton(str(answer.get("error")))
                if response.status != 200:
                    raise Broken(f"{path} answered {response.status}: {answer.get('error')}")
                return dict(answer)
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(path) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Broken(f"{path}: {type(error).__name__}") from error


def _reply(message: dict[str, Any]) -> Reply:
    place = message.get("place")
    buttons = read_buttons(message["buttons"])
    return Reply(message["text"], buttons, Place(**place) if place else None, message.get("dutch"))


def _understood(answer: dict[str, Any]) -> Understood:
    return Understood(
        topic=answer["topic"],
        confidence=answer["confidence"],
        decision=answer["decision"],
        ranking=tuple((r["topic"], r["confidence"]) for r in answer["ranking"]),
        entities=answer["entities"],
    )
