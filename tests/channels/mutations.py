"""Broken JSON for fuzzing: recorded payloads with a few places changed, and anything at all."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

Path = tuple[Any, ...]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_ODD: st.SearchStrategy[object] = st.sampled_from(
    (
        None,
        True,
        False,
        0,
        -1,
        2**31,
        2**63,
        10**18,
        0.5,
        1e300,
        "",
        "0",
        "\0",
        "\ud83d",
        "x" * 5000,
        [],
        [[]],
        {},
        {"id": 1},
    )
)


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """The path to every part of a JSON value, itself left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def mutated(payloads: Sequence[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """One of the payloads, with up to three parts taken away, replaced or put in a second time."""

    @st.composite
    def a_mutation(draw: st.DrawFn) -> dict[str, Any]:
        value: dict[str, Any] = copy.deepcopy(payloads[draw(st.integers(0, len(payloads) - 1))])
        for _ in range(draw(st.integers(1, 3))):
            if paths := list(places(value)):
                _change(draw, value, paths[draw(st.integers(0, len(paths) - 1))])
        return value

    return a_mutation()


def _change(draw: st.DrawFn, value: Any, path: Path) -> None:
    *way, last = path
    for key in way:
        value = value[key]
    how = draw(st.sampled_from(("without", "odd", "anything", "again")))
    if how == "without":
        del value[last]
    elif how == "again" and isinstance(value, list):
        value.append(copy.deepcopy(value[last]))
    else:
        value[last] = copy.deepcopy(draw(_ODD if how == "odd" else ANYTHING))  # what was drawn stays as it was
