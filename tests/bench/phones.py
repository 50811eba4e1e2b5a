"""Load on both phone channels at once: python -m tests.bench.phones [--seconds 60]

80 WhatsApp and 30 Telegram messages a second from 2,000 people, over webhooks, against the fakes of tests/fakes: the
bot is the real program, with the real Rasa side and a real PostgreSQL. Prints JSON and, unless --quick, writes
its part of docs/benchmarks.md. Asserted: all answered, in order, nothing too fast, the accounts add up.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import hmac
import itertools
import json
import logging
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.commands import measured, postgres, rasa_side
from bot.commands.accounts import count
from bot.commands.rasa_side import child, free_port, stop
from bot.database import engine
from bot.messages import LANGUAGES
from bot.migrations.run import migrate
from bot.settings import ROOT, read
from tests.bench.report import machine
from tests.channels.meta_schema import problems
from tests.fakes import whatsapp_calls as calls
from tests.fakes.telegram import TOKEN, FakeTelegram, telegram
from tests.fakes.telegram_person import Person as TelegramPerson
from tests.fakes.whatsapp import FakeWhatsApp, said
from tests.fakes.whatsapp_rules import Person as WhatsAppPerson

PEOPLE = 2_000
RATES = {"whatsapp": 80, "telegram": 30}
_WORDS = (
    "wat kost het",
    "kurs ücretli mi",
    "كم راتب المبرمج",
    "hoe lang duurt de opleiding",
    "ok",
    "matematik şart mı",
)
_LINES = """
    SELECT c.address, t.text FROM transcript t JOIN conversation c ON c.id = t.conversation_id
    WHERE c.channel = :channel AND t.author = 'assistant' ORDER BY t.conversation_id, t.position
"""


@dataclass
class Load:
    """What was measured; times in milliseconds, memory in megabytes."""

    accepted: list[float] = field(default_factory=list)
    refused: int = 0
    memory: list[float] = field(default_factory=list)
    busy: float = 0.0  # processor seconds of the bot


async def run(seconds: int) -> dict[str, Any]:
    """One run over a fresh database."""
    logging.getLogger().setLevel(logging.ERROR)
    settings = read()
    with postgres.temporary() as url:
        async with (
            rasa_side.reachable(settings, LANGUAGES) as rasa_url,
            telegram() as fake,
            FakeWhatsApp(check=lambda _: []) as meta,  # looked at afterwards: it costs more than the bot
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session,
        ):
            database = engine(url)
            await migrate(database)
            port = free_port()
            environment = _environment(url, rasa_url, fake, meta)
            command = [sys.executable, "-m", "bot", "serve", "--port", str(port), "--part"]
            parts = [child([*command, part], **environment) for part in ("front", "work")]
            try:
                site = f"http://127.0.0.1:{port}"
                await _healthy(session, site)
                load, began = Load(), time.monotonic()
                watching = asyncio.create_task(_watch([part.pid for part in parts], load))
                await asyncio.gather(
                    _pour(session, site, load, "whatsapp", seconds, meta, fake),
                    _pour(session, site, load, "telegram", seconds, meta, fake),
                )
                await _until_done(database)
                took = time.monotonic() - began
                watching.cancel()
                return await _result(database, fake, meta, load, seconds, took)
            finally:
                for part in parts:
                    await stop(part)
                await database.dispose()


def _environment(url: str, rasa_url: str, fake: FakeTelegram, meta: FakeWhatsApp) -> dict[str, str]:
    account = meta.account
    return {
        "DATABASE_URL": url,
        "NLU_URL": rasa_url,
        "TEKKIE_SECRET": "only for tests",
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_BASE": fake.url,
        "TELEGRAM_MODE": "webhook",
        "PUBLIC_URL": "https://tekkie.example",
        "WHATSAPP_TOKEN": account.token,
        "WHATSAPP_PHONE_NUMBER_ID": account.number_id,
        "WHATSAPP_APP_SECRET": account.app_secret,
        "WHATSAPP_VERIFY_TOKEN": account.verify_token,
        "WHATSAPP_API_BASE": meta.url,
    }


async def _healthy(session: aiohttp.ClientSession, site: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with session.get(f"{site}/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)


async def _pour(
    session: aiohttp.ClientSession,
    site: str,
    load: Load,
    channel: str,
    seconds: int,
    meta: FakeWhatsApp,
    fake: FakeTelegram,
) -> None:
    """Messages at a fixed rate, whether or not earlier ones are answered; people take turns at random."""
    dice, pending = random.Random(channel), set[asyncio.Task[None]]()
    share = PEOPLE * RATES[channel] // sum(RATES.values())
    phones = [WhatsAppPerson("P", f"3161{number:07d}") for number in range(share)]
    chats = [TelegramPerson(fake) for _ in range(share)]
    updates, began = itertools.count(1_000_000), time.monotonic()
    for number in range(RATES[channel] * seconds):
        await asyncio.sleep(max(0.0, began + number / RATES[channel] - time.monotonic()))
        words, who = dice.choice(_WORDS), dice.randrange(share)
        if channel == "whatsapp":
            data, headers = _whatsapp(meta, phones[who], words)
        else:
            data, headers = _telegram(fake, chats[who], words, next(updates))
        task = asyncio.create_task(_post(session, f"{site}/webhooks/{channel}", data, headers, load))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)


def _whatsapp(meta: FakeWhatsApp, person: WhatsAppPerson, words: str) -> tuple[bytes, dict[str, str]]:
    message = calls.message(person, calls.text(words))
    meta.rules.heard(person.phone)
    meta.know(str(message["id"]))
    data = calls.raw(calls.call(calls.value([person], messages=[message])))
    return data, {"X-Hub-Signature-256": calls.signature(data, meta.account.app_secret)}


def _telegram(fake: FakeTelegram, person: TelegramPerson, words: str, number: int) -> tuple[bytes, dict[str, str]]:
    fake.known[person.id] = person.where
    data = json.dumps({"update_id": number, "message": person.message(text=words)}).encode()
    secret = hmac.digest(b"only for tests", b"telegram webhook", "sha256").hex()
    return data, {"X-Telegram-Bot-Api-Secret-Token": secret}


async def _post(session: aiohttp.ClientSession, url: str, data: bytes, headers: dict[str, str], load: Load) -> None:
    began = time.monotonic()
    async with session.post(url, data=data, headers={"Content-Type": "application/json", **headers}) as answer:
        await answer.read()
        load.refused += answer.status != 200
    load.accepted.append((time.monotonic() - began) * 1000)


async def _watch(pids: list[int], load: Load) -> None:
    processes = [psutil.Process(pid) for pid in pids]
    while True:
        load.memory.append(sum(process.memory_info().rss for process in processes) / 1e6)
        load.busy = sum(sum(process.cpu_times()[:2]) for process in processes)
        await asyncio.sleep(2)


async def _until_done(database: AsyncEngine) -> None:
    async with asyncio.timeout(600):
        while True:
            books = await count(database)
            if "open" not in books.inbox and "open" not in books.outbox:
                return
            await asyncio.sleep(0.5)


async def _result(
    database: AsyncEngine, fake: FakeTelegram, meta: FakeWhatsApp, load: Load, seconds: int, took: float
) -> dict[str, Any]:
    books = await count(database)
    assert books.problems == (), books.problems
    assert load.refused == 0
    assert not fake.limits.too_fast, fake.limits.too_fast[:5]
    assert not fake.refused, fake.refused[:5]
    assert meta.violations == [], meta.violations[:5]
    assert not (wrong := _wrong(meta)), wrong[:5]
    assert set(meta.outcomes()) == {"taken"}, set(meta.outcomes())
    for channel, heard in (("telegram", _heard_on_telegram(fake)), ("whatsapp", _heard_on_whatsapp(meta))):
        assert heard == await _said(database, channel), f"{channel}: not what was said, in its order"
    middle = load.memory[len(load.memory) // 3]
    return {
        "messages": len(load.accepted),
        "seconds": seconds,
        "all_answered_after": round(took, 1),
        "accept_p50_ms": round(statistics.median(load.accepted), 1),
        "accept_p99_ms": round(statistics.quantiles(load.accepted, n=100)[98], 1),
        "bot_ms_per_message": round(load.busy * 1000 / len(load.accepted), 2),
        "memory_mb": [round(middle), round(load.memory[-1])],
        "inbox": dict(books.inbox),
        "outbox": dict(books.outbox),
    }


def _wrong(meta: FakeWhatsApp) -> list[str]:
    """What Meta's schema has against the messages; those that differ only in whom they are for are looked at once."""
    personal = ("to", "recipient", "message_id", "context")
    kinds = {
        json.dumps({k: v for k, v in call.payload.items() if k not in personal}, sort_keys=True): call.payload
        for call in meta.calls
    }
    return [problem for payload in kinds.values() for problem in problems(payload)]


async def _said(database: AsyncEngine, channel: str) -> dict[str, list[str]]:
    """What each person was answered, in order, by the transcript."""
    lines: dict[str, list[str]] = defaultdict(list)
    async with database.connect() as link:
        for address, words in await link.execute(text(_LINES), {"channel": channel}):
            lines[address].append(words)
    return lines


def _heard_on_telegram(fake: FakeTelegram) -> dict[str, list[str]]:
    return {str(chat): [m["text"] for m in messages] for chat, messages in fake.messages.items() if messages}


def _heard_on_whatsapp(meta: FakeWhatsApp) -> dict[str, list[str]]:
    heard: dict[str, list[str]] = defaultdict(list)
    for payload in meta.taken():
        heard[str(payload.get("to"))].append(said(payload))
    return heard


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.phones")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    result = asyncio.run(run(arguments.seconds))
    print(json.dumps(result, indent=1))
    if not arguments.quick:
        measured.replace(ROOT / "docs" / "benchmarks.md", _in_words(result), "phones")


def _in_words(result: dict[str, Any]) -> str:
    before, after = result["memory_mb"]
    return (
        f"Measured on {datetime.date.today():%d %B %Y} on {machine()}: {result['messages']} messages in "
        f"{result['seconds']} s, all answered and delivered in order {result['all_answered_after']} s after the first. "
        f"Accepting: p50 {result['accept_p50_ms']} ms, p99 {result['accept_p99_ms']} ms (target 50). "
        f"Memory of the bot after a third of the time and at the end: {before} and {after} MB."
    )


if __name__ == "__main__":
    main()
