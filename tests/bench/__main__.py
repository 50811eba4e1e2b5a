"""./tekkie bench: Tekkie against stock `rasa run`, same training data, same machine, same run.

Ours: the whole product with three languages, PostgreSQL and the durable path, driven through the web
chat. Stock: one language (Dutch), REST channel, SQL tracker, once with Rasa's default pipeline (DIET +
TED) and once with a light one. Writes docs/benchmarks.md and its picture, unless --quick.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

from bot.commands.models import examples
from bot.commands.rasa_side import CALM, PYTHON
from bot.settings import ROOT
from tests.bench import load, ours, report, stock
from tests.bench.load import Speed
from tests.crash.run import product

CONNECTIONS = 8


@dataclass(frozen=True)
class Result:
    """One contender. Times in seconds, memory in megabytes."""

    name: str
    languages: int
    speed: Speed
    memory: float
    start_up: float
    training: float


@dataclass(frozen=True)
class Own:
    """What only ours is asked: p99 of accepting at 80/s, median to the reply at 30/s (milliseconds)."""

    accept: Speed
    reply: Speed


async def measure_ours(texts: list[str], seconds: float, training: float) -> tuple[Result, Own]:
    started = time.monotonic()
    async with product() as (url, folder, pid):
        start_up = time.monotonic() - started
        async with ours.people(url, (folder / "secret").read_text().strip()) as crowd:
            await load.closed_loop(crowd.turn, crowd.leave, texts, CONNECTIONS, seconds / 4)  # warm up
            speed = await load.closed_loop(crowd.turn, crowd.leave, texts, CONNECTIONS, seconds)
            reply = await load.open_loop(crowd.turn, texts, per_second=30, seconds=seconds)
            accept = await load.open_loop(crowd.accept, texts, per_second=80, seconds=seconds)
        memory = load.memory(pid) + load.memory(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    return Result("Tekkie", 3, speed, memory, start_up, training), Own(accept, reply)


async def measure_stock(kind: str, texts: list[str], seconds: float, epochs: int) -> Result:
    folder = Path(tempfile.mkdtemp(prefix=f"stock-{kind}-"))
    try:
        stock.prepare(folder, kind, epochs)
        training = await asyncio.to_thread(stock.train, folder)
        async with stock.run(folder) as (url, pid, start_up), aiohttp.ClientSession() as session:
            turn = load.stock_turn(session, url)
            await load.closed_loop(turn, _nothing, texts, CONNECTIONS, seconds / 4)
            speed = await load.closed_loop(turn, _nothing, texts, CONNECTIONS, seconds)
            memory = load.memory(pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Result(f"stock Rasa, {kind}", 1, speed, memory, start_up, training)


def train_ours() -> float:
    """Seconds to train Dutch alone with our pipeline, as stock trains one language."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        command = [str(PYTHON), "-m", "nlu.train", "nl", f"{folder}/nl.tar.gz"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, **CALM})
        return time.monotonic() - started


def _nothing(who: str) -> None:
    """Stock Rasa has no page to close."""


async def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--epochs", type=int, default=100, help="of DIET and TED; training time, not speed")
    arguments = parser.parse_args()
    seconds = 5.0 if arguments.quick else 30.0
    texts = [text for _, text in examples("nl") if len(text) < 200]
    random.Random(0).shuffle(texts)
    own_result, own = await measure_ours(texts, seconds, await asyncio.to_thread(train_ours))
    results = [own_result]
    for kind in ("light",) if arguments.quick else ("default", "light"):
        results.append(await measure_stock(kind, texts, seconds, arguments.epochs))
    print(report.table([asdict(result) for result in results], asdict(own)))
    if not arguments.quick:
        report.write([asdict(result) for result in results], asdict(own))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
