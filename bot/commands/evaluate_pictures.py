"""The pictures of ./tekkie evaluate: which topics are confused, and whether the confidence can be believed.

Written next to docs/understanding.md. Needs matplotlib, which only the development environment has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import yaml

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from bot.settings import ROOT

_COLOURS = ("#0b5d4e", "#c2571a", "#4a63b0")
_MARKERS = ("o", "s", "^")
Result = dict[str, Any]  # of one language, from nlu/evaluate.py


def draw(results: Mapping[str, Result], names: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Draw everything into `folder`; the files by language, and one under "calibration"."""
    files = {}
    for language, result in results.items():
        files[language] = folder / f"confusion-{language}.png"
        _confusion(result["each"], names[language], files[language])
    files["calibration"] = folder / "calibration.png"
    _calibration({names[language]: result["calibration"] for language, result in results.items()}, files["calibration"])
    return files


def matrix(each: list[dict[str, Any]], topics: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Messages by topic meant (row) and best guess (column), both in the order of `topics`."""
    counts = Counter((one["topic"], one["best"]) for one in each)
    return np.array([[counts[meant, guessed] for guessed in topics] for meant in topics], dtype=np.int64)


def _confusion(each: list[dict[str, Any]], name: str, path: Path) -> None:
    """Right guesses green, wrong ones red with their number; a colour is a share of its row."""
    topics = _topics(each)
    counts = matrix(each, topics)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    right = np.eye(len(topics), dtype=bool)
    figure, axes = plt.subplots(figsize=(14, 14), layout="constrained")
    axes.imshow(np.ma.masked_where(~right, shares), cmap="Greens", vmin=0, vmax=1.3)
    axes.imshow(np.ma.masked_where(right | (counts == 0), shares), cmap="Reds", vmin=-0.15, vmax=0.6)
    for row, column in zip(*np.nonzero(~right & (counts > 0)), strict=True):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7)
    _name_axes(axes, topics, [int(number) for number in counts.sum(axis=1)])
    correct = int(counts.trace())
    axes.set_title(f"{name}: {len(each)} held-back messages, {correct} on the diagonal", fontsize=13)
    figure.savefig(path, dpi=100, pil_kwargs={"optimize": True})
    plt.close(figure)


def _name_axes(axes: Axes, topics: list[str], numbers: list[int]) -> None:
    places = range(len(topics))
    axes.set_xticks(places, topics, rotation=90, fontsize=8)
    axes.set_yticks(places, [f"{topic} ({n})" for topic, n in zip(topics, numbers, strict=True)], fontsize=8)
    axes.set_xticks(np.arange(-0.5, len(topics)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(topics)), minor=True)
    axes.grid(which="minor", color="#e4e9e7", linewidth=0.4)
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("best guess")
    axes.set_ylabel("meant (messages)")


def _topics(each: list[dict[str, Any]]) -> list[str]:
    """In the order of the domain, where related topics stand together; unknown ones last."""
    order: list[str] = yaml.safe_load((ROOT / "stories" / "domain.yml").read_text("utf-8"))["intents"]
    found = {one["topic"] for one in each} | {one["best"] for one in each}
    return [*(topic for topic in order if topic in found), *sorted(found.difference(order))]


def _calibration(curves: Mapping[str, list[tuple[float, float, int]]], path: Path) -> None:
    """`curves`: (mean confidence, share right, messages) per tenth. On the dotted line confidence is truth."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 7), height_ratios=(3, 1), sharex=True, layout="constrained")
    above.plot([0, 1], [0, 1], color="#93a29d", linestyle=":")
    width = 0.08 / max(1, len(curves))
    for at, (name, tenths) in enumerate(curves.items()):
        sure, right, messages = (np.array(column) for column in zip(*tenths, strict=True))
        error = float(np.average(np.abs(sure - right), weights=messages))
        colour = _COLOURS[at % len(_COLOURS)]
        label = f"{name} (mean gap {100 * error:.1f} points)"
        marker = _MARKERS[at % len(_MARKERS)]
        above.plot(sure, right, color=colour, marker=marker, linewidth=1, alpha=0.9, label=label)
        middles = np.minimum(9, (sure * 10).astype(int)) / 10 + 0.05
        below.bar(middles + (at - (len(curves) - 1) / 2) * width, messages, width, color=colour)
    above.set_ylabel("share of best guesses that were right")
    above.legend(frameon=False)
    below.set_yscale("log")
    below.set_yticks([1, 10, 100, 500], ["1", "10", "100", "500"])
    below.minorticks_off()
    below.set_ylabel("messages")
    below.set_xlabel("confidence of the best guess")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100, pil_kwargs={"optimize": True})
    plt.close(figure)
