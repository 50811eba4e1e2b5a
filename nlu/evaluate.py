"""Measures one language on its held-back messages: python -m nlu.evaluate nl MODEL.tar.gz [--curve]

Prints one JSON object. The held-back messages were written by people who wrote no training data; they
are never trained on and no threshold was chosen on them. With --curve also the accuracy with fewer
training examples per topic. Called by `./tekkie evaluate`.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from nlu.no_tensorflow import without_tensorflow
from nlu.quiet import quiet

quiet()
without_tensorflow()

import yaml  # noqa: E402

from nlu.components.concepts import Thesaurus  # noqa: E402
from nlu.components.features import Features  # noqa: E402
from nlu.components.model import TopicModel  # noqa: E402
from nlu.components.safety import SAFETY_TOPICS  # noqa: E402
from nlu.dialogue import Dialogue  # noqa: E402

_CURVE = (10, 20, 40, 70, 100)
_OUT = "out_of_scope"
Rows = list[dict[str, str]]
Understood = list[dict[str, Any]]


def held_back(language: str, kind: str = "") -> Rows:
    """The messages, or those of a `kind` ("_hints": hints at a crisis, and messages that only look like it)."""
    path = Path(f"nlu/{language}/held_back{kind}.jsonl")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.strip()]


def understand(dialogue: Dialogue, rows: Rows) -> tuple[Understood, float]:
    """What the model makes of every message, and the median milliseconds for one."""
    results, seconds = [], []
    for row in rows:
        began = time.perf_counter()
        results.append(dialogue.parse(row["text"]))
        seconds.append(time.perf_counter() - began)
    return results, sorted(seconds)[len(seconds) // 2] * 1000


def measure(rows: Rows, results: Understood) -> dict[str, Any]:
    """All shares between 0 and 1. In scope: every topic but out_of_scope."""
    pairs = list(zip(rows, results))
    inside = [(row, got) for row, got in pairs if row["topic"] != _OUT]
    outside = [(row, got) for row, got in pairs if row["topic"] == _OUT]
    crisis = [(row, got) for row, got in pairs if row["topic"] in SAFETY_TOPICS]
    calm = [(row, got) for row, got in pairs if row["topic"] not in SAFETY_TOPICS]
    return {
        "messages": len(pairs),
        "top_1": _share(inside, lambda row, got: _best(got) == row["topic"]),
        "right_first_time": _share(inside, _right),
        "right_after_asking": _share(inside, lambda row, got: _right(row, got) or row["topic"] in got["choices"]),
        "wrong": _share(inside, lambda row, got: got["decision"] == "answer" and not _right(row, got)),
        "out_of_scope_refused": _share(
            outside, lambda row, got: got["decision"] != "answer" or got["topic"] == _OUT
        ),
        "crisis_caught": _share(crisis, lambda row, got: _alarm(got)),
        "false_alarms": _share(calm, lambda row, got: _alarm(got)),
        "by_style": _by(inside, "style"),
        "by_topic": _by(inside, "topic"),
        "calibration": _calibration(inside),
        "confused": Counter(
            f"{row['topic']} -> {_best(got)}" for row, got in pairs if _best(got) != row["topic"]
        ).most_common(15),
        "each": [_outcome(row, got) for row, got in pairs],
    }


def _outcome(row: dict[str, str], got: dict[str, Any]) -> dict[str, Any]:
    """One message, for comparing two models message by message and for the confusion matrix."""
    right = _right(row, got)
    return {
        "topic": row["topic"],
        "best": _best(got),
        "right": right,
        "wrong": got["decision"] == "answer" and not right,
        "alarm": _alarm(got),
    }


def curve(language: str, rows: Rows) -> list[tuple[int, float]]:
    """(examples per topic, top-1) for a classifier trained on fewer examples, same features."""
    examples: dict[str, list[str]] = defaultdict(list)
    for path in sorted(Path(f"nlu/{language}/examples").glob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            examples[block["intent"]] += [line.strip()[2:] for line in block["examples"].splitlines()]
    dice, found = random.Random(0), []
    for most in _CURVE:
        chosen = [(text, topic) for topic, texts in examples.items() for text in dice.sample(texts, min(most, len(texts)))]
        features = Features(language, Thesaurus.load(Path(f"nlu/{language}/thesaurus.yml"), language))
        model = TopicModel().fit(features.fit([text for text, _ in chosen]), [topic for _, topic in chosen])
        inside = [row for row in rows if row["topic"] != _OUT]
        right = sum(model.topics[model.margins(features.one(row["text"])).argmax()] == row["topic"] for row in inside)
        found.append((most, right / len(inside)))
    return found


def _best(got: dict[str, Any]) -> str:
    return str(got["topic"])


def _right(row: dict[str, str], got: dict[str, Any]) -> bool:
    return got["decision"] == "answer" and row["topic"] in (got["topic"], *got.get("also", []))


def _alarm(got: dict[str, Any]) -> bool:
    return got["decision"] == "answer" and got["topic"] in SAFETY_TOPICS


def _share(pairs: list[Any], test: Any) -> float:
    return sum(bool(test(row, got)) for row, got in pairs) / len(pairs) if pairs else 0.0


def _by(pairs: list[Any], field: str) -> dict[str, tuple[float, int]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row, got in pairs:
        groups[row.get(field, "?")].append((row, got))
    return {name: (_share(group, lambda row, got: _best(got) == row["topic"]), len(group)) for name, group in groups.items()}


def _calibration(pairs: list[Any]) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, messages) per tenth of confidence."""
    tenths: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row, got in pairs:
        best = got["ranking"][0]
        tenths[min(9, int(best["confidence"] * 10))].append((best["confidence"], best["topic"] == row["topic"]))
    return [
        (sum(c for c, _ in found) / len(found), sum(right for _, right in found) / len(found), len(found))
        for _, found in sorted(tenths.items())
    ]


def main() -> None:
    language, model = sys.argv[1:3]
    rows = held_back(language)
    dialogue = Dialogue(language, model)
    results, milliseconds = understand(dialogue, rows)
    found = {**measure(rows, results), "median_ms": milliseconds}
    if hints := held_back(language, "_hints"):
        harder = measure(hints, understand(dialogue, hints)[0])
        found |= {"hints_caught": harder["crisis_caught"], "look_alikes": harder["false_alarms"]}
    if "--curve" in sys.argv:
        found["curve"] = curve(language, rows)
    print("RESULT " + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
