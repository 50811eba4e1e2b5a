"""From text to numbers: word and character TF-IDF, thesaurus concepts, and for Arabic a consonant skeleton.

Fitting uses scikit-learn's TfidfVectorizer; a single message is counted here directly, because
building sparse matrices for one short text costs five times as much as the counting itself.

Blocks per language, measured on one writer left out (about 2,500 messages, 4 % wrong answers). Heavier words and
words further apart, together with the class weights of model.py, gave Dutch 2.5 points more refusal and 4 more
crisis recall for half a point less right first time; in Turkish and Arabic the three cost 4 to 6 points right
first time. Words cut to five letters gave Turkish 2 points right first time and 4 crisis recall, for one of
refusal. Pairs of concepts and concepts at weight 0.6 gained nothing in Dutch.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Callable, Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from nlu.components.concepts import Thesaurus
from nlu.components.normalise import normalise, skeleton

_WORDS: dict[str, Any] = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"\w+", "sublinear_tf": True}
_LETTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (1, 5), "min_df": 2, "sublinear_tf": True}
_SKELETON: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (2, 4), "min_df": 2, "sublinear_tf": True}
_STEMS: dict[str, Any] = {**_WORDS, "min_df": 2}
_STEM = 5  # letters
_APART: dict[str, Any] = {"analyzer": str.split, "min_df": 2, "sublinear_tf": True}
_CONCEPTS: dict[str, Any] = {"analyzer": str.split, "sublinear_tf": True}
_WORD = re.compile(r"\w+")


class Block:
    """One TF-IDF vocabulary over one view of the text, with its weight among the others."""

    def __init__(self, view: str, weight: float, options: dict[str, Any]) -> None:
        self.view = view
        self._weight = weight
        self._vectorizer = TfidfVectorizer(dtype=np.float32, **options)

    def fit(self, views: dict[str, list[str]]) -> csr_matrix:
        matrix = self._weight * self._vectorizer.fit_transform(views[self.view])
        self._analyze: Callable[[str], list[str]] = self._vectorizer.build_analyzer()
        self._vocabulary: dict[str, int] = self._vectorizer.vocabulary_
        self._idf: np.ndarray = self._vectorizer.idf_.astype(np.float32)
        del self._vectorizer
        return matrix

    def one(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """(columns, values) of one text: sublinear TF-IDF, scaled to length `weight`."""
        counts = Counter(map(self._vocabulary.get, self._analyze(text)))
        counts.pop(None, None)
        columns = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        values = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        values = (1 + np.log(values)) * self._idf[columns]
        length = float(np.sqrt(values @ values))
        return columns, values * (self._weight / length) if length else values

    @property
    def width(self) -> int:
        return len(self._vocabulary)


class Features:
    """All blocks side by side. Columns of block n start where block n-1 ends."""

    def __init__(self, language: str, thesaurus: Thesaurus) -> None:
        self.language = language
        self.thesaurus = thesaurus
        self._blocks = [
            Block("text", 1.5 if language == "nl" else 1.0, _WORDS),
            Block("text", 1.0, _LETTERS),
            Block("concepts", 0.3, _CONCEPTS),
        ]
        if language == "nl":
            self._blocks += [Block("apart", 0.5, _APART)]
        if language == "tr":
            self._blocks += [Block("stems", 0.7, _STEMS)]
        if language == "ar":
            self._blocks += [Block("skeleton", 0.7, _WORDS), Block("skeleton", 0.7, _SKELETON)]

    def fit(self, texts: Sequence[str]) -> csr_matrix:
        """Learn the vocabularies; shape (texts, features), float32."""
        each = [self._views(text) for text in texts]
        views = {name: [view[name] for view in each] for name in each[0]}
        return hstack([block.fit(views) for block in self._blocks], format="csr")

    def one(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The non-zero (columns, values) of one text."""
        views = self._views(text)
        columns, values, start = [], [], 0
        for block in self._blocks:
            found, weights = block.one(views[block.view])
            columns.append(found + start)
            values.append(weights)
            start += block.width
        return np.concatenate(columns), np.concatenate(values)

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """The same as `fit` for new texts; for training and measuring."""
        rows = [self.one(text) for text in texts]
        ends = np.cumsum([0] + [len(columns) for columns, _ in rows])
        data = np.concatenate([values for _, values in rows])
        indices = np.concatenate([columns for columns, _ in rows])
        return csr_matrix((data, indices, ends), shape=(len(rows), sum(block.width for block in self._blocks)))

    def _views(self, text: str) -> dict[str, str]:
        plain = self.thesaurus.without_greeting(normalise(text, self.language))
        views = {"text": plain, "concepts": " ".join(self.thesaurus.concepts(plain)) or "NONE"}
        if self.language == "nl":
            views["apart"] = _apart(plain)
        if self.language == "tr":
            views["stems"] = " ".join(word[:_STEM] for word in _WORD.findall(plain))
        if self.language == "ar":
            views["skeleton"] = skeleton(plain)
        return views


def _apart(plain: str) -> str:
    """Pairs of words with one or two others between them: "maak er een eind" gives maak_een er_eind maak__eind."""
    words = _WORD.findall(plain)
    one, two = zip(words, words[2:]), zip(words, words[3:])
    return " ".join([*map("_".join, one), *map("__".join, two)])
