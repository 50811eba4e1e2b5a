"""Replaces a measured part of a page in docs/, between two comments."""

from __future__ import annotations

from pathlib import Path


def replace(page: Path, text: str, name: str = "") -> None:
    """Put `text` where the last measurement stood; `name` says which one on a page with several.

    ValueError when the page has no such part.
    """
    title = f"measured {name}".strip()
    start, end = f"<!-- {title}: begin -->", f"<!-- {title}: end -->"
    content = page.read_text("utf-8")
    if start not in content or end not in content:
        raise ValueError(f"{page.name} has no part between {start} and {end}")
    before, _, rest = content.partition(start)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{start}\n{text}\n{end}{after}", "utf-8")
