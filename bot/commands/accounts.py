"""./tekkie accounts: every message in and out, by how it ended; exit 1 when the sums do not add up."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import outbox
from bot.commands import opened
from bot.inbox import Outcome
from bot.settings import Settings

# Each counts rows that break the books; all must be 0.
_CHECKS = {
    "closed messages that are not in the transcript exactly once": """
        SELECT count(*) FROM inbox i WHERE outcome IS NOT NULL AND outcome NOT LIKE 'ignored:%'
        AND outcome <> 'dead:unreadable'
        AND 1 <> (SELECT count(*) FROM transcript t WHERE t.inbox_id = i.id AND author = 'person')""",
    "open messages that are in the transcript already": """
        SELECT count(*) FROM inbox i JOIN transcript t ON t.inbox_id = i.id WHERE i.outcome IS NULL""",
    "answered messages without a reply": """
        SELECT count(*) FROM inbox i WHERE outcome IS NOT NULL AND outcome NOT LIKE 'ignored:%'
        AND outcome NOT IN ('to_coach', 'dead:unreadable')
        AND NOT EXISTS (SELECT FROM transcript t WHERE t.inbox_id = i.id AND author = 'assistant')""",
    "replies without exactly one row in the outbox": """
        SELECT count(*) FROM transcript t WHERE author <> 'person'
        AND 1 <> (SELECT count(*) FROM outbox o WHERE o.transcript_id = t.id)""",
    "conversations whose lines have a gap": """
        SELECT count(*) FROM conversation c WHERE last_position <>
        (SELECT count(*) FROM transcript t WHERE t.conversation_id = c.id)""",
    "messages answered out of order": """
        SELECT count(*) FROM transcript a JOIN transcript b ON a.conversation_id = b.conversation_id
        AND a.author = 'person' AND b.author = 'person' AND a.position < b.position AND a.inbox_id > b.inbox_id""",
}


@dataclass(frozen=True)
class Accounts:
    """How many rows ended how ("open" for those that have not), and what does not add up."""

    inbox: Mapping[str, int]
    outbox: Mapping[str, int]
    problems: tuple[str, ...]


async def accounts(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the accounts of the database in use."""
    async with opened.database(settings) as database:
        result = await count(database)
    print(_table("inbox", "received", result.inbox))
    print(_table("outbox", "to send", result.outbox))
    print("\n".join(result.problems) or "It adds up.")
    return 1 if result.problems else 0


async def count(database: AsyncEngine) -> Accounts:
    """All figures from one snapshot."""
    async with database.connect() as link:
        await link.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        sums = {
            table: {
                outcome: number
                for outcome, number in await link.execute(
                    text(f"SELECT coalesce(outcome, 'open'), count(*) FROM {table} GROUP BY 1 ORDER BY 1")
                )
            }
            for table in ("inbox", "outbox")
        }
        problems = [
            f"{number} {what}"
            for what, check in _CHECKS.items()
            if (number := (await link.execute(text(check))).scalar_one())
        ]
    problems += [f"unknown inbox outcome {name!r}" for name in sums["inbox"] if not _known(name, Outcome)]
    problems += [
        f"unknown outbox outcome {name!r}"
        for name in sums["outbox"]
        if not _known(name, (outbox.SENT, outbox.FAILED, outbox.EXPIRED))
    ]
    return Accounts(sums["inbox"], sums["outbox"], tuple(problems))


def _known(outcome: str, allowed: Iterable[str]) -> bool:
    return outcome == "open" or outcome.partition(":")[0] in set(allowed)


def _table(name: str, total: str, sums: Mapping[str, int]) -> str:
    lines = [f"{name}: {sum(sums.values())} {total}"]
    return "\n".join([*lines, *(f"  {outcome:24} {number:8}" for outcome, number in sums.items())])
