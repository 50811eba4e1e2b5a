"""Where trained models live, which one answers, and whether it still matches the data it was trained on.

A model's file name carries the fingerprint of everything that went into it, so that "missing or
stale" is one look at the folder. A file's time is when it was last taken into use. In var/models:

    nl-<fingerprint>.tar.gz            a model that answers or answered; the newest few stay for rollback
    nl.pinned                          the name of one of them: it answers, whatever the data are now,
                                       until the next ./tekkie train
    draft-nl-<fingerprint>.tar.gz      just trained, not compared yet
    refused-nl-<fingerprint>.tar.gz    clearly worse than the one it was to replace (evaluate_draft.py)
"""

from __future__ import annotations

import hashlib
import json
import os
import time
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
_DRAFT, _REFUSED = "draft-", "refused-"


class BrokenExamples(Exception):
    """A training file cannot be read; the message names the file and what is wrong."""


def model_path(folder: Path, language: str, root: Path = ROOT) -> Path:
    """Where the model of `language` that should answer is, or would be: the pinned one, or the up-to-date one."""
    return pinned(folder, language) or fresh_path(folder, language, root)


def fresh_path(folder: Path, language: str, root: Path = ROOT) -> Path:
    """Where the model trained on the data as they are now is, or would be."""
    print_ = fingerprint([root / "nlu" / language, *(root / part for part in _SHARED)])
    return folder / "models" / f"{language}-{print_}.tar.gz"


def draft_path(folder: Path, language: str, root: Path = ROOT) -> Path:
    """Where a new model is trained to; nothing looks there before `take`."""
    path = fresh_path(folder, language, root)
    return path.with_name(_DRAFT + path.name)


def refused_path(folder: Path, language: str, root: Path = ROOT) -> Path:
    """Where the model trained on the data as they are now is kept, if it was refused."""
    path = fresh_path(folder, language, root)
    return path.with_name(_REFUSED + path.name)


def in_use(folder: Path, language: str, root: Path = ROOT) -> Path | None:
    """The model that answers, though it may be stale; None when there is none yet."""
    path = model_path(folder, language, root)
    return path if path.exists() else next(reversed(_kept(folder, language)), None)


def earlier(folder: Path, language: str, root: Path = ROOT) -> Path | None:
    """The model to go back to: of the others, the one that answered last."""
    now = in_use(folder, language, root)
    return next((path for path in reversed(_kept(folder, language)) if path != now), None)


def take(folder: Path, language: str, draft: Path, root: Path = ROOT) -> None:
    """Let `draft` (or a refused model) answer from now on; the one before it stays, to go back to."""
    before = in_use(folder, language, root)
    for path in (before, draft):
        if path:
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
    draft.replace(draft.with_name(draft.name.removeprefix(_DRAFT).removeprefix(_REFUSED)))
    unpin(folder, language)
    _tidy(_kept(folder, language), _KEPT)
    _tidy(_aside(folder, language), 0)


def refuse(folder: Path, language: str, draft: Path, stays: Path) -> None:
    """Put `draft` aside and pin `stays`, so that the next start neither takes nor trains it again."""
    draft.replace(draft.with_name(_REFUSED + draft.name.removeprefix(_DRAFT)))
    _tidy(_aside(folder, language), 1)
    pin(folder, language, stays)


def pin(folder: Path, language: str, model: Path) -> None:
    """Let `model`, one of those in the folder, answer until `unpin`."""
    draft = _pin_file(folder, language).with_suffix(".new")
    draft.write_text(model.name + "\n", "utf-8")
    draft.replace(_pin_file(folder, language))


def unpin(folder: Path, language: str) -> None:
    """Back to the model that matches the data."""
    _pin_file(folder, language).unlink(missing_ok=True)


def pinned(folder: Path, language: str) -> Path | None:
    """The pinned model; None when there is no pin, or its model is gone."""
    try:
        name = _pin_file(folder, language).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    return next((path for path in _kept(folder, language) if path.name == name), None)


def _pin_file(folder: Path, language: str) -> Path:
    return folder / "models" / f"{language}.pinned"


def _kept(folder: Path, language: str) -> list[Path]:
    """Every model of a language that was once taken into use, the last one last."""
    return sorted((folder / "models").glob(f"{language}-*.tar.gz"), key=lambda path: path.stat().st_mtime_ns)


def _aside(folder: Path, language: str) -> list[Path]:
    """Drafts of interrupted trainings and refused models; the newest last."""
    found = [path for kind in (_DRAFT, _REFUSED) for path in (folder / "models").glob(f"{kind}{language}-*.tar.gz")]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def _tidy(found: list[Path], keep: int) -> None:
    """Remove all but the last `keep`."""
    for path in found[: max(0, len(found) - keep)]:
        path.unlink()


def fingerprint(parts: Iterable[Path]) -> str:
    """Twelve hex digits over the names and contents of all files in `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
        for path in files:
            if "__pycache__" not in path.parts and "held_back" not in path.name:
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


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
        found = sorted(path.parent.glob("language-*.json"), key=lambda path: path.stat().st_mtime_ns)
        _tidy(found, _KEPT)
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
        content = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)  # ten times faster than without the C
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise BrokenExamples(f"{_short(path)}{line} cannot be read: it is not valid YAML.") from error
    if not isinstance(content, dict):
        raise BrokenExamples(f"{_short(path)} is empty or not a YAML mapping.")
    return content


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
