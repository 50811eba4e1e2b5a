"""Which model answers: a clearly worse one does not replace it, a pinned one stays, and one can go back."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands import evaluate_pictures, evaluate_stock, measured, models
from bot.commands.content import read
from bot.commands.evaluate_draft import Change, chance, changes, clearly_worse, objection
from bot.commands.train import NAMES, go_back, pins, train
from bot.settings import Settings, SettingsError

WHOLE = Change("right first time", messages=700, before=640, lost=0, won=0, margin=14, tested=True)
CRISIS = Change("crisis messages caught", messages=50, before=49, lost=0, won=0, margin=1, tested=False)
TOPIC = Change("topic cost recognised", messages=8, before=8, lost=0, won=0, margin=4, tested=False)


@pytest.mark.parametrize(
    ("change", "lost", "won", "worse"),
    [
        (WHOLE, 0, 0, False),
        (WHOLE, 9, 4, False),  # as much as models of nearly the same data differ
        (WHOLE, 14, 0, False),  # not by chance, but it does not matter enough
        (WHOLE, 15, 0, True),
        (WHOLE, 20, 2, True),  # one example in five lost, as measured
        (WHOLE, 60, 45, False),  # more than the margin, but it may be chance
        (WHOLE, 60, 40, True),
        (WHOLE, 0, 40, False),  # better
        (CRISIS, 1, 0, False),
        (CRISIS, 2, 0, True),
        (CRISIS, 4, 3, False),
        (TOPIC, 4, 0, False),
        (TOPIC, 5, 0, True),  # only ten examples of it left, as measured
        (TOPIC, 6, 2, False),
    ],
)
def test_what_counts_as_clearly_worse(change: Change, lost: int, won: int, worse: bool) -> None:
    assert clearly_worse(replace(change, lost=lost, won=won)) is worse


def test_the_sign_test() -> None:
    assert chance(0, 0) == 1.0
    assert chance(1, 0) == 0.5
    assert chance(5, 0) == pytest.approx(1 / 32)
    assert chance(9, 2) == pytest.approx((55 + 11 + 1) / 2**11)


def outcome(topic: str, **other: Any) -> dict[str, Any]:
    return {"topic": topic, "best": topic, "right": True, "wrong": False, "alarm": topic.startswith("crisis"), **other}


def test_two_models_are_compared_message_by_message() -> None:
    before = [outcome("cost"), outcome("cost", right=False), outcome("crisis_suicide"), outcome("out_of_scope")]
    after = [
        outcome("cost", best="salary", right=False, wrong=True),
        outcome("cost"),
        outcome("crisis_suicide", best="feeling_down", right=False, alarm=False),
        outcome("out_of_scope", best="cost", right=False, wrong=True),
    ]
    found = {
        change.aspect: (change.messages, change.before, change.lost, change.won) for change in changes(before, after)
    }
    assert found == {
        "right first time": (3, 2, 2, 1),  # out of scope is not in it
        "best guess right": (3, 3, 2, 0),
        "no wrong answer": (4, 4, 2, 0),
        "crisis messages caught": (1, 1, 1, 0),
        "topic cost recognised": (2, 2, 1, 0),
        "topic crisis_suicide recognised": (1, 1, 1, 0),
    }
    assert next(map(str, changes(before, after))) == "right first time 66.7 -> 33.3 %"
    assert "crisis messages caught 1 -> 0 of 1" in map(str, changes(before, after))


async def test_the_wrong_language_is_refused_with_figures(settings: Settings) -> None:
    """Two real models on the real held-back messages: Turkish in the place of Dutch."""
    dutch, turkish = (models.in_use(settings.folder, language) for language in ("nl", "tr"))
    assert dutch and turkish
    said = await objection("nl", turkish, dutch)
    assert said and said.startswith("right first time") and "crisis messages caught" in said and "topic" in said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path


def draft(folder: Path, name: str, language: str = "nl") -> Path:
    path = folder / "models" / f"draft-{language}-{name}.tar.gz"
    path.write_text(name)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "models").iterdir())


def in_use(folder: Path) -> str:
    path = models.in_use(folder, "nl")
    return path.read_text() if path else ""


def test_the_newest_two_are_kept(folder: Path) -> None:
    assert in_use(folder) == "" and models.earlier(folder, "nl") is None
    for name in ("1", "2", "3"):
        models.take(folder, "nl", draft(folder, name))
        assert in_use(folder) == name
    models.take(folder, "tr", draft(folder, "4", "tr"))
    assert names(folder) == ["nl-2.tar.gz", "nl-3.tar.gz", "tr-4.tar.gz"]


def test_going_back_pins_the_model_before(folder: Path) -> None:
    for name in ("1", "2"):
        models.take(folder, "nl", draft(folder, name))
    go_back(folder, ["nl"])
    assert in_use(folder) == "1" and models.model_path(folder, "nl").name == "nl-1.tar.gz"
    assert pins(folder) == [
        "Dutch answers with the pinned model nl-1.tar.gz, until the next ./tekkie train nl.",
    ]
    models.take(folder, "nl", draft(folder, "3"))
    assert in_use(folder) == "3" and pins(folder) == []
    go_back(folder, [])  # the languages without an earlier model are left alone
    assert in_use(folder) == "1"  # not 2, which was left because it was bad


def test_there_is_nothing_to_go_back_to(folder: Path) -> None:
    models.take(folder, "nl", draft(folder, "1"))
    with pytest.raises(SettingsError, match="no earlier model to go back to: Dutch"):
        go_back(folder, ["nl"])
    with pytest.raises(SettingsError, match="Dutch, Turkish, Arabic"):
        go_back(folder, [])


def test_a_refused_model_is_put_aside(folder: Path) -> None:
    models.take(folder, "nl", draft(folder, "1"))
    for name in ("2", "3"):
        models.refuse(folder, "nl", draft(folder, name), folder / "models" / "nl-1.tar.gz")
    assert in_use(folder) == "1" and names(folder) == ["nl-1.tar.gz", "nl.pinned", "refused-nl-3.tar.gz"]
    draft(folder, "interrupted")
    models.take(folder, "nl", folder / "models" / "refused-nl-3.tar.gz")
    assert in_use(folder) == "3" and names(folder) == ["nl-1.tar.gz", "nl-3.tar.gz"]


@pytest.mark.parametrize("written", ["nl-gone.tar.gz", "../../etc/passwd", "tr-1.tar.gz", ""])
def test_a_pin_that_points_nowhere_does_nothing(folder: Path, written: str) -> None:
    models.take(folder, "nl", draft(folder, "1"))
    models.take(folder, "tr", draft(folder, "1", "tr"))
    (folder / "models" / "nl.pinned").write_text(written)
    assert models.pinned(folder, "nl") is None and models.model_path(folder, "nl") == models.fresh_path(folder, "nl")


async def test_training_ends_a_pin_and_takes_a_refused_model_when_told(settings: Settings, folder: Path) -> None:
    shutil.copy(models.language_model(settings.folder), folder / "models")  # else it takes half a minute
    settings = replace(settings, folder=folder)
    models.take(folder, "nl", draft(folder, "1"))
    fresh = models.draft_path(folder, "nl")
    fresh.write_text("fresh")
    models.refuse(folder, "nl", fresh, folder / "models" / "nl-1.tar.gz")
    await train(settings, ["nl"], worse=True)  # no training: it was trained already
    assert in_use(folder) == "fresh"
    go_back(folder, ["nl"])
    assert in_use(folder) == "1"
    await train(settings, ["nl"])  # nothing is stale
    assert in_use(folder) == "fresh" and pins(folder) == []


def test_the_pictures_of_an_evaluation(tmp_path: Path) -> None:
    each = [outcome(topic) for topic in read()["topics"] for _ in range(8)] + [outcome("cost", best="salary")]
    assert evaluate_pictures.matrix(each, ["cost", "salary"]).tolist() == [[8, 1], [0, 8]]
    result = {"each": each, "calibration": [(0.25, 0.5, 4), (0.95, 0.9, 580)]}
    files = evaluate_pictures.draw({"nl": result}, NAMES, tmp_path)
    assert {name: file.name for name, file in files.items()} == {
        "nl": "confusion-nl.png",
        "calibration": "calibration.png",
    }
    assert all(10_000 < file.stat().st_size < 300_000 for file in files.values())


def test_the_table_against_stock_rasa() -> None:
    ours = {
        "top_1": 0.75,
        "right": [True, True, True, False],
        "training_seconds": 25,
        "median_ms": 0.6,
        "megabytes": 9.6,
    }
    theirs = {**ours, "top_1": 0.5, "right": [True, False, False, True]}
    lines = evaluate_stock.table({("tekkie", "nl"): ours, ("diet", "nl"): theirs}).splitlines()
    assert lines[0] == "| | Dutch | Turkish | Arabic |"
    assert "| best guess right (in scope): Tekkie | 75.0 % | - | - |" in lines
    assert "| right with one only: Tekkie / Rasa's default (DIET) | 2 / 1 | - | - |" in lines


def test_a_page_may_have_several_measured_parts(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "a\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nb\n"
        "<!-- measured stock: begin -->\nkept\n<!-- measured stock: end -->\nc\n"
    )
    measured.replace(page, "new")
    assert "old" not in page.read_text() and "kept" in page.read_text()
    measured.replace(page, "newer", "stock")
    lines = page.read_text().split("\n")
    assert [line for line in lines if not line.startswith("<!--")] == ["a", "new", "b", "newer", "c", ""]
    with pytest.raises(ValueError, match="measured other"):
        measured.replace(page, "x", "other")
