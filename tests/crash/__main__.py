"""Kills the bot, the Rasa side and PostgreSQL with -9 at random moments under load, and checks the books.

    .venv/bin/python -m tests.crash --kills 100

Starts a `./tekkie up` of its own (own folder, own port). Visitors keep writing; every message must be in
its transcript exactly once, in order, answered; the accounts must add up; and the event stream may
repeat at most one line per kill. Prints one JSON object; exit 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys

from tests.crash.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.crash")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--visitors", type=int, default=12)
    parser.add_argument("--seed", type=int, default=None, help="the same seed kills the same parts at the same pauses")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(10**6)
    result = asyncio.run(run(arguments.kills, arguments.visitors, seed))
    print(json.dumps({"seed": seed, **result}, indent=2))
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
