"""What of a password is only repetition, or only the next character of a row."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from itertools import pairwise

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    # keyboards: Japanese and American rows, and the columns
    "1234567890-^",
    "1234567890-=",
    "qwertyuiop@[",
    "asdfghjkl;:]",
    "zxcvbnm,./",
    "qwertzuiop",
    "azertyuiop",
    "!\"#$%&'()",
    "!@#$%^&*()_+",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん",
    "いろはにほへとちりぬるをわかよたれそつねならむうゐのおくやまけふこえてあさきゆめみしゑひもせす",
    "一二三四五六七八九十",
)
_RUN = 4  # so many in a row are no chance
_RUN_COUNTS = 2  # where it begins, and where it ends


def _directions() -> dict[tuple[str, str], frozenset[int]]:
    found: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for number, row in enumerate(_ROWS, 1):
        for one, other in pairwise(row):
            found[one, other].add(number)
            found[other, one].add(-number)
    return {pair: frozenset(rows) for pair, rows in found.items()}


_NEXT = _directions()
_NO_ROW: frozenset[int] = frozenset()


def without_repeats(password: str) -> int:
    """How many characters are left once runs of a character and repeated parts count once."""
    text = unit_of(unicodedata.normalize("NFKC", password).casefold())
    kept = sum(not (place > 1 and text[place] == text[place - 1] == text[place - 2]) for place in range(len(text)))
    different = len(set(text))
    # two or three characters in any order are not much more than the order
    return min(kept, different * 2) if different < 4 else kept


def without_sequences(password: str) -> int:
    """How many characters are left once four and more of a row count as two."""
    text = unicodedata.normalize("NFKC", password).casefold()
    left, run, rows = min(len(text), 1), 1, _NO_ROW
    for pair in pairwise(text):
        left += 1
        follows = _NEXT.get(pair, _NO_ROW)
        rows, run = (rows & follows, run + 1) if run > 1 and rows & follows else (follows, 2 if follows else 1)
        if run == _RUN:
            left -= _RUN - _RUN_COUNTS
        elif run > _RUN:
            left -= 1
    return left


def unit_of(text: str) -> str:
    """The part that a text repeats from end to end; the text itself where it repeats none."""
    # a text that turns into itself sooner than after its whole length is so many times its beginning
    length = (text + text).find(text, 1)
    return text[:length] if 0 < length < len(text) else text
