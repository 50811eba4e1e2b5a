"""Safety first: one detector per crisis topic that no threshold of the other topics can hide.

A yes/no logistic regression for each safety topic against everything else, with a cut-off of its own
that is set on messages of other writers for recall first.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

SAFETY_TOPICS = ("crisis_suicide", "crisis_violence")


class SafetyDetector:
    """Cut-offs are the highest that keep `recall` of the known crisis messages, but never below `floor`."""

    def __init__(self, recall: float = 0.99, floor: float = 0.05) -> None:
        self._recall = recall
        self._floor = floor
        self._detectors: dict[str, tuple[LogisticRegression, float]] = {}

    def fit(self, matrix: csr_matrix, topics: Sequence[str]) -> SafetyDetector:
        labels = np.asarray(topics)
        for topic in SAFETY_TOPICS:
            truth = labels == topic
            if truth.sum() < 10:
                continue
            folds = StratifiedKFold(5, shuffle=True, random_state=0)
            unseen = cross_val_predict(_model(), matrix, truth, cv=folds, method="predict_proba")[:, 1]
            cut_off = float(np.quantile(unseen[truth], 1 - self._recall))
            self._detectors[topic] = (_model().fit(matrix, truth), max(cut_off, self._floor))
        return self

    def alarms(self, matrix: csr_matrix) -> list[dict[str, float]]:
        """For every row the safety topics that raised an alarm, with their probability."""
        rows: list[dict[str, float]] = [{} for _ in range(matrix.shape[0])]
        for topic, (model, cut_off) in self._detectors.items():
            for row, probability in zip(rows, model.predict_proba(matrix)[:, 1]):
                if probability >= cut_off:
                    row[topic] = float(probability)
        return rows


def _model() -> LogisticRegression:
    return LogisticRegression(C=20, class_weight="balanced", max_iter=300)
