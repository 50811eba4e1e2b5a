"""Answer, ask back or admit: what to do with the probabilities of one message. Pure functions.

A wrong answer is worse than a question back, and a crisis message goes before everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from actions.knowledge import SAFETY

ANSWER, ASK_BACK, NOT_UNDERSTOOD = "answer", "ask_back", "not_understood"
OUT_OF_SCOPE = "out_of_scope"
SMALL_TALK = ("greet", "how_are_you", "thank", "goodbye", "affirm", "deny", "insult")
NOT_A_QUESTION = (
    *(*SMALL_TALK, "complaint", "change_language", "are_you_a_bot", "capabilities", "repeat_simpler"),
    *("which_job_fits_me", OUT_OF_SCOPE, *SAFETY),
)
MOST_CHOICES = 3


@dataclass(frozen=True)
class Thresholds:
    """Probabilities between 0 and 1, chosen on nlu/<language>/calibration.jsonl (docs/understanding.md).

    From `answer` on, answer (small talk from `small_talk` on: a wrong "hello" harms nobody); below, ask
    back when the questions among the three likeliest together reach `ask`, naming those that reach
    `choice`; otherwise say that it was not understood.
    """

    answer: float = 0.6
    small_talk: float = 0.4
    ask: float = 0.25
    choice: float = 0.04


@dataclass(frozen=True)
class Decision:
    """`topic` is the best guess; `choices` are offered as buttons when asking back."""

    kind: str
    topic: str
    confidence: float
    choices: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # further topics asked in the same message


def decide(ranking: list[tuple[str, float]], alarm: tuple[str, float] | None, thresholds: Thresholds) -> Decision:
    """`ranking`: (topic, probability), best first; `alarm`: the safety topic that was detected, if any."""
    if alarm:
        return Decision(ANSWER, *alarm)
    topic, confidence = ranking[0]
    if confidence >= (thresholds.small_talk if topic in SMALL_TALK else thresholds.answer):
        return Decision(ANSWER, topic, confidence)
    likely = {name: p for name, p in ranking[:MOST_CHOICES] if name not in (*SMALL_TALK, OUT_OF_SCOPE)}
    choices = tuple(name for name, p in likely.items() if p >= thresholds.choice)
    if choices and sum(likely.values()) >= thresholds.ask:
        return Decision(ASK_BACK, topic, confidence, choices)
    return Decision(NOT_UNDERSTOOD, topic, confidence)


def may_hold_two(ranking: list[tuple[str, float]]) -> bool:
    """The likeliest topic is a question, so that it is worth looking for a second one."""
    return ranking[0][0] not in NOT_A_QUESTION


def other_questions(
    decision: Decision, ranking: list[tuple[str, float]], parts: list[list[tuple[str, float]]], sure: float
) -> Decision:
    """Answer two questions of one message both. `parts` are the rankings of its sentences.

    Only when two parts are `sure` of different topics, one of them the likeliest of the whole message and
    the other among its first three: a sentence taken out of a story often seems to ask something of its own.
    """
    clear = {part[0][0] for part in parts if part[0][1] >= sure} - set(NOT_A_QUESTION)
    first, *others = (topic for topic, _ in ranking[:3])
    second = [topic for topic in others if topic in clear]
    if decision.topic != first or len(clear) != 2 or first not in clear or len(second) != 1:
        return decision
    return Decision(ANSWER, first, decision.confidence, also=(second[0],))
