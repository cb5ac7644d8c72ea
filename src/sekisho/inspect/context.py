"""The words that say what a number is: where they stand in a text, as whole words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sekisho.inspect.rules import Context

_SHORT = 4  # characters; so short a word in letters also ends where it stands ("aba", not "abandon")


class Word(Struct, frozen=True):
    """A context word: `text` in lower case unless `exact`; whether it must begin and end as a word of its own.

    `written` is the word as the rule has it.
    Only ASCII letters and digits join words: Japanese has no spaces to go by.
    """

    text: str
    written: str
    exact: bool
    begins: bool
    ends: bool

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands, in characters; `text` is in lower case unless the word is exact."""
        length = len(self.text)
        at = text.find(self.text)
        while at >= 0:
            end = at + length
            if not (self.begins and _joins(text[at - 1 : at])) and not (self.ends and _joins(text[end : end + 1])):
                yield at, end
            at = text.find(self.text, at + 1)


def lowered(text: str) -> str:
    """In lower case and as long as before (one letter of Unicode becomes two: U+0130)."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.replace("\u0130", "i").lower()


@cache
def words_of(context: Context) -> tuple[Word, ...]:
    """The words and acronyms of a rule's context."""
    plain = [Word(w.lower(), w, exact=False, begins=_joins(w[0]), ends=_short(w)) for w in context.words]
    exact = [Word(w, w, exact=True, begins=_joins(w[0]), ends=_joins(w[-1])) for w in context.acronyms]
    return (*plain, *exact)


def word_in(context: Context, text: str) -> str:
    """The first of the context's words that stands in a text; "" for none."""
    lower = lowered(text)
    for word in words_of(context):
        if any(True for _ in word.places(text if word.exact else lower)):
            return word.written
    return ""


def spans_around(words: Iterable[Word], text: str, lower: str, reach: int, most: int) -> list[tuple[int, int]] | None:
    """The stretches of text, in characters and in order, that lie within `reach` of a word; touching ones are one.

    None where the words stand in more than `most` places.
    """
    found: list[tuple[int, int]] = []
    for word in words:
        for start, end in word.places(text if word.exact else lower):
            if len(found) >= most:
                return None
            found.append((max(0, start - reach), end + reach))
    return _merged(sorted(found))


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _joins(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _short(word: str) -> bool:
    return len(word) <= _SHORT and _joins(word[-1])
