"""The coaches' desk at work: how soon 20 open desks hear what a person writes, and how long pages take.

    python -m tests.bench.desk [--quick]    prints JSON (milliseconds); unless --quick, writes docs/benchmarks.md

200 open cases and 20 event streams live at once, over 10,000 closed cases, on the whole path: accepted, understood by
the Rasa side, saved, told with the case in it. Once with streams alone, and once while every desk also fetches its
whole list at each event, at most every 0.7 s: what a page that ignores the case in the event does. Bot, desk and the
20 browsers share one process: the figures include the browsers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import Integer, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.channels.webchat import NAME
from bot.coach import people, sessions
from bot.coach.desk import opened
from bot.coach.outside import Outside
from bot.coach.people import Newcomer
from bot.coach.sessions import COOKIE
from bot.commands import measured, postgres, rasa_side
from bot.commands.serve import running
from bot.messages import LANGUAGES, Incoming, Kind
from bot.settings import ROOT, read
from bot.web import Web
from tests.bench.report import machine

_PAUSE = 0.7  # seconds between two looks at the list, of static/desk_queue.js
_WORDS = ("wat kost de opleiding", "dank je wel", "ik weet het niet", "bana yardım eder misiniz", "كم الراتب")

# Every closed case has a talk of ten lines behind it, every open one of thirty.
_FILL = """
INSERT INTO conversation (channel, address, language, language_from, last_position, heard_at, mode)
SELECT 'webchat', 'bench-' || n, (ARRAY['nl', 'tr', 'ar'])[1 + n % 3], 'detected',
    CASE WHEN n <= :open THEN 30 ELSE 10 END, now() - n * interval '1 minute',
    CASE WHEN n > :open THEN 'bot' WHEN n % 2 = 0 THEN 'coach' ELSE 'waiting' END
FROM generate_series(1, :open + :closed) AS n;
INSERT INTO transcript (conversation_id, position, author, text, language, topic, at)
SELECT c.id, p, CASE WHEN p % 2 = 0 THEN 'assistant' ELSE 'person' END, 'Een regel van het gesprek, nummer ' || p,
    c.language, 'cost', now() - interval '1 day'
FROM conversation c, generate_series(1, c.last_position) AS p;
INSERT INTO outbox (conversation_id, transcript_id, channel, outcome, closed_at)
SELECT t.conversation_id, t.id, 'webchat', 'sent', now() FROM transcript t WHERE t.author = 'assistant';
INSERT INTO referral (key, conversation_id, team_id, state, topic, language, area, first_name, consent_at, created_at,
    due_at, person_at)
SELECT 'bench-' || c.id, c.id, (SELECT min(id) FROM team),
    CASE c.mode WHEN 'bot' THEN 'closed' WHEN 'coach' THEN 'taken' ELSE 'waiting' END, 'cost', c.language,
    'nieuw_west', 'Naam', now(), now() - interval '2 days', now() + interval '1 day', now() - interval '1 hour'
FROM conversation c;
UPDATE referral SET coach_id = (SELECT min(id) FROM coach) + id % :coaches, taken_at = now() - interval '1 day',
    coach_at = now() - interval '2 hours' WHERE state <> 'waiting';
UPDATE referral SET closed_at = now() - id * interval '1 minute', outcome = 'helped', rating = 3
WHERE state = 'closed';
ANALYZE
"""


@dataclass
class Heard:
    """When each case was last written in, and how long each desk took to hear of it (seconds)."""

    sent: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    events: int = 0


async def fill(database: AsyncEngine, coaches: int, open_cases: int, closed: int) -> list[str]:
    """The world; the session tokens of the coaches."""
    ids = [
        (await people.add(database, Newcomer(f"Coach {n}", f"c{n}@example.org", languages=("nl", "tr"))))[0]
        for n in range(coaches)
    ]
    values = {"open": open_cases, "closed": closed, "coaches": coaches}
    async with database.begin() as link:
        for statement in _FILL.split(";\n"):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            typed = text(statement).bindparams(*(bindparam(name, type_=Integer) for name in used))
            await link.execute(typed, used)
    return [await sessions.start(database, coach, None) for coach in ids]


@contextlib.asynccontextmanager
async def serving_desk(site: Web, database_url: str) -> AsyncIterator[str]:
    """The desk's address."""
    made = opened(database_url, site.database, site.understanding, Outside({"whatsapp": 24.0}))
    app = web.Application(client_max_size=0)
    app.add_routes(made.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    listening = asyncio.create_task(made.live.run())
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        listening.cancel()


async def browse(url: str, token: str, heard: Heard, fetch: bool, ready: asyncio.Semaphore) -> None:
    """One open desk, until cancelled."""
    async with aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={token}"}) as session:
        again = asyncio.Event()
        looking = asyncio.create_task(_look(session, url, heard, again)) if fetch else None
        try:
            timeout = aiohttp.ClientTimeout(total=None)
            async with session.get(f"{url}/desk/api/events", timeout=timeout) as stream:
                ready.release()
                async for raw in stream.content:
                    if raw.startswith(b'data: {"key": "bench-'):
                        _note(heard, json.loads(raw[6:])["key"])
                        again.set()
        finally:
            if looking:
                looking.cancel()


def _note(heard: Heard, key: str) -> None:
    heard.events += 1
    if key in heard.sent:
        heard.latencies.append(time.monotonic() - heard.sent[key])


async def _look(session: aiohttp.ClientSession, url: str, heard: Heard, again: asyncio.Event) -> None:
    while True:
        await again.wait()
        again.clear()
        began = time.monotonic()
        async with session.get(f"{url}/desk/api/queue?view=open") as answer:
            await answer.read()
        heard.lists.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, began + _PAUSE - time.monotonic()))


async def talk(
    site: Web, url: str, tokens: Sequence[str], fetch: bool, per_second: float, seconds: float, cases: int
) -> dict[str, Any]:
    """People write in turn, each in their own open case; what every desk heard of it."""
    heard, ready = Heard(), asyncio.Semaphore(0)
    desks = [asyncio.create_task(browse(url, token, heard, fetch, ready)) for token in tokens]
    for _ in tokens:
        await ready.acquire()
    began, count = time.monotonic(), int(per_second * seconds)
    writing = []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        writing.append(asyncio.create_task(_write(site, heard, number, cases)))
    await asyncio.gather(*writing)
    await asyncio.sleep(3)
    for task in desks:
        task.cancel()
    await asyncio.gather(*desks, return_exceptions=True)
    # The first event of a message counts; a later one (the outbox, a receipt) is about the same message.
    found: dict[str, object] = {"messages": count, "desks": len(tokens), "events": heard.events}
    found |= {"heard": _spread(heard.latencies)}
    return {**found, "list": _spread(heard.lists)} if fetch else found


async def _write(site: Web, heard: Heard, number: int, cases: int) -> None:
    who = 1 + number % cases
    heard.sent[f"bench-{who}"] = time.monotonic()
    address = f"bench-{who}"
    words = _WORDS[number % len(_WORDS)]
    await site.acceptor.accept(Incoming(NAME, f"{address}:{time.monotonic_ns()}", address, Kind.TEXT, words))


async def pages(url: str, token: str, times: int) -> dict[str, Any]:
    """Each page alone, one after the other."""
    found: dict[str, object] = {}
    async with aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={token}"}) as session:
        for path in (
            "/desk",
            "/desk/api/queue",
            "/desk/api/queue?view=closed",
            "/desk/api/cases/bench-2",
            "/desk/api/overview?days=365",
        ):
            took = []
            for _ in range(times):
                began = time.monotonic()
                async with session.get(url + path) as answer:
                    await answer.read()
                    if answer.status != 200:
                        raise RuntimeError(f"{path} answered {answer.status}")
                took.append(time.monotonic() - began)
            found[path] = _spread(took)
    return found


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    """{count, p50, p95, max} in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0}
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    shown = {"p50": statistics.median(ordered), "p95": p95, "max": ordered[-1]}
    return {"count": len(ordered), **{name: round(value * 1000, 1) for name, value in shown.items()}}


def _in_words(looked: dict[str, Any], alone: dict[str, Any], both: dict[str, Any]) -> str:
    lines = [
        f"Measured on {datetime.date.today():%d %B %Y} on {machine()}; bot, desk and {alone['desks']} browsers share "
        "one process.",
        "",
        "| what | median | 95th percentile | most |",
        "|---|---|---|---|",
    ]
    rows = [(f"`{path}`", spread) for path, spread in looked.items()]
    rows.append(("a person's message in every open desk, 10 a second", alone["heard"]))
    rows.append(("the same while every desk also fetches its whole list each 0.7 s (ours does not)", both["heard"]))
    lines += [f"| {name} | {s['p50']} ms | {s['p95']} ms | {s['max']} ms |" for name, s in rows]
    return "\n".join(lines)


async def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.desk")
    parser.add_argument("--open", type=int, default=200)
    parser.add_argument("--closed", type=int, default=10_000)
    parser.add_argument("--coaches", type=int, default=20)
    parser.add_argument("--per-second", type=float, default=10.0, help="messages of people, over all open cases")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--quick", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    settings = read()
    with postgres.temporary() as database_url:
        async with rasa_side.reachable(settings, LANGUAGES) as nlu_url:
            silent = replace(settings, nlu_url=nlu_url, telegram=None, whatsapp=None)
            async with running(silent, database_url) as site, serving_desk(site, database_url) as url:
                tokens = await fill(site.database, arguments.coaches, arguments.open, arguments.closed)
                rate = (arguments.per_second, arguments.seconds, arguments.open)
                looked = await pages(url, tokens[0], 50)
                alone = await talk(site, url, tokens, False, *rate)
                both = await talk(site, url, tokens, True, *rate)
    print(json.dumps({"pages": looked, "streams alone": alone, "streams and lists": both}, indent=2))
    if not arguments.quick:
        measured.replace(ROOT / "docs" / "benchmarks.md", _in_words(looked, alone, both), "desk")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
