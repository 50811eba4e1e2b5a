"""May a freshly trained model replace the one that answers now? Both are measured on the held-back messages.

Called by train.py. Two models of nearly the same data differ by chance: trained on other nineteen
twentieths of the Dutch examples each time, they disagreed on 6 to 12 of 645 messages, at most 5 net to one
side. Accidents look different: one example in five lost cost 18 messages net. So "clearly worse" is any of

- right first time, best guess right or no wrong answer: down by more than 2 points (13 of those 645, it
  matters) and a one-sided sign test over the messages that only one model gets right gives less than 5 %
  (McNemar's, exact: it is not chance, also when new data change the outcome of many messages);
- one topic: more than half of its messages lost. There are some ten per topic, so an emptied file (5 to 8
  of 8 lost) would drown in the figures above, while chance takes one or two;
- crisis messages caught: two fewer. Some 85 are too few for any test, and a missed one weighs more than a
  needless refusal; a single one may be a probability that moved across the cut-off (3,300 more training
  messages lost one of 84 in Dutch and in Turkish, none of 88 in Arabic).

The held-back messages stay a fair test: they choose nothing here, they only stop an accident.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any

from bot.commands.evaluate_model import measure
from bot.settings import ROOT, SettingsError

logger = logging.getLogger(__name__)

_MARGIN = 0.02  # of the messages
_CHANCE = 0.05
_TOPIC_MARGIN = 0.5  # of the messages of one topic
_CRISIS_MARGIN = 1  # message
_OUT, _CRISIS = "out_of_scope", ("crisis_suicide", "crisis_violence")
Outcome = dict[str, Any]  # one message, as nlu/evaluate.py gives it: topic, best, right, wrong, alarm
Test = Callable[[Outcome], bool]


@dataclass(frozen=True)
class Change:
    """One aspect of two models over the same `messages`; all counts of messages.

    `before` went well with the old model; `lost` of them no longer do, and `won` others now do. More than
    `margin` net lost is clearly worse, when `tested` only if chance does not explain it.
    """

    aspect: str
    messages: int
    before: int
    lost: int
    won: int
    margin: float
    tested: bool

    def __str__(self) -> str:
        after = self.before - self.lost + self.won
        if not self.tested:  # few messages
            return f"{self.aspect} {self.before} -> {after} of {self.messages}"
        return f"{self.aspect} {100 * self.before / self.messages:.1f} -> {100 * after / self.messages:.1f} %"


async def objection(language: str, draft: Path, stays: Path) -> str | None:
    """Why `draft` must not replace `stays`, in figures; None when it may.

    None too when there is nothing to measure on, or when the old model no longer runs with today's code.
    Raises SettingsError when the draft itself cannot be measured.
    """
    if not (ROOT / "nlu" / language / "held_back.jsonl").exists():
        return None
    after = (await measure(language, draft))["each"]
    try:
        before = (await measure(language, stays))["each"]
    except SettingsError:
        logger.warning("%s does not run with today's code: the new model was not compared with it", stays.name)
        return None
    worse = [change for change in changes(before, after) if clearly_worse(change)]
    return ", ".join(map(str, worse)) or None


def clearly_worse(change: Change) -> bool:
    """The decision; see the top of this file."""
    by_chance = chance(change.lost, change.won) >= _CHANCE
    return change.lost - change.won > change.margin and not (change.tested and by_chance)


def chance(lost: int, won: int) -> float:
    """How often a fair coin falls at least `lost` times on one side in `lost` + `won` throws."""
    throws = lost + won
    return sum(comb(throws, times) for times in range(lost, throws + 1)) / float(2**throws)


def changes(before: list[Outcome], after: list[Outcome]) -> list[Change]:
    """Every aspect of two models, measured on the same messages in the same order."""
    pairs = list(zip(before, after, strict=True))
    inside = [pair for pair in pairs if pair[0]["topic"] != _OUT]
    crisis = [pair for pair in pairs if pair[0]["topic"] in _CRISIS]
    found = [
        _change("right first time", inside, lambda one: one["right"]),
        _change("best guess right", inside, _best_right),
        _change("no wrong answer", pairs, lambda one: not one["wrong"]),
        _change("crisis messages caught", crisis, lambda one: one["alarm"], _CRISIS_MARGIN),
    ]
    for topic in sorted({old["topic"] for old, _ in inside}):
        own = [pair for pair in inside if pair[0]["topic"] == topic]
        found.append(_change(f"topic {topic} recognised", own, _best_right, _TOPIC_MARGIN * len(own)))
    return found


def _change(aspect: str, pairs: list[tuple[Outcome, Outcome]], well: Test, margin: float | None = None) -> Change:
    """`margin` in messages; without one the usual share of the messages, and the test."""
    went = [(bool(well(old)), bool(well(new))) for old, new in pairs]
    lost, won = went.count((True, False)), went.count((False, True))
    most = _MARGIN * len(pairs) if margin is None else margin
    return Change(aspect, len(pairs), sum(old for old, _ in went), lost, won, most, tested=margin is None)


def _best_right(one: Outcome) -> bool:
    return bool(one["best"] == one["topic"])
