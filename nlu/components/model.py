"""The statistical heart of understanding: texts in, a probability for every topic out.

Plain scikit-learn, no Rasa, so that it can be measured by itself. Word and character TF-IDF on
normalised text, thesaurus concepts, and for Arabic a consonant skeleton; a linear SVM whose margins
are turned into probabilities by one temperature, fitted on messages of writers left out of training.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from nlu.components.concepts import Thesaurus
from nlu.components.normalise import normalise, skeleton

_WORD = r"\w+"


class Features:
    """Turns texts into one sparse matrix, shape (texts, features), float64."""

    def __init__(self, language: str, thesaurus: Thesaurus) -> None:
        self.language = language
        self.thesaurus = thesaurus
        word = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": _WORD, "sublinear_tf": True}
        char = {"analyzer": "char_wb", "sublinear_tf": True}
        self._blocks: list[tuple[str, float, Any]] = [
            ("text", 1.0, TfidfVectorizer(**word)),
            ("text", 1.0, TfidfVectorizer(ngram_range=(1, 5), **char)),
            ("concepts", 0.5, TfidfVectorizer(analyzer=str.split, sublinear_tf=True)),
        ]
        if language == "ar":
            self._blocks += [
                ("skeleton", 0.7, TfidfVectorizer(**word)),
                ("skeleton", 0.7, TfidfVectorizer(ngram_range=(2, 4), **char)),
            ]

    def fit(self, texts: Sequence[str]) -> csr_matrix:
        views = self._views(texts)
        return _stack([weight * block.fit_transform(views[view]) for view, weight, block in self._blocks])

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        views = self._views(texts)
        return _stack([weight * block.transform(views[view]) for view, weight, block in self._blocks])

    def _views(self, texts: Sequence[str]) -> dict[str, list[str]]:
        plain = [normalise(text, self.language) for text in texts]
        views = {"text": plain, "concepts": [" ".join(self.thesaurus.concepts(text)) or "NONE" for text in plain]}
        if self.language == "ar":
            views["skeleton"] = [skeleton(text) for text in plain]
        return views


class TopicModel:
    """Calibrated topic probabilities; `topics` is the column order of every matrix it returns."""

    def __init__(self, language: str, thesaurus: Thesaurus, folds: int = 4) -> None:
        self.features = Features(language, thesaurus)
        self.topics: list[str] = []
        self.temperature = 1.0
        self._folds = folds

    def fit(self, texts: Sequence[str], topics: Sequence[str], writers: Sequence[str]) -> TopicModel:
        """Train on `texts`; `writers` keeps one person's messages in one fold when calibrating."""
        labels = np.asarray(topics)
        matrix = self.features.fit(texts)
        margins = self._margins_by_others(matrix, labels, writers)
        self._classifier = _svm().fit(matrix, labels)
        self.topics = list(self._classifier.classes_)
        self.temperature = _best_temperature(margins, np.searchsorted(self.topics, labels))
        return self

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (texts, topics); every row adds up to 1."""
        return self.from_features(self.features.transform(texts))

    def from_features(self, matrix: csr_matrix) -> np.ndarray:
        """The same for rows that `features` has made already."""
        return _softmax(self._classifier.decision_function(matrix) / self.temperature)

    def _margins_by_others(self, matrix: csr_matrix, labels: np.ndarray, writers: Sequence[str]) -> np.ndarray:
        groups = np.asarray(writers)
        if len(set(writers)) < 2:
            groups = np.arange(len(labels)) % self._folds
        columns = sorted(set(labels))
        margins = np.full((len(labels), len(columns)), -1.0)
        splits = GroupKFold(min(self._folds, len(set(groups)))).split(matrix, labels, groups)
        for train, test in splits:
            part = _svm().fit(matrix[train], labels[train])
            margins[np.ix_(test, np.searchsorted(columns, part.classes_))] = part.decision_function(matrix[test])
        return margins


def _svm() -> LinearSVC:
    return LinearSVC(C=0.5, class_weight="balanced", random_state=0)


def _stack(blocks: list[csr_matrix]) -> csr_matrix:
    return hstack(blocks, format="csr")


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _best_temperature(margins: np.ndarray, truth: np.ndarray) -> float:
    def loss(log_temperature: float) -> float:
        chosen = _softmax(margins / np.exp(log_temperature))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded").x))
