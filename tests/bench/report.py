"""Writes what the benchmark measured: a table and a picture in docs/."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from bot.commands import measured
from bot.settings import ROOT


def table(results: list[dict[str, Any]], own: dict[str, Any]) -> str:
    """Markdown: one row per contender, then the targets that only ours has."""
    ours = results[0]
    rows = [
        "| | languages | turns/s | p50 ms | p99 ms | memory MB | start-up s | training one language s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        speed = r["speed"]
        figures = (speed["rate"], speed["p50"], speed["p99"], r["memory"], r["start_up"], r["training"])
        rows.append(f"| {r['name']} | {r['languages']} | " + " | ".join(f"{f:.0f}" for f in figures) + " |")
    rows += [
        "",
        *(f"- {ours['speed']['rate'] / r['speed']['rate']:.1f} times the turns/s of {r['name']}" for r in results[1:]),
        f"- accepting a message at 80/s: p50 {own['accept']['p50']:.1f} ms, "
        f"p99 {own['accept']['p99']:.1f} ms (target 25)",
        f"- from sending to the reply on the page at 30/s: median {own['reply']['p50']:.1f} ms (target 25), "
        f"p99 {own['reply']['p99']:.1f} ms",
    ]
    return "\n".join(rows)


def write(results: list[dict[str, Any]], own: dict[str, Any]) -> None:
    """Replace the measured part of docs/benchmarks.md and draw docs/benchmarks.png."""
    path = ROOT / "docs" / "benchmarks.md"
    heading = f"Measured on {datetime.date.today():%d %B %Y} on {machine()}."
    measured.replace(path, f"{heading}\n\n{table(results, own)}\n\n![turns per second and memory](benchmarks.png)")
    _draw(results, path.with_suffix(".png"))


def machine() -> str:
    """The machine in one phrase, from the system."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores of {model}, {gigabytes:.0f} GB, {platform.system()} {platform.release()}"


def _draw(results: list[dict[str, Any]], path: Path) -> None:
    names = [f"{r['name']}\n({r['languages']} language{'s' * (r['languages'] > 1)})" for r in results]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    colours = ["#0b5d4e", "#b9c4c0", "#93a29d"]
    for axes, values, title in (
        (left, [r["speed"]["rate"] for r in results], "turns per second (more is better)"),
        (right, [r["memory"] for r in results], "memory in MB, whole product (less is better)"),
    ):
        bars = axes.bar(names, values, color=colours[: len(values)])
        axes.bar_label(bars, fmt="%.0f")
        axes.set_title(title)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
