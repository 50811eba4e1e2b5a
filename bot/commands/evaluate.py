"""./tekkie evaluate: how well every language is understood, written to docs/understanding.md."""

from __future__ import annotations

import argparse
import asyncio
import datetime

from bot.commands import evaluate_language, evaluate_stock, measured, models, rasa_side
from bot.commands.evaluate_model import Result, measure
from bot.commands.train import NAMES, ensure_trained
from bot.messages import LANGUAGES
from bot.settings import ROOT, Settings

PAGE = ROOT / "docs" / "understanding.md"
_ROWS = {
    "top_1": "best guess right (in scope)",
    "right_first_time": "right first time",
    "right_after_asking": "right after asking back once, in all",
    "wrong": "wrong answer given",
    "out_of_scope_refused": "out of scope, not answered as something else",
    "crisis_caught": "crisis messages caught",
    "false_alarms": "false alarms",
    "hints_caught": "harder: mere hints at a crisis caught",
    "look_alikes": "harder: false alarms among look-alikes and ordinary messages",
}


async def evaluate(settings: Settings, arguments: argparse.Namespace) -> None:
    """Measure all languages on their held-back messages; print the table and write the page."""
    await asyncio.to_thread(rasa_side.make_environment)
    await ensure_trained(settings)
    results = {}
    for language in LANGUAGES:
        model = models.model_path(settings.folder, language)
        results[language] = await measure(language, model, curve=not arguments.quick)
    print(table(results))
    if not arguments.quick:
        write(results)
        print("\n" + evaluate_language.write(settings))
        print(f"\nWritten to {PAGE.relative_to(ROOT)} and {evaluate_language.PAGE.relative_to(ROOT)}.")
    if arguments.stock:
        page = None if arguments.quick else PAGE
        epochs = arguments.epochs or evaluate_stock.EPOCHS
        print("\n" + await evaluate_stock.compare(page, epochs, examples=arguments.examples))


def table(results: dict[str, Result]) -> str:
    """Markdown: one column per language."""
    head = [f"| | {' | '.join(NAMES[language] for language in results)} |", "|---" * (len(results) + 1) + "|"]
    rows = [
        f"| {text} | " + " | ".join(f"{100 * r[key]:.1f} %" for r in results.values()) + " |"
        for key, text in _ROWS.items()
        if all(key in result for result in results.values())
    ]
    rows.append("| messages | " + " | ".join(str(r["messages"]) for r in results.values()) + " |")
    rows.append("| median for one message | " + " | ".join(f"{r['median_ms']:.1f} ms" for r in results.values()) + " |")
    return "\n".join([*head, *rows])


def write(results: dict[str, Result]) -> None:
    """Replace the measured part of docs/understanding.md."""
    parts = [f"Measured on {datetime.date.today():%d %B %Y} on the held-back messages.", "", table(results)]
    parts += ["", "**By style** (best guess right)", "", _groups(results, "by_style")]
    parts += ["", "**More examples?** Best guess right over training examples per topic:", "", _curve(results)]
    parts += [
        "",
        "**Calibration**: mean confidence / share right (messages):",
        "",
        _calibration(results),
        "",
        *_pictures(results),
    ]
    for language, result in results.items():
        topics = sorted(result["by_topic"].items(), key=lambda item: item[1][0])
        weakest = ", ".join(f"{topic} {100 * share:.0f} %" for topic, (share, _) in topics[:8])
        confused = "; ".join(f"{pair} ({times})" for pair, times in result["confused"][:6])
        parts += ["", f"**{NAMES[language]}**: weakest topics {weakest}. Most often confused: {confused}."]
    measured.replace(PAGE, "\n".join(parts))


def _pictures(results: dict[str, Result]) -> list[str]:
    """Draw them next to the page; the lines that show them."""
    from bot.commands import evaluate_pictures  # not at the top: the container has no matplotlib

    files = evaluate_pictures.draw(results, NAMES, PAGE.parent)
    shown = [f"![confidence against share right]({files.pop('calibration').name})", ""]
    links = ", ".join(f"[{NAMES[language]}]({file.name})" for language, file in files.items())
    return [
        *shown,
        f"**Which topics are taken for which** (a row is what was meant, a column the best guess): {links}.",
    ]


def _groups(results: dict[str, Result], key: str) -> str:
    names = sorted({name for result in results.values() for name in result[key]})
    head = [f"| | {' | '.join(NAMES[language] for language in results)} |", "|---" * (len(results) + 1) + "|"]
    rows = []
    for name in names:
        cells = [r[key].get(name) for r in results.values()]
        rows.append(f"| {name} | " + " | ".join(f"{100 * c[0]:.0f} % of {c[1]}" if c else "-" for c in cells) + " |")
    return "\n".join([*head, *rows])


def _curve(results: dict[str, Result]) -> str:
    sizes = [size for size, _ in next(iter(results.values()))["curve"]]
    head = [f"| | {' | '.join(str(size) for size in sizes)} |", "|---" * (len(sizes) + 1) + "|"]
    rows = [
        f"| {NAMES[language]} | " + " | ".join(f"{100 * share:.1f} %" for _, share in result["curve"]) + " |"
        for language, result in results.items()
    ]
    return "\n".join([*head, *rows])


def _calibration(results: dict[str, Result]) -> str:
    return "\n".join(
        f"- {NAMES[language]}: "
        + ", ".join(f"{sure:.2f} / {right:.2f} ({number})" for sure, right, number in result["calibration"])
        for language, result in results.items()
    )
