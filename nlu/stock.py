"""One contender of the comparison with stock Rasa: python -m nlu.stock nl diet [--epochs 100] [--topics 10] [--examples 12]

Trains the understanding part alone on nlu/<language>/examples, with Rasa's own pipeline or with ours, and
measures it on the held-back messages. All contenders are trained, loaded and asked in the same way, with
the same runner (runner.py), so the figures compare pipelines. Only the best guess counts, on messages that
are in scope: stock Rasa has no decision and no refusal like ours. --topics takes the first so many topics only,
for a trial. Prints one JSON object. Called by `./tekkie evaluate --stock`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from nlu.quiet import quiet

quiet()

import yaml  # noqa: E402

_COUNTS = """
recipe: default.v1
assistant_id: stock
language: {language}
pipeline:
  - name: WhitespaceTokenizer
  - name: RegexFeaturizer
  - name: LexicalSyntacticFeaturizer
  - name: CountVectorsFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 1
    max_ngram: 4
"""
# The default pipeline of a fresh Rasa project, less what does not bear on the best guess (synonyms, response
# selection, fallback); the second takes its classifier away and leaves the features.
_PIPELINES = {
    "diet": _COUNTS + "  - name: DIETClassifier\n    epochs: {epochs}\n    constrain_similarities: true\n",
    "logistic": _COUNTS + "  - name: LogisticRegressionClassifier\n",
}
_OUT = "out_of_scope"


def measure(
    language: str, kind: str, epochs: int, topics: int | None, folder: Path, most: int | None = None
) -> dict[str, Any]:
    """{top_1 (0-1), right (per message), training_seconds, median_ms, megabytes}; `folder` is scratch space."""
    os.environ["RASA_CACHE_DIRECTORY"] = str(folder / "cache")  # nothing trained earlier counts
    from rasa.model_training import train_nlu  # takes seconds, and is no part of training

    config = _own(language, topics, folder) if kind == "tekkie" else _theirs(language, kind, epochs, folder)
    examples, chosen = _examples(language, topics, folder, most)
    began = time.monotonic()
    model = train_nlu(str(config), str(examples), str(folder), fixed_model_name="model")
    seconds = time.monotonic() - began
    if not model:
        raise SystemExit("training gave no model")
    rows = [row for row in _held_back(language) if row["topic"] in chosen and row["topic"] != _OUT]
    right, milliseconds = asyncio.run(_ask(model, rows))
    return {
        "top_1": sum(right) / len(right),
        "right": right,
        "training_seconds": seconds,
        "median_ms": milliseconds,
        "megabytes": Path(model).stat().st_size / 1e6,
    }


def _theirs(language: str, kind: str, epochs: int, folder: Path) -> Path:
    path = folder / "config.yml"
    path.write_text(_PIPELINES[kind].format(language=language, epochs=epochs), "utf-8")
    return path


def _own(language: str, topics: int | None, folder: Path) -> Path:
    """Our configuration as it is; for a trial with few topics without the calibration messages, which are of all."""
    path = Path(f"nlu/{language}/config.yml")
    if topics is None:
        return path
    shutil.copy(f"nlu/{language}/thesaurus.yml", folder)
    copy = folder / "config.yml"
    copy.write_text(path.read_text("utf-8").replace(f"folder: nlu/{language}", f"folder: {folder}"), "utf-8")
    return copy


def _examples(language: str, topics: int | None, folder: Path, most: int | None) -> tuple[Path, set[str]]:
    """A copy of the examples of the first `topics` topics, at most `most` of each, and the names of those topics."""
    files = sorted(Path(f"nlu/{language}/examples").glob("*.yml"))[:topics]
    (folder / "examples").mkdir()
    for path in files:
        copy = folder / "examples" / path.name
        copy.write_text(_some(path, most) if most else path.read_text("utf-8"), "utf-8")
    return folder / "examples", {path.stem for path in files}


def _some(path: Path, most: int) -> str:
    """`most` examples of a topic, the same ones every time and for every contender."""
    blocks = yaml.safe_load(path.read_text("utf-8"))["nlu"]
    lines = [line for block in blocks for line in block["examples"].splitlines()]
    chosen = random.Random(0).sample(lines, min(most, len(lines)))
    listed = "".join(f"    {line.strip()}\n" for line in chosen)
    return f'version: "3.1"\nnlu:\n- intent: {blocks[0]["intent"]}\n  examples: |\n{listed}'


async def _ask(model: str, rows: list[dict[str, str]]) -> tuple[list[bool], float]:
    """Whether the best guess is right for each message, and the median milliseconds for one."""
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage

    from nlu.runner import StraightRunner

    processor = Agent.load(model_path=model).processor
    if processor is None:
        raise SystemExit("the model cannot be loaded")
    processor.graph_runner = StraightRunner(processor.graph_runner)
    right, seconds = [], []
    for row in rows:
        began = time.perf_counter()
        parsed = await processor.parse_message(UserMessage(text=row["text"]))
        seconds.append(time.perf_counter() - began)
        best = (parsed.get("understood") or {}).get("topic") or parsed["intent"]["name"]  # ours may ask back
        right.append(best == row["topic"])
    return right, sorted(seconds)[len(seconds) // 2] * 1000


def _held_back(language: str) -> list[dict[str, str]]:
    lines = Path(f"nlu/{language}/held_back.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="nlu.stock")
    parser.add_argument("language")
    parser.add_argument("kind", choices=["tekkie", *_PIPELINES])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--topics", type=int)
    parser.add_argument("--examples", type=int, help="at most so many per topic")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        where = Path(folder)
        found = measure(
            arguments.language, arguments.kind, arguments.epochs, arguments.topics, where, arguments.examples
        )
    print("RESULT " + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
