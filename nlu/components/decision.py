"""Answer, ask back or admit: what to do with the probabilities of one message. Pure functions.

A wrong answer is worse than a question back, and a crisis message goes before everything.
"""

from __future__ import annotations

from dataclasses import dataclass

ANSWER, ASK_BACK, NOT_UNDERSTOOD = "answer", "ask_back", "not_understood"
OUT_OF_SCOPE = "out_of_scope"
MOST_CHOICES = 3


@dataclass(frozen=True)
class Thresholds:
    """Probabilities between 0 and 1, chosen by cross-validation (docs/understanding.md)."""

    answer: float = 0.45
    lead: float = 0.1
    ask: float = 0.35
    choice: float = 0.06


@dataclass(frozen=True)
class Decision:
    """`topic` is the best guess; `choices` are offered as buttons when asking back."""

    kind: str
    topic: str
    confidence: float
    choices: tuple[str, ...] = ()


def decide(ranking: list[tuple[str, float]], alarms: dict[str, float], thresholds: Thresholds) -> Decision:
    """`ranking`: (topic, probability), best first; `alarms`: safety topics that were detected."""
    if alarms:
        topic = max(alarms, key=lambda name: alarms[name])
        return Decision(ANSWER, topic, alarms[topic])
    topic, confidence = ranking[0]
    second = ranking[1][1] if len(ranking) > 1 else 0.0
    if confidence >= thresholds.answer and confidence - second >= thresholds.lead:
        return Decision(ANSWER, topic, confidence)
    likely = [(name, p) for name, p in ranking[:MOST_CHOICES] if p >= thresholds.choice]
    choices = tuple(name for name, _ in likely if name != OUT_OF_SCOPE)
    if choices and sum(p for _, p in likely) >= thresholds.ask:
        return Decision(ASK_BACK, topic, confidence, choices)
    return Decision(NOT_UNDERSTOOD, topic, confidence)
