"""Safety first: a crisis message is found by a cut-off of its own, far below that of the other topics.

The probabilities of the crisis topics are added up, for the whole message and for each of its sentences,
because people hide one such sentence in a long question about school. The cut-off is the lowest that
raises false alarms on at most a few of a thousand messages that were kept apart (docs/understanding.md).
Measured against a detector of its own per crisis topic (logistic regression, SVM): those found fewer.
"""

from __future__ import annotations

from typing import Callable, Sequence

import numpy as np

from nlu.components.sentences import sentences

SAFETY_TOPICS = ("crisis_suicide", "crisis_violence")
Probabilities = Callable[[str], np.ndarray]  # text -> shape (topics,)


class SafetyDetector:
    """`cut_off`: probability from which an alarm is raised; `cut_off_part`: the same for one sentence."""

    def __init__(self, topics: Sequence[str], cut_off: float = 0.2, cut_off_part: float = 0.6) -> None:
        self._columns = {topic: list(topics).index(topic) for topic in SAFETY_TOPICS if topic in topics}
        self.cut_off = cut_off
        self.cut_off_part = cut_off_part

    def alarm(self, text: str, whole: np.ndarray, probabilities: Probabilities) -> tuple[str, float] | None:
        """The crisis topic and how sure, or None. `whole` are the probabilities of the whole text."""
        found = self._judge(whole, self.cut_off)
        for part in () if found else sentences(text):
            found = found or self._judge(probabilities(part), self.cut_off_part)
        return found

    def _judge(self, row: np.ndarray, cut_off: float) -> tuple[str, float] | None:
        shares = {topic: float(row[column]) for topic, column in self._columns.items()}
        total = sum(shares.values())
        return (max(shares, key=lambda topic: shares[topic]), total) if total >= cut_off else None
