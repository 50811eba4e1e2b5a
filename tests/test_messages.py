import pytest

from bot.messages import clean, has_words


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  hallo \n", "hallo"),
        ("regel 1\r\nregel 2", "regel 1\nregel 2"),
        ("a\x00b\x07c", "abc"),
        ("\u202egnidaer\u202c", "gnidaer"),
        ("\u2066hidden\u2069 \ufeff", "hidden"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # the joiner belongs to the script
        ("👩\u200d💻", "👩\u200d💻"),
        ("cafe\u0301", "café"),
        ("\ud83d", ""),  # half an emoji cannot be stored
        ("\u200b\u200e \t", ""),
    ],
)
def test_clean(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@pytest.mark.parametrize(("text", "words"), [("ok", True), ("؟", False), ("👍👍", False), ("5", True), ("مرحبا", True)])
def test_has_words(text: str, words: bool) -> None:
    assert has_words(text) is words
