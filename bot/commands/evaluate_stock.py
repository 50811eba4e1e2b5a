"""./tekkie evaluate --stock: our understanding next to Rasa's own pipelines, on the same messages.

Same training examples, same held-back messages, one contender at a time (nlu/stock.py). Rasa's default
pipeline trains its network for 100 epochs, each 90 seconds at first on two cores: some two hours per
language. So it comes last, and the table goes to a part of its own in docs/understanding.md after every
contender: a run that is stopped keeps what it has.
"""

from __future__ import annotations

import asyncio
import datetime
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.commands import measured, rasa_side
from bot.commands.evaluate_model import Result, run
from bot.commands.train import NAMES
from bot.messages import LANGUAGES

EPOCHS = 100  # as in a fresh Rasa project
_TEKKIE = "tekkie"
_KINDS = {_TEKKIE: "Tekkie", "logistic": "Rasa, logistic regression", "diet": "Rasa's default (DIET)"}
_FIGURES: dict[str, Callable[[Result], str]] = {
    "best guess right (in scope)": lambda result: f"{100 * result['top_1']:.1f} %",
    "training": lambda result: f"{result['training_seconds']:.0f} s",
    "median for one message": lambda result: f"{result['median_ms']:.1f} ms",
    "model file": lambda result: f"{result['megabytes']:.0f} MB",
}
_EVERY = 60.0  # seconds between two signs of life
Results = dict[tuple[str, str], Result]  # (kind, language)


async def compare(
    page: Path | None, epochs: int = EPOCHS, topics: int | None = None, examples: int | None = None
) -> str:
    """Train and measure every contender in every language; the table, also on `page` when there is one.

    `topics` takes that many topics only, for a trial; `examples` at most so many per topic, for everybody. Raises
    SettingsError when a contender fails.
    """
    results: Results = {}
    extra = ["--epochs", str(epochs), *(["--topics", str(topics)] if topics else [])]
    extra += ["--examples", str(examples)] if examples else []
    for kind, name in _KINDS.items():
        for language in LANGUAGES:
            _say(f"{name}, {NAMES[language]}: training and measuring ...")
            # our number libraries on one thread, as we run them; Rasa's as they come
            environment = rasa_side.CALM if kind == _TEKKIE else {"PYTHONWARNINGS": "ignore"}
            results[kind, language] = await _with_patience(run("nlu.stock", language, kind, *extra, **environment))
            _say("  " + ", ".join(f"{title} {show(results[kind, language])}" for title, show in _FIGURES.items()))
            if page:
                measured.replace(page, _section(results, epochs, examples), "stock")
    return table(results)


def table(results: Results) -> str:
    """Markdown: one column per language, every figure for every contender; "-" for what is not there."""
    rows = [f"| | {' | '.join(NAMES[language] for language in LANGUAGES)} |", "|---" * (len(LANGUAGES) + 1) + "|"]
    for title, show in _FIGURES.items():
        for kind, name in _KINDS.items():
            found = [results.get((kind, language)) for language in LANGUAGES]
            rows.append(f"| {title}: {name} | " + " | ".join(show(one) if one else "-" for one in found) + " |")
    for kind, name in _KINDS.items():
        if kind != _TEKKIE:
            cells = [_only_one(results.get((_TEKKIE, code)), results.get((kind, code))) for code in LANGUAGES]
            rows.append(f"| right with one only: Tekkie / {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _only_one(ours: Result | None, theirs: Result | None) -> str:
    if not ours or not theirs:
        return "-"
    pairs = list(zip(ours["right"], theirs["right"], strict=True))
    return f"{pairs.count((True, False))} / {pairs.count((False, True))}"


def _section(results: Results, epochs: int, examples: int | None) -> str:
    when = f"Measured on {datetime.date.today():%d %B %Y}; DIET trained for {epochs} epochs."
    if examples:
        when += f" All contenders had the same {examples} examples of each topic, so the figures are low for all."
    return f"{when}\n\n{table(results)}"


async def _with_patience(work: Awaitable[Result]) -> Result:
    """The result, with a line every minute so that nobody thinks it hangs."""
    task, started = asyncio.ensure_future(work), time.monotonic()
    try:
        while not (await asyncio.wait({task}, timeout=_EVERY))[0]:
            _say(f"  {(time.monotonic() - started) / 60:.0f} min")
        return task.result()
    finally:
        task.cancel()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
