"""The state table: every pair of mode and event, the phrases it points to, and the README's diagram."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from bot.handover import TABLE, Event, Mode, NotPossible, advance, mermaid
from bot.messages import LANGUAGES
from bot.phrases import say, spoken

# Rows are events; columns are bot, waiting, coach; "-" is not possible.
CELLS = """
requested    waiting  waiting  -
cancelled    -        bot      bot
taken        -        coach    -
overdue      -        waiting  -
moved        -        waiting  waiting
passed on    -        -        coach
returned     -        -        waiting
handed back  -        -        bot
closed       -        bot      bot
silent       -        -        coach
gone         -        -        bot
reopened     coach    -        -
"""
EXPECTED = {
    (mode, Event(line[:13].strip())): after
    for line in CELLS.strip().splitlines()
    for mode, after in zip(Mode, line[13:].split(), strict=True)
}


def test_the_table_above_is_complete() -> None:
    assert EXPECTED.keys() == {(mode, event) for mode in Mode for event in Event}


@pytest.mark.parametrize(("mode", "event"), [(mode, event) for mode in Mode for event in Event])
def test_every_cell(mode: Mode, event: Event) -> None:
    after = EXPECTED[mode, event]
    if after == "-":
        with pytest.raises(NotPossible, match=f"{event} in {mode}") as refused:
            advance(mode, event)
        assert (refused.value.mode, refused.value.event) == (mode, event)
    else:
        assert advance(mode, event).mode == Mode(after)


def test_who_talks_never_changes_in_silence() -> None:
    """A person always hears when a human comes or goes."""
    assert [pair for pair, step in TABLE.items() if pair[0] is not step.mode and step.says is None] == []


def test_every_mode_can_be_reached_and_left() -> None:
    reached = {Mode.BOT}
    for _ in Mode:
        reached |= {step.mode for (mode, _), step in TABLE.items() if mode in reached}
    assert reached == set(Mode)
    assert {mode for (mode, _), step in TABLE.items() if step.mode is not mode} == set(Mode)


@pytest.mark.parametrize("phrase", sorted({step.says for step in TABLE.values() if step.says}))
def test_every_step_can_be_told_in_every_language(phrase: str) -> None:
    when = {language: f"when-{language}" for language in LANGUAGES}
    asked_for = {language: _slots(say(phrase, language)) for language in LANGUAGES}
    assert asked_for["nl"] == asked_for["tr"] == asked_for["ar"] <= {"coach", "when"}
    for language in LANGUAGES:
        told = spoken(phrase, language, coach="Fatima {x}", when=when)
        in_dutch = spoken(phrase, "nl", coach="Fatima {x}", when=when).text
        assert told.dutch == (None if language == "nl" else in_dutch)
        assert ("when" in asked_for[language]) == (f"when-{language}" in told.text)
        assert ("coach" in asked_for[language]) == ("Fatima {x}" in told.text)


def _slots(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_the_diagram_names_every_event_once_per_arrow() -> None:
    first, start, *arrows = mermaid().splitlines()
    assert (first, start.strip()) == ("stateDiagram-v2", "[*] --> bot")
    drawn = {
        (mode, Event(name), after)
        for arrow in arrows
        for mode, _, after in [arrow.strip().partition(":")[0].partition(" --> ")]
        for name in arrow.partition(": ")[2].split(", ")
    }
    assert drawn == {(mode, event, step.mode) for (mode, event), step in TABLE.items()}


def test_the_readme_shows_the_same_diagram() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert f"```mermaid\n{mermaid()}\n```" in readme
