"""One character for another, before patterns look: full-width forms, the many hyphens, kanji numerals.

Every step replaces exactly one character by one, so that offsets into the normalised text are offsets into the
original. What would change the length (Unicode NFKC, half-width kana) is left out for that reason.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Step = Literal["width", "dashes", "kanji", "case"]

# Unicode block "Halfwidth and Fullwidth Forms", U+FF01 to U+FF5E, without the brackets and marks of Japanese prose.
_PROSE_MARKS = "(),!?;~"
_WIDTH = {chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F) if chr(c - 0xFEE0) not in _PROSE_MARKS}
_SPACES = dict.fromkeys("\u3000\u00a0\u2002\u2003\u2007\u2009\u202f", " ")
_DASHES = dict.fromkeys("\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u30fb\ufe58\ufe63\uff0d\uff70", "-")
_KANJI = dict(zip("〇零一二三四五六七八九", "00123456789", strict=True))
_MAPS = {"width": _WIDTH | _SPACES, "dashes": _DASHES, "kanji": _KANJI}

# The long vowel mark is a dash only where it stands between digits (０３ー１２３４). The expression begins with
# the mark: that is found four times as fast as what is before it.
_LONG_VOWEL = re.compile("ー(?<=[0-9]ー)(?=[0-9])")


def normaliser(steps: frozenset[str]) -> Callable[[str], str]:
    """A function that takes these steps at once; it returns the same object where nothing changes."""
    steps = steps.intersection(_MAPS)
    return _unchanged if not steps else _normaliser(steps)


def _unchanged(text: str) -> str:
    return text


@cache
def _normaliser(steps: frozenset[str]) -> Callable[[str], str]:
    mapping = {k: v for step in sorted(steps) for k, v in _MAPS[step].items()}
    wanted = re.compile("[" + re.escape("".join(mapping)) + "]")
    dashes = "dashes" in steps

    def normalise(text: str) -> str:
        if text.isascii():
            return text
        replaced, count = wanted.subn(lambda match: mapping[match[0]], text)
        if dashes and "ー" in text:
            replaced, vowels = _LONG_VOWEL.subn("-", replaced)
            count += vowels
        return replaced if count else text

    return normalise
