"""Replaces the measured part of a page in docs/, between two comments."""

from __future__ import annotations

from pathlib import Path

_START, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def replace(page: Path, text: str) -> None:
    """Put `text` where the last measurement stood."""
    before, _, rest = page.read_text("utf-8").partition(_START)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_START}\n{text}\n{_END}{after}", "utf-8")
