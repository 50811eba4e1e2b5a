"""./tekkie train: trains the languages whose model is missing or stale, side by side, with progress."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bot.commands import models, rasa_side
from bot.messages import LANGUAGES
from bot.settings import ROOT, Settings, SettingsError

NAMES = {"nl": "Dutch", "tr": "Turkish", "ar": "Arabic"}
_STAGES = {"loading": 10, "training": 20, "done": 100}
_TYPICAL_SECONDS = 60.0  # moves the bar while Rasa says nothing


async def ensure_trained(settings: Settings, languages: Sequence[str] = LANGUAGES, force: bool = False) -> None:
    """Train what is missing or stale (everything in `languages` with `force`). Raises SettingsError."""
    try:
        for language in languages:
            models.examples(language)
        models.language_model(settings.folder)
    except models.BrokenExamples as error:
        raise SettingsError(str(error)) from error
    stale = [language for language in languages if force or not models.model_path(settings.folder, language).exists()]
    if not stale:
        return
    (settings.folder / "models").mkdir(parents=True, exist_ok=True)
    places = asyncio.Semaphore(max(1, min(len(stale), os.cpu_count() or 1)))
    with _display() as progress:
        await asyncio.gather(*(_train(settings.folder, language, places, progress) for language in stale))


async def _train(folder: Path, language: str, places: asyncio.Semaphore, progress: Progress) -> None:
    bar = progress.add_task(f"{NAMES.get(language, language)}", total=100, stage="waiting", start=False)
    async with places:
        progress.start_task(bar)
        output = models.model_path(folder, language)
        command = [str(rasa_side.PYTHON), "-m", "nlu.train", language, str(output)]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ, **rasa_side.CALM}, stdout=PIPE, stderr=PIPE
        )
        ticking = asyncio.create_task(_tick(progress, bar))
        try:
            stages, (problems, code) = await asyncio.gather(_follow(process, progress, bar), _ended(process))
        except asyncio.CancelledError:
            process.kill()
            raise
        finally:
            ticking.cancel()
    if code or stages[-1:] != ["done"]:
        raise SettingsError(f"Training {NAMES.get(language, language)} failed: {_last(problems)}")
    models.tidy(folder, language)


async def _follow(process: Process, progress: Progress, bar: TaskID) -> list[str]:
    assert process.stdout is not None
    stages = []
    async for line in process.stdout:
        stage = line.decode("utf-8", "replace").strip()
        if stage in _STAGES:
            stages.append(stage)
            progress.update(bar, completed=_STAGES[stage], stage=stage)
    return stages


async def _ended(process: Process) -> tuple[str, int]:
    assert process.stderr is not None
    problems = (await process.stderr.read()).decode("utf-8", "replace")
    return problems, await process.wait()


async def _tick(progress: Progress, bar: TaskID) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(0.5)
        share = 1 - 2 ** -((time.monotonic() - started) / _TYPICAL_SECONDS * 2)
        task = progress.tasks[bar]
        progress.update(bar, completed=max(task.completed, min(95.0, 95 * share)))


def _display() -> Progress:
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        console = Console(stderr=True, width=100)
    return Progress(
        SpinnerColumn(),
        TextColumn("Training {task.description:8}"),
        BarColumn(),
        TextColumn("{task.fields[stage]}"),
        TimeElapsedColumn(),
        console=console,
        refresh_per_second=4 if sys.stderr.isatty() else 0.2,
    )


def _last(problems: str) -> str:
    lines = [line.strip() for line in problems.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it stopped without saying why."


async def command(settings: Settings, languages: Sequence[str], force: bool) -> None:
    """The command line: installs the Rasa side when needed, trains, says where the models are."""
    await asyncio.to_thread(rasa_side.make_environment)
    await ensure_trained(settings, languages, force)
    for language in languages:
        print(f"{NAMES.get(language, language)}: {models.model_path(settings.folder, language)}")
