"""Common Japanese words, which the strength estimate does not know of itself."""

from __future__ import annotations

from functools import cache

from sekisho.accounts.passwords.folding import AS_HEARD, FOLDS, of_word, romanised
from sekisho.config.shipped import shipped

FILE = "lists/passwords-japanese.txt"
_MOST = 50


@cache
def shipped_japanese() -> tuple[str, ...]:
    """The words of the list that comes with Sekisho, the most common first. Raises OSError."""
    lines = shipped(FILE).read_text("utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def japanese_words(password: str) -> list[str]:
    """Those of the list that a password has as they are written."""
    text = password.casefold()
    return [word for word in shipped_japanese() if word in text][:_MOST]


def as_heard(password: str) -> tuple[str, list[str]] | None:
    """A password in kana written in letters, with the words of the list that it has so; None for one without kana."""
    if romanised(password) == password:
        return None
    heard = FOLDS[AS_HEARD](password)
    words = (of_word(AS_HEARD, word) for word in shipped_japanese())
    return heard, [word for word in words if word in heard][:_MOST]
