"""The crash test itself: a product under supervision, visitors that never give up, and a killer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.commands.accounts import count
from bot.commands.rasa_side import free_port, running_instance
from bot.database import engine
from bot.settings import ROOT
from tests.visitor import Visitor

_QUESTIONS = (
    "wat kost het",
    "kurs ne kadar sürüyor",
    "كم راتب المبرمج",
    "hoe word ik developer",
    "ok",
    "matematik şart mı",
)
_PARTS = ("front", "work", "rasa", "postgres")
_PATIENCE = 90.0


@dataclass
class Person:
    """What one visitor sent, and what they heard."""

    visitor: Visitor
    sent: list[str] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    told: set[str] = field(default_factory=set)  # own messages that came back with the transcript
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@contextlib.asynccontextmanager
async def product() -> AsyncIterator[tuple[str, Path, int]]:
    """A running `./tekkie up`: (address, its folder, its process id)."""
    folder = Path(tempfile.mkdtemp(prefix="tekkie-crash-"))
    (folder / "models").symlink_to(ROOT / "var" / "models")
    port = free_port()
    command = [sys.executable, "-m", "bot", "up", "--port", str(port)]
    environment = {**os.environ, "TEKKIE_FOLDER": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        await _until_healthy(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", folder, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, 30)
        shutil.rmtree(folder, ignore_errors=True)


async def run(kills: int, people: int, seed: int) -> dict[str, Any]:
    """Kill `kills` times while `people` write; what was counted, and `problems` (empty when all is well)."""
    dice = random.Random(seed)
    started = time.monotonic()
    killed = dict.fromkeys(_PARTS, 0)
    async with product() as (url, folder, pid), contextlib.AsyncExitStack() as stack:
        persons = [Person(await stack.enter_async_context(Visitor(url))) for _ in range(people)]
        stop = asyncio.Event()
        listeners = [asyncio.create_task(_listen(person)) for person in persons]
        writers = [asyncio.create_task(_write(person, stop, dice)) for person in persons]
        for _ in range(kills):
            await asyncio.sleep(dice.uniform(0.2, 3.0))
            part = dice.choice(_PARTS)
            if _kill(part, pid, folder):
                killed[part] += 1
            if dice.random() < 0.7:  # the others hit a product that is still getting up
                await _until_healthy(url)
        await _until_healthy(url)
        stop.set()
        await asyncio.wait_for(asyncio.gather(*writers), _PATIENCE)
        problems = await _until_answered(persons)
        for listener in listeners:
            listener.cancel()
        found, repeated = await _check(persons)
        problems += found
        note = running_instance(folder)
        assert note is not None
        database = engine(note["database_url"])
        books = await count(database)
        problems += await _stuck(database)
        await database.dispose()
    problems += books.problems
    problems += [
        f"{n} messages ended as {outcome}" for outcome, n in books.inbox.items() if outcome[:4] in ("dead", "open")
    ]
    if repeated > sum(killed.values()):
        problems.append(f"{repeated} repeated deliveries for {sum(killed.values())} kills")
    return {
        "kills": killed,
        "messages": sum(len(person.sent) for person in persons),
        "repeated_deliveries": repeated,
        "inbox": dict(books.inbox),
        "outbox": dict(books.outbox),
        "seconds": round(time.monotonic() - started),
        "problems": problems,
    }


async def _write(person: Person, stop: asyncio.Event, dice: random.Random) -> None:
    """Send, wait for the answer, send again; the same id until the server has taken it."""
    while not stop.is_set():
        key = uuid.uuid4().hex
        person.sent.append(key)
        question = dice.choice(_QUESTIONS)
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                if await asyncio.wait_for(person.visitor.post(question, key=key), 5) == 202:
                    break
            await asyncio.sleep(0.1)
        if len(person.sent) % 2 or dice.random() < 0.5:  # now and then a second message goes before the answer
            await _until_told(person, key, stop)
        await asyncio.sleep(dice.uniform(0, 0.2))


async def _until_told(person: Person, key: str, stop: asyncio.Event) -> None:
    while key not in person.told and not stop.is_set():
        person.answered.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(person.answered.wait(), 0.5)


async def _listen(person: Person) -> None:
    """Follow the event stream for ever, going on where it broke off, as a browser does."""
    while True:
        last = max(person.heard, default=0)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, AssertionError):
            async for line in person.visitor.events(last):
                person.heard.append(line["position"])
                if line["author"] == "person":
                    person.told.add(line["id"])
                    person.answered.set()
        await asyncio.sleep(0.1)


async def _until_answered(persons: list[Person]) -> list[str]:
    """Wait until everything is answered and heard; who was still waiting when patience ran out."""
    end = time.monotonic() + _PATIENCE
    problems = []
    for number, person in enumerate(persons):
        while True:
            heard = max(person.heard, default=0)
            newer = await person.visitor.history(after=heard)
            if heard and not newer["open"] and not newer["lines"]:
                break
            if time.monotonic() > end:
                problems.append(f"visitor {number}: {len(newer['open'])} open, {len(newer['lines'])} not heard")
                break
            await asyncio.sleep(0.2)
    return problems


async def _check(persons: list[Person]) -> tuple[list[str], int]:
    problems: list[str] = []
    repeated = 0
    for number, person in enumerate(persons):
        lines = await _everything(person.visitor)
        mine = [line["id"] for line in lines if line["author"] == "person"]
        if mine != person.sent:
            lost, twice = set(person.sent) - set(mine), len(mine) - len(set(mine))
            problems.append(f"visitor {number}: {len(lost)} lost, {twice} twice, or out of order")
        for line, following in zip(lines, [*lines[1:], {"author": "nobody"}], strict=True):
            if line["author"] == "person" and following["author"] != "assistant":
                problems.append(f"visitor {number}: line {line['position']} has no answer after it")
        repeated += len(person.heard) - len(set(person.heard))
        if sorted(set(person.heard)) != [line["position"] for line in lines]:
            problems.append(f"visitor {number}: the event stream missed lines")
    return problems, repeated


async def _stuck(database: AsyncEngine) -> list[str]:
    """What holds up each conversation that still has open messages."""
    query = """
        SELECT DISTINCT ON (c.id) c.id, c.claimed_by, i.attempts, i.due_at - now() AS due, c.pace_at - now() AS pace,
            EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = c.claimed_by) AS alive
        FROM conversation c JOIN inbox i ON i.conversation_id = c.id WHERE i.outcome IS NULL ORDER BY c.id, i.id"""
    async with database.connect() as link:
        return [f"stuck: {dict(row._mapping)}" for row in await link.execute(text(query))]


async def _everything(visitor: Visitor) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    while more := (await visitor.history(after=len(lines)))["lines"]:
        lines += more
    return lines


def _kill(part: str, launcher: int, folder: Path) -> bool:
    """kill -9 one part; False when it was down already."""
    try:
        if part == "postgres":
            victim = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        else:
            wanted = "nlu.service" if part == "rasa" else part
            children = psutil.Process(launcher).children()
            victim = next(child.pid for child in children if wanted in child.cmdline())
        os.kill(victim, signal.SIGKILL)
    except (OSError, StopIteration, ValueError, IndexError, psutil.Error):
        return False
    return True


async def _until_healthy(url: str, seconds: float = 180) -> None:
    async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with session.get(url + "/health") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.2)
