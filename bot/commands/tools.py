"""./tekkie test and ./tekkie bench: hand over to pytest and to tests/bench, in the development environment."""

from __future__ import annotations

import argparse
import asyncio
import sys

from bot.commands import rasa_side
from bot.commands.train import ensure_trained
from bot.settings import ROOT, Settings


async def test(settings: Settings, arguments: argparse.Namespace) -> int:
    """Install the Rasa side, train what is stale, run pytest; its exit code."""
    await _prepare(settings)
    return await _python("-m", "pytest", *arguments.pytest)


async def bench(settings: Settings, arguments: argparse.Namespace) -> int:
    await _prepare(settings)
    return await _python("-m", "tests.bench", *(["--quick"] if arguments.quick else []))


async def _prepare(settings: Settings) -> None:
    await asyncio.to_thread(rasa_side.make_environment)
    await ensure_trained(settings)


async def _python(*arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)
    return await process.wait()
