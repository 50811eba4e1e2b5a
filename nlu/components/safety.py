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

from nlu.components.model import Row

SAFETY_TOPICS = ("crisis_suicide", "crisis_violence")


class SafetyDetector:
    """Cut-offs are the highest that keep `recall` of the known crisis messages, but never below `floor`."""

    def __init__(self, recall: float = 0.99, floor: float = 0.05) -> None:
        self._recall = recall
        self._floor = floor
        self._detectors: dict[str, tuple[np.ndarray, float, float]] = {}  # weights, bias, cut-off as log-odds

    def fit(self, matrix: csr_matrix, topics: Sequence[str]) -> SafetyDetector:
        labels = np.asarray(topics)
        for topic in SAFETY_TOPICS:
            truth = labels == topic
            if truth.sum() < 10:
                continue
            folds = StratifiedKFold(5, shuffle=True, random_state=0)
            unseen = cross_val_predict(_model(), matrix, truth, cv=folds, method="predict_proba")[:, 1]
            cut_off = max(float(np.quantile(unseen[truth], 1 - self._recall)), self._floor)
            model = _model().fit(matrix, truth)
            weights = model.coef_[0].astype(np.float32)
            self._detectors[topic] = (weights, float(model.intercept_[0]), float(np.log(cut_off / (1 - cut_off))))
        return self

    def alarms(self, row: Row) -> dict[str, float]:
        """The safety topics that raised an alarm, with their probability."""
        columns, values = row
        odds = {topic: float(values @ weights[columns]) + bias for topic, (weights, bias, _) in self._detectors.items()}
        return {topic: 1 / (1 + np.exp(-odd)) for topic, odd in odds.items() if odd >= self._detectors[topic][2]}


def _model() -> LogisticRegression:
    return LogisticRegression(C=20, class_weight="balanced", max_iter=300)
