"""Brings the many ways of typing one word together, per language, before anything is counted.

First step of understanding: text in, lower-case text without decoration out. Pure functions.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
_URL = re.compile(r"(?:https?://|www\.)\S+")
_SPACE = re.compile(r"\s+")
_DIGITS = {ord(arabic) + i: str(i) for arabic in "٠۰" for i in range(10)}

_TURKISH = str.maketrans("çğıöşüâîû", "cgiosuaiu")
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640]")
_ARABIC = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        **dict.fromkeys("ىیئ", "ي"),
        **dict.fromkeys("گڭڨک", "ك"),
        "ؤ": "و",
        "ة": "ه",
        "پ": "ب",
        "ڤ": "ف",
        "چ": "ش",
        "ء": None,
    }
)
# One Latin letter for each Arabic consonant, so that Arabizi and Arabic script meet in one skeleton.
_ARABIC_TO_LATIN = str.maketrans(
    dict(zip("بتثجحخدذرزسشصضطظعغفقكلمنه", "bttj7xdzrzsCsdtz3gf9klmnh")) | dict.fromkeys("اويآ", None)
)
_ARABIZI = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"sch|sh|sj|ch", "C"),
        (r"kh|5", "x"),
        (r"gh|8", "g"),
        (r"dh|th", "t"),
        (r"q", "9"),
        (r"2|'", ""),
        (r"p", "b"),
        (r"v", "f"),
        (r"[aeiouwy]", ""),
    )
]
_DOUBLED = re.compile(r"(.)\1+")
_WORD = re.compile(r"\w+")
_HAS_ARABIC = re.compile("[\u0600-\u06ff]")


def normalise(text: str, language: str) -> str:
    """Lower-case `text` with spelling habits of `language` ("nl", "tr", "ar") folded together.

    Turkish loses its diacritics (people often leave them out), Arabic its vowels and hamza seats,
    every language elongation, invisible characters and full URLs.
    """
    text = unicodedata.normalize("NFKC", text)
    text = _URL.sub(" url ", _INVISIBLE.sub("", text)).translate(_DIGITS)
    if language == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    text = text.lower()
    if language == "tr":
        text = text.translate(_TURKISH)
    if language == "ar":
        text = _ARABIC_MARKS.sub("", text).translate(_ARABIC)
    else:
        text = _without_accents(text)
    text = _ELONGATED.sub(r"\1", text)
    return _SPACE.sub(" ", text).strip()


def skeleton(text: str) -> str:
    """The consonants of normalised Arabic or Arabizi `text` in one alphabet: "bghit" = "بغيت"."""
    return " ".join(filter(None, map(_word_skeleton, _WORD.findall(text))))


def _word_skeleton(word: str) -> str:
    if _HAS_ARABIC.search(word):
        word = word.translate(_ARABIC_TO_LATIN)
    elif not word.isdigit():
        for pattern, replacement in _ARABIZI:
            word = pattern.sub(replacement, word)
    return _DOUBLED.sub(r"\1", word)


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
