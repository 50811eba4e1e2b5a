"""Where trained models live, and whether they still match the data they were trained on.

A model's file name carries the fingerprint of everything that went into it, so that "missing or
stale" is one look at the folder. Old models stay for rollback until the next but one training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from bot.language import learn
from bot.messages import LANGUAGES
from bot.settings import ROOT

OTHER_MESSAGES = "nlu/other.yml"
_SHARED = ("nlu/components", "nlu/train.py", "nlu/uv.lock", "stories")
_KEPT = 2


class BrokenExamples(Exception):
    """A training file cannot be read; the message names the file and what is wrong."""


def model_path(folder: Path, language: str, root: Path = ROOT) -> Path:
    """Where the up-to-date model of `language` is, or would be."""
    print_ = fingerprint([root / "nlu" / language, *(root / part for part in _SHARED)])
    return folder / "models" / f"{language}-{print_}.tar.gz"


def fingerprint(parts: Iterable[Path]) -> str:
    """Twelve hex digits over the names and contents of all files in `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
        for path in files:
            if "__pycache__" not in path.parts and "held_back" not in path.name:
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def tidy(folder: Path, language: str) -> None:
    """Keep the newest few models of a language, remove the rest."""
    found = sorted((folder / "models").glob(f"{language}-*"), key=lambda path: path.stat().st_mtime)
    for path in found[:-_KEPT]:
        path.unlink()


def examples(language: str, root: Path = ROOT) -> list[tuple[str, str]]:
    """(topic, message) of every training example. Raises BrokenExamples."""
    found = []
    for path in sorted((root / "nlu" / language / "examples").glob("*.yml")):
        for block in _nlu(path):
            lines = (line.strip() for line in block["examples"].splitlines())
            found += [(block["intent"], line.removeprefix("- ")) for line in lines if line.startswith("- ")]
    if not found:
        raise BrokenExamples(f"nlu/{language}/examples has no training examples.")
    return found


def language_model(folder: Path, root: Path = ROOT) -> Path:
    """The language detector's counts; made from the training examples when missing or stale."""
    sources = [*(root / "nlu" / language / "examples" for language in LANGUAGES), root / OTHER_MESSAGES]
    path = folder / "models" / f"language-{fingerprint([*sources, ROOT / 'bot' / 'language.py'])}.json"
    if not path.exists():
        texts = {language: [text for _, text in examples(language, root)] for language in LANGUAGES}
        texts |= _yaml(root / OTHER_MESSAGES)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(learn(texts), ensure_ascii=False), "utf-8")
        draft.rename(path)
        tidy(folder, "language")
    return path


def _nlu(path: Path) -> list[dict[str, str]]:
    blocks: list[dict[str, str]] | None = _yaml(path).get("nlu")
    if not isinstance(blocks, list):
        raise BrokenExamples(f"{_short(path)} has no list under 'nlu:'.")
    for block in blocks:
        if not isinstance(block, dict) or not isinstance(block.get("intent"), str):
            raise BrokenExamples(f"{_short(path)} has a block without 'intent:'.")
        if not isinstance(block.get("examples"), str):
            raise BrokenExamples(f"{_short(path)}: intent {block['intent']} has no 'examples: |' with lines '- ...'.")
    return blocks


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise BrokenExamples(f"{_short(path)}{line} cannot be read: it is not valid YAML.") from error
    if not isinstance(content, dict):
        raise BrokenExamples(f"{_short(path)} is empty or not a YAML mapping.")
    return content


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
