"""Passwords and words in the forms in which they are compared: case, width, substitutions and romanisation aside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

Fold = Callable[[str], str]

# Each kana by its own sound, spelled so that every romanisation comes out the same (ISO 3602, except づ and ぢ).
_VOWELS = "aiueo"
_ROWS = {
    "": "あいうえお",
    "k": "かきくけこ",
    "g": "がぎぐげご",
    "s": "さしすせそ",
    "z": "ざじずぜぞ",
    "t": "たちつてと",
    "d": "だぢづでど",
    "n": "なにぬねの",
    "h": "はひふへほ",
    "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ",
    "m": "まみむめも",
    "r": "らりるれろ",
}
_KANA = {kana: row + vowel for row, five in _ROWS.items() for kana, vowel in zip(five, _VOWELS, strict=True)} | {
    "ぢ": "zi", "づ": "zu", "や": "ya", "ゆ": "yu", "よ": "yo", "わ": "wa", "ゐ": "i", "ゑ": "e", "を": "o",
    "ん": "n", "ゔ": "vu", "ー": "",
}  # fmt: skip
_SMALL = {"ゃ": "ya", "ゅ": "yu", "ょ": "yo", "ぁ": "a", "ぃ": "i", "ぅ": "u", "ぇ": "e", "ぉ": "o", "ゎ": "wa"}
_HIRAGANA = {code: chr(code - 0x60) for code in range(ord("ァ"), ord("ヴ") + 1)}
_ANY_KANA = re.compile("[ぁ-ゖァ-ヴー]")

# Hepburn and what people write, into the spelling above; then long vowels and n before lips.
_SPELLINGS = (
    (re.compile(r"c(?=ch)"), "t"),
    (re.compile(r"shi"), "si"),
    (re.compile(r"sh"), "sy"),
    (re.compile(r"chi"), "ti"),
    (re.compile(r"ch"), "ty"),
    (re.compile(r"tsu"), "tu"),
    (re.compile(r"fu"), "hu"),
    (re.compile(r"j(?=i)"), "z"),
    (re.compile(r"jy?"), "zy"),
    (re.compile(r"o[uo]+"), "o"),
    (re.compile(r"oh(?![aiueoy])"), "o"),
    (re.compile(r"u+"), "u"),
    (re.compile(r"a+"), "a"),
    (re.compile(r"m(?=[bpm])"), "n"),
)
_SUBSTITUTED = str.maketrans("0134578@$!|+€", "oieastbasiite")
_OTHER_ONE = str.maketrans("1!|", "lll")
_NOT_LETTERS = re.compile(r"[\W_]+")
_LETTER = re.compile(r"[^\W\d_]")


def plain(text: str) -> str:
    """Letters and digits alone, in one width and case; kana in romanisation."""
    return _NOT_LETTERS.sub("", romanised(_simple(text)))


def without_edges(text: str) -> str:
    """A text without the digits and signs that it begins and ends with."""
    first, last = _LETTER.search(text), _LETTER.search(text[::-1])
    return text[first.start() : len(text) - last.start()] if first and last else ""


def _simple(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def romanised(text: str) -> str:
    """Kana become letters, in the spelling that `_spelled` brings others to. Text that has none stays as it is."""
    if not _ANY_KANA.search(text):
        return text
    out: list[str] = []
    doubled = False
    for kana in text.translate(_HIRAGANA):
        if kana == "っ":
            doubled = True
            continue
        if kana in _SMALL and out and out[-1][-1:] in _VOWELS and out[-1]:
            out[-1] = out[-1][:-1] + _SMALL[kana].removeprefix("y" if len(out[-1]) == 1 else "")
            continue
        sound = _KANA.get(kana, _SMALL.get(kana, kana))
        out.append((sound[:1] if doubled else "") + sound)
        doubled = False
    return "".join(out)


def _spelled(text: str) -> str:
    for spelling, ours in _SPELLINGS:
        text = spelling.sub(ours, text)
    return text


def _as_it_is(text: str) -> str:
    return plain(text)


def _as_heard(text: str) -> str:
    return _spelled(plain(text))


def _undone(text: str) -> str:
    return _NOT_LETTERS.sub("", romanised(_simple(text).translate(_SUBSTITUTED)))


def _undone_otherwise(text: str) -> str:
    return _undone(_simple(text).translate(_OTHER_ONE))


def _undone_as_heard(text: str) -> str:
    return _spelled(_undone(text))


FOLDS: tuple[Fold, ...] = (_as_it_is, _as_heard, _undone, _undone_otherwise, _undone_as_heard)
AS_HEARD = 1


@lru_cache(4096)
def of_word(fold: int, word: str) -> str:
    """A known word (never a password) in the form of `FOLDS[fold]`; kept, as the same ones come again."""
    return FOLDS[fold](word)
