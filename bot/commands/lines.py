"""./tekkie parse and ./tekkie detect: lines on stdin, one JSON object a line on stdout."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import batched

from bot.commands import rasa_side
from bot.commands.models import language_model
from bot.commands.train import ensure_trained
from bot.language import Detector
from bot.messages import clean
from bot.settings import Settings
from bot.understanding import Understanding, Understood

_AT_ONCE = 100


async def parse(settings: Settings, arguments: argparse.Namespace) -> None:
    """{"text", "topic", "confidence", "decision", "ranking": [{"topic", "confidence"}], "entities"} per line."""
    await asyncio.to_thread(rasa_side.make_environment)
    await ensure_trained(settings, [arguments.language])
    async with rasa_side.reachable(settings, [arguments.language]) as url, Understanding(url) as understanding:
        for batch in batched(_input(), 1 if sys.stdin.isatty() else _AT_ONCE):
            results = await understanding.parse(arguments.language, [clean(text) for text in batch])
            for text, understood in zip(batch, results, strict=True):
                _print(_as_json(text, understood))


async def detect(settings: Settings, arguments: argparse.Namespace) -> None:
    """{"text", "language": "nl|tr|ar|other", "confidence"} per line."""
    detector = Detector.load(language_model(settings.folder))
    for text in _input():
        detected = detector.detect(text)
        _print({"text": text, "language": detected.language, "confidence": round(detected.confidence, 4)})


def _input() -> Iterator[str]:
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _print(result: dict[str, object]) -> None:
    print(json.dumps(result, ensure_ascii=False), flush=True)


def _as_json(text: str, understood: Understood) -> dict[str, object]:
    return {
        "text": text,
        "topic": understood.topic,
        "confidence": round(understood.confidence, 4),
        "decision": understood.decision,
        "ranking": [{"topic": topic, "confidence": round(p, 4)} for topic, p in understood.ranking],
        "entities": understood.entities,
    }
