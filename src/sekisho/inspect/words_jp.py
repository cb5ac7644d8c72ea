"""Japanese word lists that validators ask: surnames, given names, area codes. Read once, when first asked for."""

from __future__ import annotations

from functools import cache

from sekisho.config.shipped import shipped

_LONGEST_NAME = 8
_LONGEST_SURNAME = 4

# Two such characters behind a surname that are another word all the same.
_NO_GIVEN_NAMES = frozenset(("昭和", "平成", "令和", "明治", "新春", "和平", "公正"))


@cache
def words(name: str) -> frozenset[str]:
    """The words of `lists/jp-NAME.txt`: separated by blanks, `#` begins a line of comment. Raises OSError."""
    lines = shipped(f"lists/jp-{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def given_characters() -> frozenset[str]:
    """The kanji of which given names are made."""
    return frozenset("".join(words("given-characters")))


def is_full_name(text: str) -> bool:
    """Whether all of a text is a listed surname and a given name, with or without a blank between.

    The given name is a listed one, or two characters that given names are made of; the latter, without a blank, only
    behind a surname of two characters or more.
    """
    surname, blank, given = text.replace("\u3000", " ").strip().partition(" ")
    if blank:
        return surname in words("surnames") and _is_given(given.strip())
    if not 2 < len(surname) <= _LONGEST_NAME:
        return False
    return any(_is_split(surname[:cut], surname[cut:]) for cut in range(1, min(_LONGEST_SURNAME + 1, len(surname))))


def _is_split(surname: str, given: str) -> bool:
    if surname not in words("surnames"):
        return False
    return _is_given(given) if len(surname) > 1 else given in words("given-names")


def _is_given(text: str) -> bool:
    if text in words("given-names"):
        return True
    return len(text) == 2 and text not in _NO_GIVEN_NAMES and given_characters().issuperset(text)
