"""Load and measurement: closed loops for turns per second, an open loop for latencies, memory of a process tree."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

TURNS_PER_TALK = 4


@dataclass(frozen=True)
class Speed:
    """`rate` turns a second; latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


Turn = Callable[[str, str], Awaitable[None]]  # (who, text): returns when the reply is there

Leave = Callable[[str], None]


async def closed_loop(turn: Turn, leave: Leave, texts: Sequence[str], connections: int, seconds: float) -> Speed:
    """`connections` people at once, each waiting for the answer; a new person every few turns."""
    latencies: list[float] = []
    end = time.monotonic() + seconds

    async def person(number: int) -> None:
        at = number
        while time.monotonic() < end:
            who = uuid.uuid4().hex
            for _ in range(TURNS_PER_TALK):
                began = time.monotonic()
                await turn(who, texts[at % len(texts)])
                latencies.append(time.monotonic() - began)
                at += connections
            leave(who)

    began = time.monotonic()
    await asyncio.gather(*(person(number) for number in range(connections)))
    return _speed(latencies, time.monotonic() - began)


async def open_loop(turn: Turn, texts: Sequence[str], per_second: float, seconds: float) -> Speed:
    """Messages arrive at a fixed rate, whether or not earlier ones are answered."""
    latencies: list[float] = []

    async def one(text: str) -> None:
        began = time.monotonic()
        await turn(uuid.uuid4().hex, text)
        latencies.append(time.monotonic() - began)

    began = time.monotonic()
    tasks = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        tasks.append(asyncio.create_task(one(texts[number % len(texts)])))
    await asyncio.gather(*tasks)
    return _speed(latencies, time.monotonic() - began)


def stock_turn(session: aiohttp.ClientSession, url: str) -> Turn:
    """One turn of stock Rasa's REST channel."""

    async def turn(who: str, text: str) -> None:
        async with session.post(url + "/webhooks/rest/webhook", json={"sender": who, "message": text}) as answer:
            if answer.status != 200 or not await answer.json():
                raise RuntimeError(f"stock Rasa gave no answer ({answer.status})")

    return turn


def memory(process: int) -> float:
    """Megabytes of a process and all its children; shared pages count once (PSS)."""
    root = psutil.Process(process)
    total = 0
    for part in [root, *root.children(recursive=True)]:
        try:
            rollup = Path(f"/proc/{part.pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1000


def _speed(latencies: list[float], seconds: float) -> Speed:
    ordered = sorted(latencies)
    return Speed(
        rate=len(ordered) / seconds,
        p50=statistics.median(ordered) * 1000,
        p99=ordered[int(len(ordered) * 0.99)] * 1000,
    )
