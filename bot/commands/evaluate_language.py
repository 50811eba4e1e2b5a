"""The language half of ./tekkie evaluate: our detector against langdetect, written to docs/language.md."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

from bot.commands import measured
from bot.commands.models import language_model
from bot.language import Detector, langdetect_probabilities
from bot.messages import LANGUAGES
from bot.settings import ROOT, Settings

PAGE = ROOT / "docs" / "language.md"
_MIXED = ("mixed", "short")  # styles in which the Turkish and Arabic writers also wrote plain Dutch
Guess = Callable[[str], str]
Cases = dict[str, list[tuple[str, str]]]  # name -> (text, language)


def write(settings: Settings) -> str:
    """Measure, replace the measured part of the page, and return the table."""
    detector = Detector.load(language_model(settings.folder))
    guessers: dict[str, Guess] = {
        "ours": lambda text: detector.detect(text).language,
        "langdetect with priors": lambda text: _known(langdetect_probabilities(text)),
        "langdetect as it comes": lambda text: _known(langdetect_probabilities(text, priors=False)),
    }
    found = _table(_cases(), guessers)
    heading = f"Measured on {datetime.date.today():%d %B %Y} on the held-back messages."
    measured.replace(PAGE, f"{heading}\n\n{found}")
    return found


def _known(guesses: list[tuple[str, float]]) -> str:
    return guesses[0][0] if guesses and guesses[0][0] in LANGUAGES else "other"


def _table(cases: Cases, guessers: dict[str, Guess]) -> str:
    lines = [f"| | messages | {' | '.join(guessers)} |", "|---" * (len(guessers) + 2) + "|"]
    for name, pairs in cases.items():
        shares = [sum(guess(text) == language for text, language in pairs) / len(pairs) for guess in guessers.values()]
        lines.append(f"| {name} | {len(pairs)} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |")
    return "\n".join(lines)


def _cases() -> Cases:
    cases: Cases = {}
    for language in LANGUAGES:
        rows = _rows(ROOT / "nlu" / language / "held_back.jsonl")
        own = [row["text"] for row in rows if language == "nl" or row["style"] not in _MIXED]
        cases[f"{language}: three words or more"] = [(t, language) for t in own if len(t.split()) > 2]
        cases[f"{language}: first two words"] = [(" ".join(t.split()[:2]), language) for t in own if len(t.split()) > 1]
        cases[f"{language}: first word"] = [(t.split()[0], language) for t in own]
        if language != "nl":
            cases[f"{language}: mixed with Dutch"] = [(r["text"], language) for r in rows if r["style"] == "mixed"]
        if language == "tr":
            plain = str.maketrans("çğıöşüÇĞİÖŞÜ", "cgiosuCGIOSU")
            cases["tr: without diacritics"] = [(t.translate(plain), "tr") for t in own if len(t.split()) > 2]
        if language == "ar":
            cases["ar: in Latin letters"] = [(r["text"], "ar") for r in rows if r["style"] == "latin"]
    cases["other languages"] = [(row["text"], "other") for row in _rows(ROOT / "nlu" / "other_held_back.jsonl")]
    return cases


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
