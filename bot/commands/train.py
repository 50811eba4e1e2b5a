"""./tekkie train: trains the languages whose model is missing or stale, side by side, with progress.

A new model that is clearly worse than the one before it does not replace it (evaluate_draft.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bot.commands import evaluate_draft, models, rasa_side
from bot.messages import LANGUAGES
from bot.settings import ROOT, Settings, SettingsError

NAMES = {"nl": "Dutch", "tr": "Turkish", "ar": "Arabic"}
_STAGES = {"loading": 10, "training": 20, "done": 90}
_COMPARING = "comparing"
_TYPICAL_SECONDS = 60.0  # moves the bar while Rasa says nothing


class WorseModel(SettingsError):
    """New models were refused; the ones before them are pinned, so that answering can go on."""


async def ensure_trained(settings: Settings, languages: Sequence[str] = LANGUAGES) -> None:
    """Train what is missing or stale and not pinned. Raises SettingsError, WorseModel at the very end."""
    stale = [language for language in languages if not models.model_path(settings.folder, language).exists()]
    _check_examples(settings, stale)
    await _train_all(settings.folder, stale)


async def command(settings: Settings, arguments: argparse.Namespace) -> None:
    """The command line: installs the Rasa side when needed, trains or goes back, says where the models are."""
    languages: list[str] = arguments.languages or list(LANGUAGES)
    if arguments.rollback:
        go_back(settings.folder, arguments.languages)
    else:
        await asyncio.to_thread(rasa_side.make_environment)
        await train(settings, languages, arguments.force, arguments.force_worse)
    for language in languages:
        print(f"{NAMES.get(language, language)}: {models.in_use(settings.folder, language)}")
    if rasa_side.running_instance(settings.folder):
        print("Restart ./tekkie up to let them answer.")


async def train(settings: Settings, languages: Sequence[str], force: bool = False, worse: bool = False) -> None:
    """Bring every model up to date and end every pin; with `force` train all, with `worse` take worse ones too."""
    folder = settings.folder
    _check_examples(settings, languages)
    stale = [language for language in languages if force or not models.fresh_path(folder, language).exists()]
    for language in languages:
        refused = models.refused_path(folder, language)
        if worse and not force and language in stale and refused.exists():
            models.take(folder, language, refused)
            stale.remove(language)
        elif language not in stale:
            models.unpin(folder, language)
    await _train_all(folder, stale, worse)


def go_back(folder: Path, languages: Sequence[str]) -> None:
    """Pin the model that answered before the present one; without `languages` wherever there is one.

    Raises SettingsError when there is none.
    """
    found = {language: models.earlier(folder, language) for language in languages or LANGUAGES}
    missing = [language for language, model in found.items() if model is None]
    if missing and (languages or len(missing) == len(found)):
        names = ", ".join(NAMES.get(language, language) for language in missing)
        raise SettingsError(f"There is no earlier model to go back to: {names}.")
    for language, model in found.items():
        if model:
            models.pin(folder, language, model)


def pins(folder: Path) -> list[str]:
    """A line for every language that answers with a pinned model."""
    pinned = {language: models.pinned(folder, language) for language in LANGUAGES}
    return [
        f"{NAMES[language]} answers with the pinned model {model.name}, until the next ./tekkie train {language}."
        for language, model in pinned.items()
        if model
    ]


def _check_examples(settings: Settings, languages: Sequence[str]) -> None:
    try:
        for language in languages:
            models.examples(language)
        models.language_model(settings.folder)
    except models.BrokenExamples as error:
        raise SettingsError(str(error)) from error


async def _train_all(folder: Path, stale: Sequence[str], worse: bool = False) -> None:
    if not stale:
        return
    (folder / "models").mkdir(parents=True, exist_ok=True)
    places = asyncio.Semaphore(max(1, min(len(stale), os.cpu_count() or 1)))
    with _display() as progress:
        refusals = await asyncio.gather(*(_renew(folder, language, worse, places, progress) for language in stale))
    if said := [refusal for refusal in refusals if refusal]:
        raise WorseModel("\n".join(said))


async def _renew(folder: Path, language: str, worse: bool, places: asyncio.Semaphore, progress: Progress) -> str | None:
    """Train a draft and let it answer; the sentence that refuses it when it is clearly worse."""
    bar = progress.add_task(f"{NAMES.get(language, language)}", total=100, stage="waiting", start=False)
    async with places:
        progress.start_task(bar)
        draft, stays = models.draft_path(folder, language), models.in_use(folder, language)
        await _train(language, draft, progress, bar)
        why = None
        if stays and not worse and not draft.name.endswith(stays.name):  # the same data give the same model
            progress.update(bar, stage=_COMPARING)
            why = await evaluate_draft.objection(language, draft, stays)
        progress.update(bar, completed=100, stage="refused" if why else "done")
    if why is None or stays is None:
        models.take(folder, language, draft)
        return None
    models.refuse(folder, language, draft, stays)
    return (
        f"The new {NAMES.get(language, language)} model is clearly worse on the held-back messages ({why}), so "
        f"{stays.name} goes on answering: mend the data and run ./tekkie train {language} again, or take the new one "
        f"all the same with ./tekkie train {language} --force-worse."
    )


async def _train(language: str, output: Path, progress: Progress, bar: TaskID) -> None:
    """Run nlu.train. Raises SettingsError with its last line when it fails."""
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
