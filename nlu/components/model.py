"""The statistical heart of understanding: one text in, a probability for every topic out.

Plain scikit-learn, no Rasa, so that it can be measured by itself: a linear SVM whose margins are
turned into probabilities by one temperature, fitted on messages of writers left out of training.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

Row = tuple[np.ndarray, np.ndarray]  # the non-zero columns and values of one text, from features.py


class TopicModel:
    """Calibrated topic probabilities, in the order of `topics`."""

    def __init__(self, folds: int = 4) -> None:
        self.topics: list[str] = []
        self.temperature = 1.0
        self._folds = folds

    def fit(self, matrix: csr_matrix, topics: Sequence[str], writers: Sequence[str]) -> TopicModel:
        """Train on the rows of `matrix`; `writers` keeps one person's messages in one fold when calibrating."""
        labels = np.asarray(topics)
        margins = margins_by_others(matrix, labels, writers, self._folds)
        classifier = _svm().fit(matrix, labels)
        self.topics = list(classifier.classes_)
        self._weights = np.ascontiguousarray(classifier.coef_.T, dtype=np.float32)
        self._bias = classifier.intercept_.astype(np.float32)
        self.temperature = best_temperature(margins, np.searchsorted(self.topics, labels))
        return self

    def probabilities(self, row: Row) -> np.ndarray:
        """Shape (topics,), adds up to 1."""
        columns, values = row
        margins = values @ self._weights[columns] + self._bias
        return softmax(margins[None] / self.temperature)[0]


def margins_by_others(matrix: csr_matrix, labels: np.ndarray, writers: Sequence[str], folds: int) -> np.ndarray:
    """Shape (texts, topics): the margins of a model that has seen nothing of the same writer."""
    groups = np.asarray(writers)
    if len(set(writers)) < 2:
        groups = np.arange(len(labels)) % folds
    columns = sorted(set(labels))
    margins = np.full((len(labels), len(columns)), -1.0)
    for train, test in GroupKFold(min(folds, len(set(groups)))).split(matrix, labels, groups):
        part = _svm().fit(matrix[train], labels[train])
        margins[np.ix_(test, np.searchsorted(columns, part.classes_))] = part.decision_function(matrix[test])
    return margins


def best_temperature(margins: np.ndarray, truth: np.ndarray) -> float:
    """The divisor of `margins` under which the right topics are likeliest."""

    def loss(log_temperature: float) -> float:
        chosen = softmax(margins / np.exp(log_temperature))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded").x))


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _svm() -> LinearSVC:
    return LinearSVC(C=1.0, class_weight="balanced", random_state=0)
