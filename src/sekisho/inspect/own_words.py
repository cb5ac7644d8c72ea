"""The words that a rule itself names: all that an excerpt of a phrase shows, as anything may stand between them."""

from __future__ import annotations

import re
from functools import lru_cache

# In a pattern: escapes, what begins a group, classes and counts are no words. "[Cc]" is a letter in both cases.
_ONE_LETTER = re.compile(r"\[([A-Za-z])([A-Za-z])\]")
_NO_WORDS = re.compile(r"\\[A-Za-z]|\(\?[A-Za-z]*[:=!)]?|\[(?:\\.|[^\]\\])*\]|\{[0-9,]*\}")
_OPTIONAL = re.compile(r"([^\W\d_])\?")
_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Of labels and marks, whoever chose their names; and small words, so that a phrase stays one.
_COMMON = _words(
    """highly strictly most confidential confidentiality internal restricted secret top private company only use
    general public personal sensitive all employees the a an of to and or for in on with your our you we us this that
    it is be has been will please 社外秘 極秘 部外秘 秘 機密 社内限り 関係者限り 一般 公開 個人
    の を に は が で と へ"""
)


@lru_cache(maxsize=1024)
def _own(patterns: tuple[str, ...]) -> tuple[frozenset[str], re.Pattern[str]]:
    """The Latin words of patterns, and an expression for the others."""
    words = set(_COMMON)
    for pattern in patterns:
        source = _ONE_LETTER.sub(lambda m: m[1] if m[1].lower() == m[2].lower() else " ", pattern)
        source = _NO_WORDS.sub(" ", source)
        # A letter that may be missing, "cards?": with it and without.
        for spelled in (source, _OPTIONAL.sub(r"\1", source), _OPTIONAL.sub("", source)):
            words.update(word.casefold() for word in _LETTERS.findall(spelled))
            words.update(word.casefold() for word in _LETTERS.findall(re.sub(r"-\?|[()]", "", spelled)))
    latin = frozenset(w for w in words if _LATIN.fullmatch(w) and (len(w) > 1 or w in _COMMON))
    others = sorted((word for word in words if not _LATIN.fullmatch(word)), key=lambda word: -len(word))
    return latin, re.compile("|".join(map(re.escape, others)), re.IGNORECASE)


def only_own_words(text: str, patterns: tuple[str, ...]) -> str:
    """A text with every letter and digit masked that is no part of a word in these patterns, or of a common one."""
    latin, others = _own(patterns)
    shown: set[int] = set()
    for match in _LATIN.finditer(text):
        if match[0].casefold() in latin:
            shown.update(range(*match.span()))
    for match in others.finditer(text):
        shown.update(range(*match.span()))
    return "".join("*" if c.isalnum() and i not in shown else c for i, c in enumerate(text))
