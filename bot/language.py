"""In which language to answer a message.

Script first (Arabic letters, Cyrillic, ...). For Latin letters a small generative model: every language
is a mixture of the words and the letter sequences people really type with us, so that "bghit n9ra" is
Arabic and "uitkering'im kesilir mi" Turkish although half of it is Dutch. "other" is learnt from
messages in some thirty languages. Where the model is in doubt, langdetect has a vote on whether it is
English. Measured against langdetect alone in docs/language.md.

Switching needs certainty: a name, a number or "ok" never switches.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from langdetect import LangDetectException, detector_factory

from bot.conversation import CHOSEN, DETECTED, HINT, OTHER, Tongue
from bot.messages import LANGUAGES

_WORD = re.compile(r"[^\W_][\w'’]*")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")
_NOT_ARABIC = re.compile("[پژکیےںٹڈڑۆێڕڵەټځڅډړږښڼۍې]")  # Persian, Urdu, Kurdish, Pashto
_SELDOM_ARABIC = re.compile("[چگ]")  # the same, but Iraqi and Moroccan too
_LATIN = re.compile("[a-z\u00df-\u024f]")
_ORDER = 4  # letters that predict the next one, plus one
_LETTERS = 200.0
_MOST_WORDS, _MOST_LETTERS = 20_000, 30_000  # remembered; some 10 MB each
_ANY_LETTER = -math.log(_LETTERS)
_SHARE_OF_WORDS = 0.5
_SHARE_OF_DUTCH = {"nl": 0.0, "tr": 0.2, "ar": 0.12}  # how much people mix in
_SHARE_OF_DUTCH_ELSEWHERE = 0.02
_BASE = "nl"
_PRIORS = {"nl": 0.7, "tr": 0.0, "ar": 0.0, "en": -0.5, "af": -5.0, "fy": -4.0}  # log
_LANGDETECT_PRIORS = {"nl": 0.4, "tr": 0.3, "ar": 0.1, "en": 0.1}
_IN_DOUBT = 0.85
_WELL_KNOWN = -7.5  # mean log-probability of a word in a sentence of words we know: no other language
_SURE_OF_ENGLISH = 0.9
_CLEARLY_OWN = 8  # times as frequent as among Dutch messages
# How sure to be before leaving the conversation's language: hardly when it was only a guess so far.
_SURE = {HINT: 0.5, DETECTED: 0.9, CHOSEN: 0.9}
_SURE_OF_ONE_WORD = {HINT: 0.6, DETECTED: 0.995, CHOSEN: 0.999}


@dataclass(frozen=True)
class Detected:
    """`language`: nl, tr, ar or other; `confidence` a probability; `words` how many words had letters."""

    language: str
    confidence: float
    words: int


class Detector:
    """`counts`: per language {"words": {word: n}, "letters": {context + letter: n}}, from `learn`.

    All languages are weighed side by side, and words and letters met before are remembered: an array each.
    """

    def __init__(self, counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
        self._languages = list(counts)
        self._models = [_Model(part["words"], part["letters"]) for part in counts.values()]
        self._word = lru_cache(_MOST_WORDS)(self._weigh_word)
        self._letter = lru_cache(_MOST_LETTERS)(self._weigh_letter)

    @classmethod
    def load(cls, path: Path) -> Detector:
        return cls(json.loads(path.read_text("utf-8")))

    def detect(self, text: str, expected: str | None = None) -> Detected:
        """The language of `text`; `expected` is the conversation's language and counts as a prior."""
        words = _words(text)
        if not words:
            return Detected(expected or OTHER, 0.0, 0)
        by_script = _by_script(text)
        if by_script:
            return Detected(by_script, 0.99, len(words))
        summed = zip(self._languages, _sums(map(self._word, words)), strict=True)
        scores = {language: score + _prior(language, expected) for language, score in summed}
        spoken = {language: scores.pop(language) for language in LANGUAGES}
        if max(spoken.values()) < _WELL_KNOWN * len(words):
            spoken[OTHER] = max(scores.values(), default=-math.inf)
        best = max(spoken, key=lambda language: spoken[language])
        # long texts repeat their evidence: let certainty grow with the root of the length
        softness = max(1.0, math.sqrt(len(words)) / 1.5)
        total = sum(math.exp((score - spoken[best]) / softness) for score in spoken.values())
        if best != OTHER and 1 / total < _IN_DOUBT and len(words) > 1 and _is_english(text):
            return Detected(OTHER, _SURE_OF_ENGLISH, len(words))
        return Detected(best, 1 / total, len(words))

    def _weigh_word(self, word: str) -> array[float]:
        """Its log-probability in each language, Dutch mixed in: as a whole, and letter after letter."""
        framed = _framed(word)
        pieces = [framed[max(0, at + 1 - _ORDER) : at + 1] for at in range(1, len(framed))]
        spelled = _sums(map(self._letter, pieces))
        found = {
            language: _SHARE_OF_WORDS * model.words.get(word, 0.0) + (1 - _SHARE_OF_WORDS) * math.exp(letters)
            for language, model, letters in zip(self._languages, self._models, spelled, strict=True)
        }
        shares = ((found[language], _SHARE_OF_DUTCH.get(language, _SHARE_OF_DUTCH_ELSEWHERE)) for language in found)
        return array("d", [math.log((1 - dutch) * own + dutch * found[_BASE]) for own, dutch in shares])

    def _weigh_letter(self, piece: str) -> array[float]:
        """The log-probability of the last letter after the others, in each language."""
        return array("d", [model.letter(piece) for model in self._models])


def choose(detected: Detected, tongue: Tongue) -> Tongue | None:
    """The conversation's language after this message, or None when it is certainly another language."""
    if not detected.words:
        return tongue
    if detected.language == tongue.language:
        return Tongue(tongue.language, DETECTED) if tongue.origin == HINT else tongue
    needed = _SURE if detected.words > 1 else _SURE_OF_ONE_WORD
    if detected.confidence < needed[tongue.origin]:
        return tongue
    if detected.language == OTHER:
        # one foreign sentence in a talk that is going on is no reason to stop understanding
        certain = detected.words > 2 or tongue.origin not in (CHOSEN, DETECTED)
        return None if certain else tongue
    return Tongue(detected.language, DETECTED)


def learn(examples: Mapping[str, Iterable[str]]) -> dict[str, dict[str, dict[str, int]]]:
    """Count words and letter sequences in example messages per language ("nl", "tr", "ar", "en", ...).

    Arabic messages count only where they are in Latin letters: Arabic script needs no model. Dutch words
    in Turkish and Arabic messages are left to Dutch, and so are messages among them that are all Dutch.
    """
    first = Detector(_counts(examples))
    own = {
        language: [text for text in texts if language == _BASE or first.detect(text).language != _BASE]
        for language, texts in examples.items()
    }
    return _counts(own)


def _counts(examples: Mapping[str, Iterable[str]]) -> dict[str, dict[str, dict[str, int]]]:
    counts: dict[str, dict[str, dict[str, int]]] = {}
    spoken = {language: _count(texts) for language, texts in examples.items()}
    totals = {language: sum(words.values()) + 1 for language, words in spoken.items()}
    for language, words in spoken.items():
        letters: Counter[str] = Counter()
        if language != _BASE:
            rates = {word: spoken[_BASE][word] / totals[_BASE] for word in words}
            words = Counter({w: n for w, n in words.items() if n / totals[language] > _CLEARLY_OWN * rates[w]})
        for word, times in words.items():
            for piece in _pieces(word):
                letters[piece] += min(times, 5)
        counts[language] = {"words": dict(words), "letters": dict(letters)}
    return counts


def _count(texts: Iterable[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for text in texts:
        if not _by_script(text):
            for spelling in {text, _plain(text)}:
                words.update(_words(spelling))
    return words


class _Model:
    """One language: `words` and their probabilities, and letters after others (Witten-Bell interpolation)."""

    def __init__(self, words: Mapping[str, int], letters: Mapping[str, int]) -> None:
        total = sum(words.values()) + 1
        self.words = {word: times / total for word, times in words.items()}
        followed: dict[str, int] = defaultdict(int)
        kinds: dict[str, int] = defaultdict(int)
        for piece, times in letters.items():
            followed[piece[:-1]] += times
            kinds[piece[:-1]] += 1
        # log-probabilities: of the last letter of a piece after the others; of "some letter not seen" after a context
        self._unseen = {context: math.log(kinds[context] / (followed[context] + kinds[context])) for context in kinds}
        self._seen: dict[str, float] = {}
        for piece in sorted(letters, key=len):  # the end of a piece is a piece
            context = piece[:-1]
            shorter = math.exp(self._seen[piece[1:]]) if context else 1 / _LETTERS
            share = (letters[piece] + kinds[context] * shorter) / (followed[context] + kinds[context])
            self._seen[piece] = math.log(share)

    def letter(self, piece: str) -> float:
        """Log-probability of the last letter after the others."""
        unseen = 0.0
        while piece and piece not in self._seen:
            unseen += self._unseen.get(piece[:-1], 0.0)
            piece = piece[1:]
        return unseen + (self._seen[piece] if piece else _ANY_LETTER)


def _sums(rows: Iterable[Iterable[float]]) -> Iterable[float]:
    return map(math.fsum, zip(*rows, strict=True))


def _is_english(text: str) -> bool:
    guesses = langdetect_probabilities(text)
    return bool(guesses) and guesses[0][0] == "en" and guesses[0][1] >= _SURE_OF_ENGLISH


def langdetect_probabilities(text: str, priors: bool = True) -> list[tuple[str, float]]:
    """What langdetect makes of `text`, best first; with `priors` it expects our languages and English."""
    factory = _langdetect()
    detector = factory.create()
    if priors:
        expected = dict.fromkeys(factory.get_lang_list(), 0.002) | _LANGDETECT_PRIORS
        detector.set_prior_map({code: p / sum(expected.values()) for code, p in expected.items()})
    detector.append(text)
    try:
        return [(guess.lang, guess.prob) for guess in detector.get_probabilities()]
    except LangDetectException:  # no letters it knows
        return []


@cache
def _langdetect() -> Any:
    detector_factory.init_factory()
    detector_factory.DetectorFactory.seed = 0  # it draws at random otherwise
    return detector_factory._factory


def _framed(word: str) -> str:
    return f"^{word}$"


def _pieces(word: str) -> list[str]:
    framed = _framed(word)
    return [framed[at - length : at + 1] for at in range(1, len(framed)) for length in range(min(_ORDER, at + 1))]


def _words(text: str) -> list[str]:
    lowered = unicodedata.normalize("NFKC", text).replace("İ", "i").lower().replace("’", "'")
    return [word[:30] for word in _WORD.findall(lowered) if not word.isdigit()]


def _plain(text: str) -> str:
    """Without diacritics, as many people type."""
    lowered = text.replace("İ", "i").lower().replace("ı", "i")
    return "".join(c for c in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(c))


def _by_script(text: str) -> str | None:
    arabic = len(_ARABIC.findall(text))
    latin = len(_LATIN.findall(text.lower()))
    letters = sum(c.isalpha() for c in text)
    if arabic and arabic * 2 >= latin:
        foreign = 12 * len(_NOT_ARABIC.findall(text)) + 6 * len(_SELDOM_ARABIC.findall(text))
        return OTHER if foreign > arabic else "ar"
    if letters - arabic - latin > latin:
        return OTHER
    return None


def _prior(language: str, expected: str | None) -> float:
    if language == expected:
        return 2.0
    return _PRIORS.get(language, -2.0)
